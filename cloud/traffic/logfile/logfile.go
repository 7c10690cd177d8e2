// Package logfile reads logs, gzipped or plain, in blocks of whole lines. What
// it holds is one block, whatever the size of a file.
package logfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// MaxLine is the longest line that is read, in bytes.
const MaxLine = 4 << 20

// startOfLong is what is kept of a line that is longer.
const startOfLong = 1 << 10

// A Block is a run of whole lines of a log.
type Block struct {
	Data   []byte // lines with their line breaks; the last one of a log may have none
	Line   int64  // number of the first one, from 1
	Offset int64  // of the first one, in the log decompressed

	// Long is set when the block is one line of more than MaxLine bytes: its
	// length. Data is its first KiB.
	Long int64
}

// End is the offset behind the block, in the log decompressed.
func (b *Block) End() int64 {
	if b.Long > 0 {
		return b.Offset + b.Long
	}
	return b.Offset + int64(len(b.Data))
}

// Lines is how many lines the block has.
func (b *Block) Lines() int64 {
	n := int64(bytes.Count(b.Data, []byte{'\n'}))
	if b.Long > 0 || len(b.Data) > 0 && b.Data[len(b.Data)-1] != '\n' {
		n++
	}
	return n
}

// Each calls fn for each line, without its line break, with its number, and
// ends early with the error of fn.
func (b *Block) Each(fn func(line []byte, number int64) error) error {
	for rest, number := b.Data, b.Line; len(rest) > 0; number++ {
		line := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		if err := fn(line, number); err != nil {
			return err
		}
	}
	return nil
}

// A BrokenError tells that a log ends before its end: a gzip file that was cut
// off or damaged. All whole lines before it have been read.
type BrokenError struct {
	Line   int64 // number of the line that is not whole
	Offset int64 // where it begins, in the log decompressed
	Part   int   // bytes of it that could be read
	Err    error
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("broken in line %d, of which %d bytes could be read: %v", e.Line, e.Part, e.Err)
}

func (e *BrokenError) Unwrap() error { return e.Err }

// A Reader reads one log.
type Reader struct {
	r      io.Reader
	zipped bool
	line   int64  // of the next block
	offset int64  // of the next block
	rest   []byte // read, and not yet returned
	err    error
}

// NewReader reads from r, and tells by its first two bytes whether it is
// gzipped (RFC 1952, 2.3.1).
func NewReader(r io.Reader) (*Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	magic, err := b.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	out := &Reader{r: b, line: 1}
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		out.zipped = true
		if out.r, err = gzip.NewReader(b); err != nil {
			return nil, &BrokenError{Line: 1, Err: err}
		}
	}
	return out, nil
}

// Skip goes on behind what was read before: line lines, which ended at offset.
// It is called before the first Next. A log that ends before is io.EOF.
func (r *Reader) Skip(line, offset int64) error {
	n, err := io.CopyN(io.Discard, r.r, offset)
	if err != nil && r.zipped && !errors.Is(err, io.EOF) {
		return &BrokenError{Line: line, Offset: n, Err: err}
	}
	r.line, r.offset = line+1, offset
	return err
}

// Next fills buf, which the block then is part of, with whole lines; buf grows
// when a line is longer, up to MaxLine. It returns io.EOF behind the last line,
// and a *BrokenError where a log ends too early.
func (r *Reader) Next(buf []byte) (Block, []byte, error) {
	have := copy(buf[:cap(buf)], r.rest)
	if have < len(r.rest) {
		buf = append(buf[:0], r.rest...)
		have = len(r.rest)
	}
	buf, r.rest = buf[:cap(buf)], nil
	searched := 0
	for {
		for have < len(buf) && r.err == nil {
			var n int
			n, r.err = r.r.Read(buf[have:])
			have += n
		}
		if i := bytes.LastIndexByte(buf[searched:have], '\n'); i >= 0 {
			end := searched + i + 1
			r.rest = append([]byte(nil), buf[end:have]...)
			return r.block(buf[:end]), buf, nil
		}
		searched = have
		switch {
		case errors.Is(r.err, io.EOF) && have == 0:
			return Block{}, buf, io.EOF
		case errors.Is(r.err, io.EOF):
			return r.block(buf[:have]), buf, nil
		case r.err != nil:
			return Block{}, buf, r.broken(have)
		case len(buf) >= MaxLine:
			return r.long(buf[:have], buf)
		}
		buf = append(buf, make([]byte, min(len(buf)+1, MaxLine-len(buf)))...)
		buf = buf[:min(cap(buf), MaxLine)]
	}
}

func (r *Reader) block(data []byte) Block {
	b := Block{Data: data, Line: r.line, Offset: r.offset}
	r.line, r.offset = b.Line+b.Lines(), b.End()
	return b
}

func (r *Reader) broken(have int) error {
	if !r.zipped && !errors.Is(r.err, io.ErrUnexpectedEOF) {
		return r.err
	}
	return &BrokenError{Line: r.line, Offset: r.offset, Part: have, Err: r.err}
}

// long reads to the end of a line that is longer than MaxLine.
func (r *Reader) long(start, buf []byte) (Block, []byte, error) {
	b := Block{Data: append([]byte(nil), start[:startOfLong]...), Line: r.line, Offset: r.offset, Long: int64(len(start))}
	for r.err == nil {
		var n int
		n, r.err = r.r.Read(buf)
		if i := bytes.IndexByte(buf[:n], '\n'); i >= 0 {
			b.Long += int64(i + 1)
			r.rest = append([]byte(nil), buf[i+1:n]...)
			r.line, r.offset = b.Line+1, b.End()
			return b, buf, nil
		}
		b.Long += int64(n)
	}
	if !errors.Is(r.err, io.EOF) {
		return Block{}, buf, r.broken(int(b.Long))
	}
	r.line, r.offset = b.Line+1, b.End()
	return b, buf, nil
}
