package sums

import (
	"maps"
	"slices"

	"tidemark/differ/summary"
)

// A Tail holds entries of the log, to be added to leaves.
type Tail struct {
	only  map[summary.Node]bool // nil: all
	nodes map[summary.Node]*tailNode
}

type tailNode struct {
	anchor  []byte
	changes []tailChange
}

type tailChange struct {
	seq   uint64
	index uint8
	cell  summary.Cell
}

// NewTail returns an empty tail, for these nodes or, when there are none, for
// all.
func NewTail(only ...summary.Node) *Tail {
	t := &Tail{nodes: map[summary.Node]*tailNode{}}
	if len(only) > 0 {
		t.only = map[summary.Node]bool{}
		for _, n := range only {
			t.only[n] = true
		}
	}
	return t
}

// Add adds the entry of a batch, given by its number. Entries come in
// ascending order.
func (t *Tail) Add(seq uint64, entry []byte) error {
	return ReadEntry(entry, func(c Change) {
		if t.only != nil && !t.only[c.Node] {
			return
		}
		n := t.nodes[c.Node]
		if n == nil {
			n = new(tailNode)
			t.nodes[c.Node] = n
		}
		if n.anchor == nil && c.Anchor != nil {
			n.anchor = slices.Clone(c.Anchor)
		}
		for _, l := range c.Leaves {
			n.changes = append(n.changes, tailChange{seq, l.Index, l.Cell})
		}
	})
}

// Nodes are the ids of the nodes that change, in ascending order.
func (t *Tail) Nodes() []summary.Node { return slices.Sorted(maps.Keys(t.nodes)) }

// Anchor is the anchor of a node, where an entry has it.
func (t *Tail) Anchor(id summary.Node) []byte {
	if n := t.nodes[id]; n != nil {
		return n.anchor
	}
	return nil
}

// Apply adds to the leaves of a node what is behind the batch that they were
// last folded with.
func (t *Tail) Apply(id summary.Node, folded uint64, c *Cells) {
	n := t.nodes[id]
	if n == nil {
		return
	}
	for _, change := range n.changes {
		if change.seq > folded {
			c[change.index].Add(change.cell)
		}
	}
}

// Bounds of the tails, in bytes of the log.
const (
	leastNodesTail  = 40 << 10
	leastLeavesTail = 64 << 10
	mostLeavesTail  = 16 << 20 // what a fold holds in memory
	nodesRatio      = 4        // of the tail to the blob of nodes
	leavesRatio     = 5        // of the tail to half of the leaves
	leafSize        = 18
	entryOverhead   = 64 // of a store, for a row
)

// Weight is what an entry counts for in Mark.Logged.
func Weight(entry []byte) int64 {
	if entry == nil {
		return 0
	}
	return int64(len(entry)) + entryOverhead
}

// NodesDue tells whether the nodes, of blob bytes, should be folded with a
// tail of that many bytes.
func NodesDue(tail int64, blob int) bool {
	return tail >= max(leastNodesTail, nodesRatio*int64(blob))
}

// LeavesDue tells whether the leaves should be folded with a tail of that many
// bytes. Soon says that somebody will ask for leaves, and read the tail.
func LeavesDue(tail, leaves int64, soon bool) bool {
	bound := leafSize * leaves * leavesRatio / 2
	if soon {
		bound = leafSize * leaves / 4
	}
	return tail >= min(max(leastLeavesTail, bound), mostLeavesTail)
}

// LookEvery is how many bytes a table's log grows by until it is worth a look
// whether to fold.
const LookEvery = 8 << 10
