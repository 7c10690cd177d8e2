package sums

import (
	"encoding/binary"
	"maps"
	"slices"

	"tidemark/differ/summary"
)

// Nodes are the nodes of a table: the blob, and what of the log was added.
type Nodes struct {
	cells map[summary.Node]nodeSum
}

type nodeSum struct {
	cell   summary.Cell
	leaves int // that are not empty, when they were last folded
}

// ParseNodes reads a blob of nodes; an empty one has none.
func ParseNodes(blob []byte) (*Nodes, error) {
	n := &Nodes{cells: map[summary.Node]nodeSum{}}
	if len(blob) == 0 {
		return n, nil
	}
	r := open(blob)
	var id summary.Node
	for first := true; r.more(); first = false {
		id = r.node(id, r.uvarint(), first)
		count, leaves := r.varint(), r.uvarint()
		cell := r.sum(count)
		if leaves > summary.LeavesPerNode || len(n.cells) >= summary.MaxNodes {
			return nil, ErrBlob
		}
		n.cells[id] = nodeSum{cell, int(leaves)}
	}
	return n, r.end()
}

// Append appends the blob.
func (n *Nodes) Append(dst []byte) []byte {
	dst = append(dst, form)
	last := summary.Node(0)
	for _, id := range n.ids() {
		s := n.cells[id]
		dst = binary.AppendUvarint(dst, uint64(id-last))
		dst = binary.AppendVarint(dst, s.cell.Count)
		dst = binary.AppendUvarint(dst, uint64(s.leaves))
		dst = appendSum(dst, s.cell)
		last = id
	}
	return dst
}

// Add adds an entry of the log.
func (n *Nodes) Add(entry []byte) error {
	return ReadEntry(entry, func(c Change) {
		s := n.cells[c.Node]
		for _, l := range c.Leaves {
			s.cell.Add(l.Cell)
		}
		n.set(c.Node, s)
	})
}

// SetLeaves notes how many leaves a node has.
func (n *Nodes) SetLeaves(id summary.Node, leaves int) {
	s, ok := n.cells[id]
	if !ok && leaves == 0 {
		return
	}
	s.leaves = leaves
	n.set(id, s)
}

// Put takes the leaves of a node in as they are.
func (n *Nodes) Put(id summary.Node, c *Cells) {
	var s nodeSum
	for _, cell := range c {
		if cell != (summary.Cell{}) {
			s.leaves++
			s.cell.Add(cell)
		}
	}
	n.set(id, s)
}

func (n *Nodes) set(id summary.Node, s nodeSum) {
	if s.cell == (summary.Cell{}) {
		delete(n.cells, id)
	} else {
		n.cells[id] = s
	}
}

// Cell is the cell of a node.
func (n *Nodes) Cell(id summary.Node) summary.Cell { return n.cells[id].cell }

func (n *Nodes) ids() []summary.Node { return slices.Sorted(maps.Keys(n.cells)) }

// Leaves is how many leaves are not empty, when they were last folded.
func (n *Nodes) Leaves() int64 {
	total := int64(0)
	for _, s := range n.cells {
		total += int64(s.leaves)
	}
	return total
}

// Tree returns the summary with whole sums. How many leaves there are is as of
// the last fold, but never fewer than the nodes need. The error is ErrBlob
// when a cell cannot be one of rows.
func (n *Nodes) Tree(l summary.Layout) (*summary.Tree, error) {
	t := &summary.Tree{Layout: l, Width: summary.MaxWidth, Nodes: make([]summary.NodeCell, 0, len(n.cells))}
	for _, id := range n.ids() {
		s := n.cells[id]
		if s.cell.Count <= 0 {
			return nil, ErrBlob
		}
		t.Root.Add(s.cell)
		t.Nodes = append(t.Nodes, summary.NodeCell{Node: id, Cell: s.cell})
		t.Leaves += min(max(int64(s.leaves), 1), s.cell.Count)
	}
	return t, nil
}
