package summary

import (
	"io"
	"math/bits"
)

// A LeavesQuestion asks for the leaves of nodes, in ascending order.
type LeavesQuestion struct {
	Layout uint64 // number
	Width  int    // of the sums in the answer, 1 to MaxWidth
	Nodes  []Node
}

// NodeLeaves are a node's leaves, empty ones with the zero Cell, and the node
// itself with its whole sum.
type NodeLeaves struct {
	Node  Node
	Cell  Cell
	Cells [LeavesPerNode]Cell
}

// LeavesAnswer answers a LeavesQuestion, node for node, from one moment.
type LeavesAnswer struct {
	Layout uint64
	Width  int
	Nodes  []NodeLeaves
}

type leavesHead struct {
	Protocol int    `json:"v"`
	Layout   uint64 `json:"layout"`
	Width    int    `json:"width"`
	Nodes    int    `json:"nodes"`
}

func (h leavesHead) check() error {
	switch {
	case h.Protocol != Protocol:
		return otherProtocol(h.Protocol)
	case h.Width < 1 || h.Width > MaxWidth:
		return malformed("sums of %d bytes", h.Width)
	case h.Nodes < 1 || h.Nodes > MaxNodesAsked:
		return malformed("leaves of %d nodes, not 1 to %d", h.Nodes, MaxNodesAsked)
	}
	return nil
}

// WriteLeavesQuestion writes q.
func WriteLeavesQuestion(w io.Writer, q LeavesQuestion) error {
	out := newWriter(w)
	out.line(leavesHead{Protocol, q.Layout, q.Width, len(q.Nodes)})
	id := uint64(0)
	for _, n := range q.Nodes {
		out.uvarint(uint64(n) - id)
		id = uint64(n)
	}
	return out.flush()
}

// ReadLeavesQuestion reads what WriteLeavesQuestion wrote.
func ReadLeavesQuestion(r io.Reader) (LeavesQuestion, error) {
	in := newReader(r)
	head := readLeavesHead(in)
	q := LeavesQuestion{Layout: head.Layout, Width: head.Width}
	id := uint64(0)
	for i := 0; i < head.Nodes && in.err == nil; i++ {
		id = in.gap(id, i == 0)
		q.Nodes = append(q.Nodes, Node(id))
	}
	return q, in.end()
}

func readLeavesHead(in *reader) (head leavesHead) {
	in.line(maxHead, &head)
	if in.err == nil {
		in.fail(head.check())
	}
	if in.err != nil {
		return leavesHead{}
	}
	return head
}

// WriteLeaves writes a, whose sums are whole or cut already.
func WriteLeaves(w io.Writer, a *LeavesAnswer) error {
	out := newWriter(w)
	out.line(leavesHead{Protocol, a.Layout, a.Width, len(a.Nodes)})
	id := uint64(0)
	for i := range a.Nodes {
		n := &a.Nodes[i]
		out.uvarint(uint64(n.Node) - id)
		id = uint64(n.Node)
		out.uvarint(uint64(n.Cell.Count))
		out.sum(n.Cell, MaxWidth)
		n.write(out, a.Width)
	}
	return out.flush()
}

// write writes which leaves are there, their counts and their sums.
func (n *NodeLeaves) write(out *writer, width int) {
	var there [LeavesPerNode / 8]byte
	for i, c := range n.Cells {
		if c.Count != 0 {
			there[i/8] |= 1 << (i % 8)
		}
	}
	out.bytes(there[:])
	count := int64(0)
	for _, c := range n.Cells {
		if c.Count != 0 {
			out.varint(c.Count - count)
			count = c.Count
		}
	}
	for _, c := range n.Cells {
		if c.Count != 0 {
			out.sum(c, width)
		}
	}
}

// ReadLeaves reads what WriteLeaves wrote, in answer to q: the nodes asked
// for, and leaves that add up to them.
func ReadLeaves(r io.Reader, q LeavesQuestion) (*LeavesAnswer, error) {
	in := newReader(r)
	head := readLeavesHead(in)
	if in.err == nil && (head.Layout != q.Layout || head.Width != q.Width || head.Nodes != len(q.Nodes)) {
		in.fail(malformed("%d nodes of layout %d and width %d, asked were %d of %d and %d",
			head.Nodes, head.Layout, head.Width, len(q.Nodes), q.Layout, q.Width))
	}
	if in.err != nil {
		return nil, in.err
	}
	a := &LeavesAnswer{Layout: head.Layout, Width: head.Width, Nodes: make([]NodeLeaves, len(q.Nodes))}
	id := uint64(0)
	for i := range a.Nodes {
		n := &a.Nodes[i]
		id += in.uvarint()
		if n.Node = Node(id); in.err == nil && n.Node != q.Nodes[i] {
			in.fail(malformed("node %d was not asked for", id))
		}
		rows := in.uvarint()
		if in.err == nil && rows > maxRowsOfCell {
			in.fail(malformed("a node of %d rows", rows))
		}
		n.Cell = in.sum(MaxWidth)
		n.Cell.Count = int64(rows)
		n.read(in, a.Width)
		if in.err != nil {
			return nil, in.err
		}
	}
	return a, in.end()
}

func (n *NodeLeaves) read(in *reader, width int) {
	var there [LeavesPerNode / 8]byte
	leaves := 0
	for i := range there {
		there[i] = in.byte()
		leaves += bits.OnesCount8(there[i])
	}
	count := int64(0)
	for i := range n.Cells {
		if there[i/8]&(1<<(i%8)) != 0 {
			count = in.count(count)
			n.Cells[i].Count = count
		}
	}
	var sum Cell
	for i := range n.Cells {
		if c := &n.Cells[i]; c.Count != 0 {
			s := in.sum(width)
			c.Hi, c.Lo = s.Hi, s.Lo
			sum.Add(*c)
		}
	}
	if in.err == nil && sum.Cut(width) != n.Cell.Cut(width) {
		in.fail(malformed("%d leaves do not add up to node %d: %s and %s", leaves, n.Node, sum.Cut(width), n.Cell.Cut(width)))
	}
}
