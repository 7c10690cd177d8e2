package sums

import (
	"errors"
	"maps"
	"slices"

	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// ErrParts is the error of a Builder that would hold too much: more parts are
// needed.
var ErrParts = errors.New("the leaves of a table are too many for one pass")

// maxCells bounds what a Builder holds: 64 MiB, leaves of some 2 * 10^8 rows.
const maxCells = 1 << 21

// Parts is in how many passes over its rows a table should be summed up.
func Parts(rows int64) int { return 1 + int(rows/(64*maxCells)) }

// A Builder sums up rows that come in any order. It holds the leaves of one
// part of the nodes, and passes the rows of others by.
type Builder struct {
	bucket      *summary.Bucketer
	hash        *summary.Hasher
	anchors     bool
	part, parts int
	limit       int
	nodes       map[summary.Node]*built
	last        *built
	lastID      summary.Node
	cells       int
}

type built struct {
	anchor []byte
	leaves []LeafChange // by index
}

// NewBuilder returns the builder of a part of a layout, from 0.
func NewBuilder(l summary.Layout, types []wire.Type, s summary.Secret, part, parts int) (*Builder, error) {
	bucket, err := summary.NewBucketer(l, types, s)
	if err != nil {
		return nil, err
	}
	return &Builder{bucket: bucket, hash: summary.NewHasher(s, l.Number), anchors: !l.Counted(types),
		part: part, parts: parts, limit: maxCells, nodes: map[summary.Node]*built{}}, nil
}

// Has tells whether a node is one of the part.
func (b *Builder) Has(id summary.Node) bool {
	return b.parts == 1 || int((uint64(id)*0x9e3779b97f4a7c15>>32)%uint64(b.parts)) == b.part
}

// Add takes a row in.
func (b *Builder) Add(r summary.Row) error {
	leaf, err := b.bucket.Leaf(r.Key)
	if err != nil {
		return err
	}
	if b.last == nil || b.lastID != leaf.Node {
		if !b.Has(leaf.Node) {
			return nil
		}
		n := b.nodes[leaf.Node]
		if n == nil {
			n = new(built)
			if b.anchors {
				if n.anchor, err = b.bucket.AppendAnchor(nil, r.Key); err != nil {
					return err
				}
			}
			b.nodes[leaf.Node] = n
		}
		b.last, b.lastID = n, leaf.Node
	}
	c, isNew := b.last.leaf(leaf.Index)
	c.Add(b.hash.Row(r.Key, r.Epoch, r.Version))
	if isNew {
		if b.cells++; b.cells > b.limit {
			return ErrParts
		}
	}
	return nil
}

func (n *built) leaf(index uint8) (c *summary.Cell, isNew bool) {
	if last := len(n.leaves) - 1; last >= 0 && n.leaves[last].Index == index {
		return &n.leaves[last].Cell, false
	}
	at, ok := slices.BinarySearchFunc(n.leaves, index, func(l LeafChange, index uint8) int { return int(l.Index) - int(index) })
	if !ok {
		n.leaves = slices.Insert(n.leaves, at, LeafChange{Index: index})
	}
	return &n.leaves[at].Cell, !ok
}

// Nodes are the ids of the nodes that have rows, in ascending order.
func (b *Builder) Nodes() []summary.Node { return slices.Sorted(maps.Keys(b.nodes)) }

// Node gives the leaves of a node, none for one that has no rows, and its
// anchor.
func (b *Builder) Node(id summary.Node, into *Cells) (anchor []byte) {
	*into = Cells{}
	n := b.nodes[id]
	if n == nil {
		return nil
	}
	for _, l := range n.leaves {
		into[l.Index] = l.Cell
	}
	return n.anchor
}

// Choose samples keys and returns the layout that suits them. Keys calls its
// argument with an even sample of the table's keys, which has that many rows.
func Choose(types []wire.Type, number uint64, epoch, rows int64, keys func(func(key []byte) error) error) (summary.Layout, error) {
	s := summary.NewSampler(types, number)
	seen := int64(0)
	if err := keys(func(key []byte) error {
		seen++
		return s.Add(key)
	}); err != nil {
		return summary.Layout{}, err
	}
	for ; seen < rows; seen++ {
		s.Skip()
	}
	return s.Layout(number, epoch), nil
}

// SampleSize is how many keys Choose makes good use of.
const SampleSize = 1 << 16
