package summary

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// A NodeCell is a node and its cell.
type NodeCell struct {
	Node Node
	Cell Cell
}

// A Tree is the answer to a question for a summary: the root, and the nodes
// that are not empty, in ascending order. Their sums are cut to Width bytes;
// with Width 0 there are no nodes. The root is whole, and is the ETag.
//
// Cut sums cannot hide a difference for good: what they show must account for
// the root, or the agent asks for whole ones.
type Tree struct {
	Layout Layout
	Root   Cell
	Leaves int64 // that are not empty
	Width  int   // 0 to MaxWidth
	Nodes  []NodeCell
}

// ETag identifies the rows, and the way in which they were summed up.
func (t *Tree) ETag() string {
	return fmt.Sprintf(`"%d-%d-%d-%s"`, t.Layout.Number, t.Layout.Epoch, t.Width, t.Root)
}

type treeHead struct {
	Protocol int    `json:"v"`
	Layout   Layout `json:"layout"`
	Root     Cell   `json:"root"`
	Leaves   int64  `json:"leaves"`
	Width    int    `json:"width"`
	Nodes    int    `json:"nodes"`
}

// WriteTree writes t, whose nodes have whole sums or such as are cut already.
func WriteTree(w io.Writer, t *Tree) error {
	out := newWriter(w)
	head := treeHead{Protocol, t.Layout, t.Root, t.Leaves, t.Width, len(t.Nodes)}
	if t.Width == 0 {
		head.Nodes = 0
	}
	out.line(head)
	writeCells(out, t.Nodes[:head.Nodes], t.Width)
	return out.flush()
}

// writeCells writes ids, counts and sums one behind the other: like beside
// like compresses.
func writeCells(out *writer, cells []NodeCell, width int) {
	id, count := uint64(0), int64(0)
	for _, c := range cells {
		out.uvarint(uint64(c.Node) - id)
		id = uint64(c.Node)
	}
	for _, c := range cells {
		out.varint(c.Cell.Count - count)
		count = c.Cell.Count
	}
	for _, c := range cells {
		out.sum(c.Cell, width)
	}
}

func readCells(in *reader, n, width int) []NodeCell {
	cells := make([]NodeCell, 0, min(n, 4096)) // what is announced need not come
	id := uint64(0)
	for i := 0; i < n && in.err == nil; i++ {
		id = in.gap(id, i == 0)
		cells = append(cells, NodeCell{Node: Node(id)})
	}
	count := int64(0)
	for i := range cells {
		count = in.count(count)
		cells[i].Cell.Count = count
	}
	for i := range cells {
		sum := in.sum(width)
		cells[i].Cell.Hi, cells[i].Cell.Lo = sum.Hi, sum.Lo
	}
	return cells
}

// ReadTree reads what WriteTree wrote. That nodes add up to the root is
// checked; that the layout fits the key is left to NewBucketer.
func ReadTree(r io.Reader) (*Tree, error) {
	in := newReader(r)
	var head treeHead
	in.line(maxHead, &head)
	if in.err == nil {
		in.fail(checkTreeHead(head))
	}
	if in.err != nil {
		return nil, in.err
	}
	t := &Tree{Layout: head.Layout, Root: head.Root, Leaves: head.Leaves, Width: head.Width}
	t.Nodes = readCells(in, head.Nodes, head.Width)
	if err := in.end(); err != nil {
		return nil, err
	}
	return t, t.Check()
}

func checkTreeHead(h treeHead) error {
	switch {
	case h.Protocol != Protocol:
		return otherProtocol(h.Protocol)
	case h.Width < 0 || h.Width > MaxWidth:
		return malformed("sums of %d bytes", h.Width)
	case h.Nodes < 0 || h.Nodes > MaxNodes || h.Nodes > 0 && h.Width == 0:
		return malformed("%d nodes", h.Nodes)
	}
	return nil
}

// Check reports what in the tree contradicts itself.
func (t *Tree) Check() error {
	switch {
	case t.Root.Count < 0 || t.Root.Count > maxRowsOfCell:
		return malformed("a root of %d rows", t.Root.Count)
	case t.Leaves < int64(len(t.Nodes)) || t.Leaves > t.Root.Count,
		t.Width > 0 && t.Leaves > int64(len(t.Nodes))*LeavesPerNode:
		return malformed("%d leaves in %d nodes of %d rows", t.Leaves, len(t.Nodes), t.Root.Count)
	case t.Width == 0:
		return nil
	}
	var sum Cell
	for _, n := range t.Nodes {
		sum.Add(n.Cell)
	}
	if sum.Cut(t.Width) != t.Root.Cut(t.Width) {
		return malformed("nodes do not add up to the root: %s and %s", sum.Cut(t.Width), t.Root.Cut(t.Width))
	}
	return nil
}

// Node returns a node's cell, the zero Cell for one that is empty.
func (t *Tree) Node(n Node) Cell {
	at, ok := slices.BinarySearchFunc(t.Nodes, n, func(c NodeCell, n Node) int { return cmp.Compare(c.Node, n) })
	if !ok {
		return Cell{}
	}
	return t.Nodes[at].Cell
}
