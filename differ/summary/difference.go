package summary

import (
	"encoding/json"
	"io"
	"slices"

	"tidemark/internal/wire"
)

// A LeafDifference is what the cloud has otherwise in one leaf.
type LeafDifference struct {
	Leaf      Leaf
	Cell      Cell       // of the leaf, whole, in the moment of the comparison
	Unmatched []int      // indexes of the fingerprints that no row of the cloud has, ascending
	Rows      wire.Lines // manifest lines, stamp and key, of the rows whose fingerprints were not sent
}

type differenceHead struct {
	Node      uint64 `json:"node,string"`
	Index     uint8  `json:"leaf"`
	Cell      Cell   `json:"cell"`
	Unmatched []int  `json:"unmatched,omitempty"`
	Rows      int    `json:"rows,omitempty"`
}

// A DifferenceWriter writes the answer to a CompareQuestion leaf by leaf.
type DifferenceWriter struct{ out *writer }

// NewDifferenceWriter begins the answer to q.
func NewDifferenceWriter(w io.Writer, q CompareQuestion) *DifferenceWriter {
	out := newWriter(w)
	out.line(compareHead{Protocol: Protocol, Layout: q.Layout, Leaves: len(q.Leaves)})
	return &DifferenceWriter{out}
}

// Leaf writes the answer for one leaf. Every leaf of the question gets one, in
// its order.
func (w *DifferenceWriter) Leaf(d LeafDifference) error {
	w.out.line(differenceHead{uint64(d.Leaf.Node), d.Leaf.Index, d.Cell, d.Unmatched, d.Rows.N})
	w.out.bytes(d.Rows.Buf)
	return w.out.err
}

// Close ends the answer. It does not close what is written to.
func (w *DifferenceWriter) Close() error { return w.out.flush() }

// ReadDifferences reads the answer to q and calls fn for every leaf asked for,
// in order. What fn gets is valid until it returns. Counts are held against
// each other: as many rows must be common when counted from one side as from
// the other.
func ReadDifferences(r io.Reader, q CompareQuestion, fn func(asked int, d *LeafDifference) error) error {
	in := newReader(r)
	var head compareHead
	in.line(maxHead, &head)
	if in.err == nil {
		in.fail(head.check())
	}
	if in.err == nil && (head.Layout != q.Layout || head.Leaves != len(q.Leaves)) {
		in.fail(malformed("%d leaves of layout %d, asked were %d of %d", head.Leaves, head.Layout, len(q.Leaves), q.Layout))
	}
	d, total := &LeafDifference{}, 0
	for i := 0; i < len(q.Leaves) && in.err == nil; i++ {
		rows := d.read(in, q.Leaves[i])
		if total += rows; in.err == nil && total > MaxRowsCompared {
			in.fail(malformed("over %d rows", MaxRowsCompared))
		}
		for ; rows > 0 && in.err == nil; rows-- {
			d.Rows.Buf = append(append(d.Rows.Buf, in.text(maxLine)...), '\n')
			d.Rows.N++
			if len(d.Rows.Buf) > maxLeafBytes {
				in.fail(malformed("a leaf of over %d bytes", maxLeafBytes))
			}
		}
		if in.err == nil {
			if err := fn(i, d); err != nil {
				return err
			}
		}
	}
	return in.end()
}

// maxLeafBytes bounds the lines of one leaf.
const maxLeafBytes = 32 << 20

// read reads the head of one leaf's differences and returns how many lines
// follow.
func (d *LeafDifference) read(in *reader, asked LeafPrints) int {
	d.Rows.Reset()
	line := in.text(maxList)
	if in.err != nil {
		return 0
	}
	var h differenceHead
	if err := json.Unmarshal(line, &h); err != nil {
		in.fail(malformed("%v", err))
		return 0
	}
	d.Leaf, d.Cell, d.Unmatched = Leaf{Node(h.Node), h.Index}, h.Cell, h.Unmatched
	sent, unmatched := len(asked.Prints), len(h.Unmatched)
	switch {
	case d.Leaf != asked.Leaf:
		in.fail(malformed("leaf %d of node %d was not asked for", h.Index, h.Node))
	case !slices.IsSorted(h.Unmatched) || len(slices.Compact(h.Unmatched)) != unmatched ||
		unmatched > 0 && (h.Unmatched[0] < 0 || h.Unmatched[unmatched-1] >= sent):
		in.fail(malformed("indexes of leaf %d of node %d are not those sent, or not in order", h.Index, h.Node))
	case h.Rows < 0 || h.Rows > MaxRowsCompared || int64(sent-unmatched) != h.Cell.Count-int64(h.Rows):
		in.fail(malformed("counts of leaf %d of node %d contradict each other: %d sent, %d unmatched; %d there, %d listed",
			h.Index, h.Node, sent, unmatched, h.Cell.Count, h.Rows))
	}
	return h.Rows
}
