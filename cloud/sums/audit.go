package sums

import "tidemark/differ/summary"

// An Audit holds one part of what a store keeps against a Builder that has
// seen all rows.
type Audit struct {
	b     *Builder
	nodes *Nodes
	tail  *Tail
	seen  map[summary.Node]bool
	wrong int
}

// NewAudit begins an audit of the part of b: with the blob of nodes and its
// tail, and with the tail of the leaves, all of one moment.
func NewAudit(b *Builder, nodes *Nodes, tail *Tail) *Audit {
	return &Audit{b: b, nodes: nodes, tail: tail, seen: map[summary.Node]bool{}}
}

// Stored takes the blob of a node's leaves, and the batch that it was last
// folded with. A blob that cannot be read is wrong in all its leaves.
func (a *Audit) Stored(id summary.Node, folded uint64, blob []byte) {
	if !a.b.Has(id) {
		return
	}
	var c Cells
	if ParseCells(blob, &c) != nil {
		a.wrong++
		c = Cells{}
	}
	a.hold(id, folded, &c)
}

func (a *Audit) hold(id summary.Node, folded uint64, kept *Cells) {
	a.seen[id] = true
	a.tail.Apply(id, folded, kept)
	var is Cells
	a.b.Node(id, &is)
	n := is.Differ(kept)
	if n == 0 && a.nodes.Cell(id) != is.Sum() {
		n = 1 // the node alone
	}
	a.wrong += n
}

// Wrong is how many leaves were wrong, or nodes of leaves that were right.
func (a *Audit) Wrong() int {
	for _, ids := range [][]summary.Node{a.b.Nodes(), a.tail.Nodes(), a.nodes.ids()} {
		for _, id := range ids {
			if a.b.Has(id) && !a.seen[id] {
				a.hold(id, 0, new(Cells))
			}
		}
	}
	return a.wrong
}
