package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds what one decoder keeps of a frame. It is also the largest
// window of the encoder's levels in use here.
const maxWindow = 8 << 20

// encoders keeps a few of them for the next body. A sync.Pool would lose them
// to the garbage collector between two batches of one table, and one costs
// more memory to make than all else in a batch.
var encoders = make(chan *zstd.Encoder, 2)

func takeEncoder() *zstd.Encoder {
	select {
	case e := <-encoders:
		return e
	default:
	}
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(1<<20), zstd.WithEncoderCRC(true), zstd.WithLowerEncoderMem(true))
	if err != nil { // the options are constant
		panic(err)
	}
	return e
}

func giveEncoder(e *zstd.Encoder) {
	e.Reset(nil) // lets go of the body
	select {
	case encoders <- e:
	default:
	}
}

// EncodeBody appends to dst the header as one line and the lines behind it.
func EncodeBody(dst []byte, header any, lines []byte) ([]byte, error) {
	dst, err := EncodeHeader(dst, header)
	if err != nil {
		return dst, err
	}
	return EncodeLines(dst, lines)
}

// EncodeHeader appends to dst a zstd frame of the header as one line. A body
// is that and, behind it, what EncodeLines makes (RFC 8878, 3: frames one
// behind the other are read as one). So lines can be compressed before the
// number that their batch will have is known.
func EncodeHeader(dst []byte, header any) ([]byte, error) {
	head, err := json.Marshal(header)
	if err != nil {
		return dst, err
	}
	return encodeFrame(dst, append(head, '\n'))
}

// EncodeLines appends to dst a zstd frame of the lines; nothing for none.
func EncodeLines(dst, lines []byte) ([]byte, error) {
	if len(lines) == 0 {
		return dst, nil
	}
	return encodeFrame(dst, lines)
}

func encodeFrame(dst, text []byte) ([]byte, error) {
	e := takeEncoder()
	defer giveEncoder(e)
	buf := bytes.NewBuffer(dst)
	e.Reset(buf)
	if _, err := e.Write(text); err != nil {
		return dst, err
	}
	if err := e.Close(); err != nil {
		return dst, err
	}
	return buf.Bytes(), nil
}

// Limits bound what a BodyReader takes. Each must be positive.
type Limits struct {
	Body int64 // bytes, decompressed
	Line int   // bytes of one line; the header line has at most MaxHeader
}

// MaxHeader bounds the header line: 1,024 column names of 128 characters,
// a cursor and marks fit.
const MaxHeader = 1 << 20

// Errors of a BodyReader, found with errors.Is.
var (
	ErrTooLarge  = errors.New("the body is over its limit")
	ErrTruncated = errors.New("the body ends before the rows that its header announces")
	ErrBody      = errors.New("the body is not a list of lines in zstd frames")
)

// A BodyReader reads what EncodeBody wrote, line by line, in memory bounded
// by its limits and the frames' window of at most 8 MiB.
type BodyReader struct {
	zstd *zstd.Decoder
	in   *bufio.Reader
	left int64 // of Limits.Body
	max  Limits
	rows int // lines still to come
	line []byte
}

var decoders = sync.Pool{New: func() any {
	return &BodyReader{zstd: newDecoder(), in: bufio.NewReaderSize(nil, 64<<10)}
}}

// NewBodyReader begins to read a frame. Close gives its memory back.
func NewBodyReader(r io.Reader, max Limits) (*BodyReader, error) {
	b := decoders.Get().(*BodyReader)
	b.left, b.max, b.rows = max.Body, max, 0
	if err := b.zstd.Reset(r); err != nil {
		b.Close()
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	b.in.Reset(b.zstd)
	return b, nil
}

// Close ends the reading; the last line is no longer valid.
func (b *BodyReader) Close() {
	if cap(b.line) > 1<<20 {
		b.line = nil
	}
	_ = b.zstd.Reset(nil) // lets go of the reader; nil cannot fail
	decoders.Put(b)
}

// Header reads the header line into v, a pointer to a struct. Unknown fields
// are refused, so that a newer protocol is not half understood.
func (b *BodyReader) Header(v any) error {
	line, err := b.readLine(MaxHeader)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if other := otherProtocol(line); other != nil {
			err = other
		}
		return fmt.Errorf("%w: header: %w", ErrBody, err)
	}
	if d.More() {
		return fmt.Errorf("%w: header: more than one value", ErrBody)
	}
	return nil
}

// otherProtocol tells that a header is of another protocol, which says more
// than the first of its fields that this one does not have.
func otherProtocol(line []byte) error {
	var h struct {
		Protocol *int `json:"v"`
	}
	if err := json.Unmarshal(line, &h); err == nil && h.Protocol != nil && *h.Protocol != Protocol {
		return OtherProtocol(*h.Protocol, Protocol)
	}
	return nil
}

// Expect sets the number of lines that Next returns: the header's Rows.
func (b *BodyReader) Expect(rows int) { b.rows = rows }

// Next returns the next line without its line feed, valid until the next
// call. Behind the last expected line it is io.EOF, once the last frame has
// ended with a matching checksum; ErrTruncated when the body ends before it.
func (b *BodyReader) Next() ([]byte, error) {
	if b.rows > 0 {
		b.rows--
		return b.readLine(b.max.Line)
	}
	_, err := b.in.ReadByte()
	if err == nil {
		return nil, fmt.Errorf("%w: more lines than its header announces", ErrBody)
	}
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	return nil, fmt.Errorf("%w: %w", ErrBody, err)
}

func (b *BodyReader) readLine(max int) ([]byte, error) {
	b.line = b.line[:0]
	for {
		part, err := b.in.ReadSlice('\n')
		b.left -= int64(len(part))
		if b.left < 0 || len(b.line)+len(part) > max {
			return nil, ErrTooLarge
		}
		switch {
		case err == nil && len(b.line) == 0:
			return part[:len(part)-1], nil
		case err == nil:
			b.keep(part[:len(part)-1], max)
			return b.line, nil
		case errors.Is(err, bufio.ErrBufferFull):
			b.keep(part, max)
		case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
			return nil, ErrTruncated
		default:
			return nil, fmt.Errorf("%w: %w", ErrBody, err)
		}
	}
}

// keep appends a part of a line. The buffer doubles, and from a half of the
// limit on has all of it: append grows large ones by a quarter, and leaves
// four times their size behind.
func (b *BodyReader) keep(part []byte, max int) {
	if need := len(b.line) + len(part); need > cap(b.line) {
		size := 2 * need
		if size > max/2 {
			size = max
		}
		grown := make([]byte, len(b.line), size)
		copy(grown, b.line)
		b.line = grown
	}
	b.line = append(b.line, part...)
}
