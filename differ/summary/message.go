package summary

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"tidemark/internal/wire"
)

// ContentType is the media type of the package's messages: a JSON line, then
// what the line announces. Bodies travel in a zstd frame, which finds the
// runs in ids and counts.
const ContentType = wire.SummaryType

// Protocol is the version of the messages, in the first line of each.
const Protocol = 1

// Bounds of messages. Readers refuse more with ErrMessage before they have
// kept it.
const (
	MaxNodes        = 1 << 20   // of a tree: some 10^10 rows
	MaxNodesAsked   = 1 << 10   // of one question for leaves
	MaxLeavesAsked  = 1 << 14   // of one comparison of leaves
	MaxRowsCompared = 1 << 18   // fingerprints up, and rows down, of one comparison of leaves
	maxHead         = 4 << 10   // bytes of a message's first line
	maxLine         = 1 << 16   // bytes of a key's line
	maxList         = 1 << 22   // bytes of a line with indexes
	maxRowsOfCell   = 1<<56 - 1 // that a peer can claim
)

// ErrMessage is found in every error about a message that is not what it
// should be: cut off, out of bounds, out of order, or not adding up.
var ErrMessage = errors.New("summary message is not well-formed")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMessage, fmt.Sprintf(format, args...))
}

func otherProtocol(got int) error {
	return fmt.Errorf("%w: %w", ErrMessage, wire.OtherProtocol(got, Protocol))
}

// writer writes a message; the first error stays.
type writer struct {
	w   *bufio.Writer
	buf [binary.MaxVarintLen64]byte
	err error
}

func newWriter(w io.Writer) *writer { return &writer{w: bufio.NewWriter(w)} }

func (w *writer) bytes(b []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(b)
	}
}

func (w *writer) line(v any) {
	b, err := json.Marshal(v)
	if w.err == nil {
		w.err = err
	}
	w.bytes(append(b, '\n'))
}

func (w *writer) uvarint(n uint64) { w.bytes(binary.AppendUvarint(w.buf[:0], n)) }
func (w *writer) varint(n int64)   { w.bytes(binary.AppendVarint(w.buf[:0], n)) }

// sum writes the low bytes of a sum, big-endian.
func (w *writer) sum(c Cell, width int) {
	var b [MaxWidth]byte
	binary.BigEndian.PutUint64(b[:8], c.Hi)
	binary.BigEndian.PutUint64(b[8:], c.Lo)
	w.bytes(b[MaxWidth-width:])
}

func (w *writer) flush() error {
	if w.err != nil {
		return w.err
	}
	return w.w.Flush()
}

// reader reads a message; the first error stays, and all that is read behind
// it is zero.
type reader struct {
	r   *bufio.Reader
	err error
}

func newReader(r io.Reader) *reader { return &reader{r: bufio.NewReaderSize(r, 16<<10)} }

func (r *reader) fail(err error) {
	if r.err != nil {
		return
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = malformed("it ends early")
	}
	r.err = err
}

// text reads a line of at most limit bytes, without its end.
func (r *reader) text(limit int) []byte {
	var line []byte
	for r.err == nil {
		part, err := r.r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > limit:
			r.fail(malformed("a line is over %d bytes", limit))
		case err == nil:
			return line[:len(line)-1]
		case !errors.Is(err, bufio.ErrBufferFull):
			r.fail(err)
		}
	}
	return nil
}

func (r *reader) line(limit int, into any) {
	if line := r.text(limit); r.err == nil {
		if err := json.Unmarshal(line, into); err != nil {
			r.fail(malformed("%v", err))
		}
	}
}

func (r *reader) byte() byte {
	if r.err != nil {
		return 0
	}
	b, err := r.r.ReadByte()
	if err != nil {
		r.fail(err)
	}
	return b
}

func (r *reader) uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(r.r)
	if err != nil {
		r.number(err)
		return 0
	}
	return n
}

func (r *reader) varint() int64 {
	if r.err != nil {
		return 0
	}
	n, err := binary.ReadVarint(r.r)
	if err != nil {
		r.number(err)
		return 0
	}
	return n
}

// number is the error of a number that cannot be read: what is no error of
// the reader beneath is one of its form.
func (r *reader) number(err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		r.fail(err)
		return
	}
	if _, peek := r.r.Peek(1); peek != nil && !errors.Is(peek, io.EOF) {
		r.fail(peek)
		return
	}
	r.fail(malformed("a number is over 64 bits"))
}

func (r *reader) sum(width int) Cell {
	var b [MaxWidth]byte
	if r.err == nil {
		if _, err := io.ReadFull(r.r, b[MaxWidth-width:]); err != nil {
			r.fail(err)
			return Cell{}
		}
	}
	return Cell{0, binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// end makes sure that nothing follows.
func (r *reader) end() error {
	if r.err != nil {
		return r.err
	}
	if _, err := r.r.ReadByte(); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return err
	}
	return malformed("more follows than was announced")
}

// count takes the difference to the count before, of a cell that is not
// empty.
func (r *reader) count(before int64) int64 {
	n := before + r.varint()
	if r.err == nil && (n < 1 || n > maxRowsOfCell) {
		r.fail(malformed("a cell of %d rows", n))
	}
	return n
}

// gap takes the difference to the id before; the first one has none before.
func (r *reader) gap(before uint64, first bool) uint64 {
	d := r.uvarint()
	n := before + d
	if r.err == nil && !first && n <= before {
		r.fail(malformed("ids are not in order"))
	}
	return n
}
