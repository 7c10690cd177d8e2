package summary

import (
	"slices"

	"tidemark/internal/wire"
)

// A Row is one state of one row, as a summary sees it.
type Row struct {
	Key     []byte // canonical
	Epoch   int64  // number of the epoch of the batch that last touched it
	Version uint64 // row version
}

// Deltas collects what a batch changes in a table's summary, from the rows
// that the store replaced, deleted or added. It is for one goroutine and one
// layout.
type Deltas struct {
	bucket  *Bucketer
	hash    *Hasher
	layout  Layout
	leaves  map[Leaf]Cell
	anchors map[Node][]byte
	root    Cell
}

// NewDeltas returns an empty collection.
func NewDeltas(l Layout, types []wire.Type, s Secret) (*Deltas, error) {
	b, err := NewBucketer(l, types, s)
	if err != nil {
		return nil, err
	}
	d := &Deltas{bucket: b, hash: NewHasher(s, l.Number), layout: l, leaves: map[Leaf]Cell{}}
	if !b.counted {
		d.anchors = map[Node][]byte{}
	}
	return d, nil
}

// Add takes a row in that is there from now on.
func (d *Deltas) Add(r Row) error { return d.change(r, (*Cell).Add) }

// Remove takes a row out as it was: in the row version and epoch that the
// store itself read, never those that the agent claims.
func (d *Deltas) Remove(r Row) error { return d.change(r, (*Cell).Sub) }

func (d *Deltas) change(r Row, how func(*Cell, Cell)) error {
	leaf, err := d.bucket.Leaf(r.Key)
	if err != nil {
		return err
	}
	row := d.hash.Row(r.Key, r.Epoch, r.Version)
	c := d.leaves[leaf]
	how(&c, row)
	d.leaves[leaf] = c
	how(&d.root, row)
	if d.anchors != nil && d.anchors[leaf.Node] == nil {
		anchor, err := d.bucket.AppendAnchor(nil, r.Key)
		if err != nil {
			return err
		}
		d.anchors[leaf.Node] = anchor
	}
	return nil
}

// A LeafDelta is what one leaf changes by.
type LeafDelta struct {
	Leaf
	Cell
}

// Leaves returns the leaves that change, in the order of Leaf.Compare.
func (d *Deltas) Leaves() []LeafDelta {
	all := make([]LeafDelta, 0, len(d.leaves))
	for leaf, c := range d.leaves {
		if c != (Cell{}) {
			all = append(all, LeafDelta{leaf, c})
		}
	}
	slices.SortFunc(all, func(a, b LeafDelta) int { return a.Leaf.Compare(b.Leaf) })
	return all
}

// A NodeDelta is what one node changes by. Anchor is nil where the layout is
// Counted.
type NodeDelta struct {
	Node
	Cell
	Anchor []byte
}

// Nodes returns the nodes of the leaves that change, in ascending order of
// their ids.
func (d *Deltas) Nodes() []NodeDelta {
	var all []NodeDelta
	for _, l := range d.Leaves() { // of one node together
		if len(all) == 0 || all[len(all)-1].Node != l.Node {
			all = append(all, NodeDelta{Node: l.Node, Anchor: d.anchors[l.Node]})
		}
		all[len(all)-1].Cell.Add(l.Cell)
	}
	return all
}

// Root is what the root changes by.
func (d *Deltas) Root() Cell { return d.root }

// Reset empties the collection and keeps its memory.
func (d *Deltas) Reset() {
	clear(d.leaves)
	clear(d.anchors)
	d.root = Cell{}
}
