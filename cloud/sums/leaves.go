package sums

import "tidemark/differ/summary"

// Leaves gathers the answer to a question for the leaves of nodes.
type Leaves struct {
	tail   *Tail
	at     map[summary.Node]int
	folded []uint64
	answer summary.LeavesAnswer
}

// NewLeaves begins an answer, of nodes without a row so far. The tail is that
// of their log.
func NewLeaves(q summary.LeavesQuestion, tail *Tail) *Leaves {
	l := &Leaves{tail: tail, at: make(map[summary.Node]int, len(q.Nodes)), folded: make([]uint64, len(q.Nodes)),
		answer: summary.LeavesAnswer{Layout: q.Layout, Width: summary.MaxWidth, Nodes: make([]summary.NodeLeaves, len(q.Nodes))}}
	for i, n := range q.Nodes {
		l.answer.Nodes[i].Node, l.at[n] = n, i
	}
	return l
}

// Stored takes the blob of a node's leaves, and the batch that it was last
// folded with. Nodes that were not asked for are passed over.
func (l *Leaves) Stored(id summary.Node, folded uint64, blob []byte) error {
	i, asked := l.at[id]
	if !asked {
		return nil
	}
	l.folded[i] = folded
	return ParseCells(blob, (*Cells)(&l.answer.Nodes[i].Cells))
}

// Answer is what was asked for, once all that is stored has been taken.
func (l *Leaves) Answer() *summary.LeavesAnswer {
	for i := range l.answer.Nodes {
		n := &l.answer.Nodes[i]
		l.tail.Apply(n.Node, l.folded[i], (*Cells)(&n.Cells))
		n.Cell = (*Cells)(&n.Cells).Sum()
	}
	return &l.answer
}
