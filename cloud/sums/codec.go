package sums

import (
	"encoding/binary"
	"errors"

	"tidemark/differ/summary"
)

// ErrBlob is found in errors about a blob that is none of this package, or
// contradicts itself.
var ErrBlob = errors.New("blob of a summary is not well-formed")

// Blobs begin with the number of their form.
const form = 1

const (
	sumSize   = 16
	maxAnchor = 1 << 16
)

func appendSum(dst []byte, c summary.Cell) []byte {
	dst = binary.BigEndian.AppendUint64(dst, c.Hi)
	return binary.BigEndian.AppendUint64(dst, c.Lo)
}

// A reader takes a blob apart. Its first error stays.
type reader struct {
	b   []byte
	err error
}

// open begins to read a blob.
func open(b []byte) *reader {
	r := &reader{b: b}
	if r.byte() != form && r.err == nil {
		r.err = ErrBlob
	}
	return r
}

func (r *reader) more() bool { return r.err == nil && len(r.b) > 0 }

// end is the error of the whole blob.
func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		r.err = ErrBlob
	}
	return r.err
}

func (r *reader) bytes(n uint64) []byte {
	if r.err != nil || n > uint64(len(r.b)) {
		r.err = ErrBlob
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if r.err != nil || n <= 0 {
		r.err = ErrBlob
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if r.err != nil || n <= 0 {
		r.err = ErrBlob
		return 0
	}
	r.b = r.b[n:]
	return v
}

// sum reads a whole sum.
func (r *reader) sum(count int64) summary.Cell {
	b := r.bytes(sumSize)
	if b == nil {
		return summary.Cell{}
	}
	return summary.Cell{Count: count, Hi: binary.BigEndian.Uint64(b), Lo: binary.BigEndian.Uint64(b[8:])}
}

// node reads the id behind before.
func (r *reader) node(before summary.Node, gap uint64, first bool) summary.Node {
	n := uint64(before) + gap
	if r.err == nil && !first && (gap == 0 || n < gap) {
		r.err = ErrBlob
	}
	return summary.Node(n)
}
