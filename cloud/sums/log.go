package sums

import (
	"encoding/binary"

	"tidemark/differ/summary"
)

// A Change is what one entry of the log says of one node. Anchor is set where
// the entry may be the first that names the node and its id does not tell what
// is in it.
type Change struct {
	Node   summary.Node
	Anchor []byte
	Leaves []LeafChange
}

// A LeafChange is what a leaf changes by.
type LeafChange struct {
	Index uint8
	Cell  summary.Cell
}

// The head of a node in an entry: flags, and the gap to the node before where
// it is small.
const (
	oneLeaf   = 1 << 0 // otherwise their number less one follows
	counted   = 1 << 1 // counts stand before the sums; otherwise they do not change
	anchored  = 1 << 2 // an anchor follows
	gapShift  = 3
	gapBehind = 31 // the gap follows
)

// An entryWriter appends the nodes of an entry, in order.
type entryWriter struct {
	dst  []byte
	last summary.Node
}

func newEntryWriter(dst []byte) *entryWriter { return &entryWriter{dst: append(dst, form)} }

func (w *entryWriter) add(c Change) {
	gap := uint64(c.Node - w.last)
	w.last = c.Node
	head := byte(min(gap, gapBehind)) << gapShift
	if len(c.Leaves) == 1 {
		head |= oneLeaf
	}
	for _, l := range c.Leaves {
		if l.Cell.Count != 0 {
			head |= counted
		}
	}
	if c.Anchor != nil {
		head |= anchored
	}
	w.dst = append(w.dst, head)
	if head>>gapShift == gapBehind {
		w.dst = binary.AppendUvarint(w.dst, gap)
	}
	if head&anchored != 0 {
		w.dst = binary.AppendUvarint(w.dst, uint64(len(c.Anchor)))
		w.dst = append(w.dst, c.Anchor...)
	}
	if head&oneLeaf == 0 {
		w.dst = append(w.dst, byte(len(c.Leaves)-1))
	}
	for _, l := range c.Leaves {
		w.dst = append(w.dst, l.Index)
		if head&counted != 0 {
			w.dst = binary.AppendVarint(w.dst, l.Cell.Count)
		}
		w.dst = appendSum(w.dst, l.Cell)
	}
}

// ReadEntry calls fn for every node of an entry, in ascending order. What fn
// gets is valid until it returns; the anchor aliases the entry.
func ReadEntry(entry []byte, fn func(Change)) error {
	r := open(entry)
	var c Change
	for first := true; r.more(); first = false {
		head := r.byte()
		gap := uint64(head >> gapShift)
		if gap == gapBehind {
			gap = r.uvarint()
		}
		c.Node = r.node(c.Node, gap, first)
		c.Anchor, c.Leaves = nil, c.Leaves[:0]
		if head&anchored != 0 {
			n := r.uvarint()
			if n == 0 || n > maxAnchor {
				return ErrBlob
			}
			c.Anchor = r.bytes(n)
		}
		n := 1
		if head&oneLeaf == 0 {
			n = int(r.byte()) + 1
		}
		for i := range n {
			l := LeafChange{Index: r.byte()}
			count := int64(0)
			if head&counted != 0 {
				count = r.varint()
			}
			l.Cell = r.sum(count)
			if r.err == nil && i > 0 && l.Index <= c.Leaves[i-1].Index {
				r.err = ErrBlob
			}
			if r.err != nil {
				return r.err
			}
			c.Leaves = append(c.Leaves, l)
		}
		fn(c)
	}
	return r.end()
}
