package recording

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// A BrokenError tells that a recording ends before its end: it was cut off, or
// is damaged. All entries before it have been read.
type BrokenError struct {
	Entries int // that were read
	Err     error
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("the recording is broken behind its entry %d: %v", e.Entries, e.Err)
}

func (e *BrokenError) Unwrap() error { return e.Err }

// A Reader reads a recording, in memory bounded by its largest entry.
type Reader struct {
	z      *zstd.Decoder
	b      *bufio.Reader
	header Header
	read   int
}

// maxWindow bounds what a recording, which may be anybody's, makes its reader
// hold.
const maxWindow = 16 << 20

// NewReader reads the header of a recording.
func NewReader(r io.Reader) (*Reader, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(1<<40))
	if err != nil {
		return nil, err
	}
	out := &Reader{z: z, b: bufio.NewReaderSize(z, 64<<10)}
	first := make([]byte, len(magic))
	if _, err := io.ReadFull(out.b, first); err != nil || string(first) != magic {
		z.Close()
		return nil, errors.Join(errors.New("this is no recording of Tidemark's API, or one of another version"), err)
	}
	if err := out.document(&out.header); err != nil {
		z.Close()
		return nil, out.broken(err)
	}
	return out, nil
}

// Header is what the recording tells of itself.
func (r *Reader) Header() Header { return r.header }

// Next returns the next entry; io.EOF behind the last one, a *BrokenError
// where the recording is cut off.
func (r *Reader) Next() (*Entry, error) {
	if _, err := r.b.Peek(1); errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	e := new(Entry)
	err := r.document(e)
	if err == nil && !e.Gap {
		e.Body, err = r.piece(maxBody)
	}
	if err != nil {
		return nil, r.broken(err)
	}
	r.read++
	return e, nil
}

func (r *Reader) broken(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return &BrokenError{Entries: r.read, Err: err}
}

func (r *Reader) document(v any) error {
	b, err := r.piece(maxHead)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// piece reads a length and as many bytes. It holds no more than has come.
func (r *Reader) piece(most uint64) ([]byte, error) {
	n, err := binary.ReadUvarint(r.b)
	if err != nil {
		return nil, err
	}
	if n > most {
		return nil, fmt.Errorf("a piece of %d bytes; the most is %d", n, most)
	}
	if n <= 64<<10 {
		b := make([]byte, n)
		_, err := io.ReadFull(r.b, b)
		return b, err
	}
	b, err := io.ReadAll(io.LimitReader(r.b, int64(n)))
	if err == nil && uint64(len(b)) < n {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

// Close frees the decoder.
func (r *Reader) Close() { r.z.Close() }
