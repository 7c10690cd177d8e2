package summary

import (
	"errors"
	"fmt"

	"tidemark/internal/wire"
)

// Kind tells how a layout finds a key's leaf.
type Kind string

// The kinds.
const (
	Ordered Kind = "ordered" // a leaf is a range of keys
	Hashed  Kind = "hashed"  // a leaf is a range of hashes of keys
)

// A Layout maps the keys of one customer's table to leaves. It does not change:
// another one has another number. Its JSON form is that of the wire and of
// the cloud's registry.
type Layout struct {
	Number uint64 `json:"number"`           // from 1; part of every row's hash
	Kind   Kind   `json:"kind"`             //
	Column int    `json:"column,omitempty"` // ordered: the key column, from 0, whose order code is cut into leaves
	Shift  int    `json:"shift,omitempty"`  // ordered: low bits of the order code that one leaf spans
	Bits   int    `json:"bits,omitempty"`   // hashed: there are 2^Bits leaves
	Epoch  int64  `json:"epoch"`            // the number that the cloud gives the table's current epoch
	Rows   int64  `json:"rows"`             // that there were when it was chosen
}

const (
	nodeBits = 8  // of a leaf's number: its place in its node
	maxBits  = 40 // of a hashed layout: 10^12 leaves
)

// LeavesPerNode is how many leaves a node has at most.
const LeavesPerNode = 1 << nodeBits

// ErrLayout is found in errors about a layout that does not fit the table's
// key, is out of range, or is not the one that both sides have by now.
var ErrLayout = errors.New("layout does not fit")

// Check reports what is wrong with the layout for a key of these types.
func (l Layout) Check(types []wire.Type) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: layout %d: %s", ErrLayout, l.Number, fmt.Sprintf(format, args...))
	}
	switch {
	case l.Number == 0:
		return bad("numbers begin at 1")
	case l.Rows < 0:
		return bad("%d rows", l.Rows)
	case l.Kind == Hashed && (l.Bits < 0 || l.Bits > maxBits):
		return bad("%d bits, not 0 to %d", l.Bits, maxBits)
	case l.Kind == Hashed:
		return nil
	case l.Kind != Ordered:
		return bad("kind %q is not known", l.Kind)
	case l.Column < 0 || l.Column >= len(types):
		return bad("column %d of a key of %d", l.Column, len(types))
	}
	width := codeBits(types[l.Column])
	if width == 0 || l.Shift < 0 || l.Shift > width {
		return bad("shift %d, and a %s has %d bits of order", l.Shift, types[l.Column], width)
	}
	return nil
}

// Counted tells whether node ids are numbers in the order of the source's
// keys. Otherwise they are hashes of what AppendAnchor gives.
func (l Layout) Counted(types []wire.Type) bool {
	return l.Kind == Hashed || l.Column == 0 && codeBits(types[0])-l.Shift-nodeBits <= 64
}

// Drift bounds: rows per leaf at which a new layout is due, well outside the
// 64 to 256 that are aimed at, so that a layout is not chosen again and again.
const (
	fewRows  = 32
	manyRows = 512
	fewLeafs = 64 // below, sparse leaves cost nothing
)

// Due tells whether the layout should be replaced, given how many rows the
// table has and how many leaves they are in: its leaves have drifted out of
// bounds and the table is no longer of the size it was made for.
func (l Layout) Due(rows, leaves int64) bool {
	if leaves == 0 || rows < 2*l.Rows && l.Rows < 2*rows {
		return false
	}
	return rows > manyRows*leaves || rows < fewRows*leaves && leaves > fewLeafs
}
