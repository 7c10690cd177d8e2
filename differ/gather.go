package differ

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"unsafe"

	"tidemark/differ/summary"
)

// gather compares when the rows of a leaf do not come together: of a hashed
// layout, or of a source that sorts otherwise than SQL Server. One read fills
// the cells of all leaves or, where those would be too many, of all nodes and
// a second one those of the leaves of differing nodes. The rows of differing
// leaves are then wanted.
func (t *tree) gather(ctx context.Context) error {
	all, err := t.cells(ctx, nil)
	if err != nil {
		return err
	}
	for _, n := range all.nodes {
		t.r.Source.Add(n.cell)
	}
	differing := all.differing(t)
	part := max(1, len(differing)) // nodes whose leaves fit the memory
	if all.cut {
		part = max(1, t.o.CellBytes/(gatheredBytes+leavesBytes))
		if reads := (len(differing) + part - 1) / part; reads > maxReads {
			return fmt.Errorf("%w: the leaves of %d differing nodes do not fit the memory", errManifest, len(differing))
		}
	}
	for some := range slices.Chunk(differing, part) {
		g := all
		if all.cut {
			only := map[summary.Node]bool{}
			for _, n := range some {
				only[n] = true
			}
			if g, err = t.cells(ctx, only); err != nil {
				return err
			}
			if g.cut {
				return fmt.Errorf("%w: the leaves of one node do not fit the memory", errManifest)
			}
		}
		for ask := range slices.Chunk(some, askNodes) {
			segments := make([]*segment, len(ask))
			for i, n := range ask {
				segments[i] = g.segment(n)
			}
			leaves, err := t.leavesOf(ctx, segments)
			if err != nil {
				return err
			}
			for leaf := range leaves {
				t.want(leaf)
			}
		}
	}
	return nil
}

// maxReads is how often the keys are read for what does not fit the memory at
// once, before manifests do better.
const maxReads = 3

// gathered are the source's nodes.
type gathered struct {
	nodes map[summary.Node]*gatheredNode
	bytes int
	cut   bool // there are no leaves
}

type gatheredNode struct {
	cell   summary.Cell
	leaves []summary.Cell // empty, or one for each of a node
}

const (
	gatheredBytes = int(unsafe.Sizeof(gatheredNode{})) + 64 // and its place in the map
	leavesBytes   = summary.LeavesPerNode * int(unsafe.Sizeof(summary.Cell{}))
)

// cells reads all keys. Of a second read, only the nodes given count.
func (t *tree) cells(ctx context.Context, only map[summary.Node]bool) (*gathered, error) {
	g := &gathered{nodes: map[summary.Node]*gatheredNode{}}
	first := only == nil
	err := t.read(ctx, "", func(string) {}, func(row *sourceRow) error {
		if first {
			t.r.Compared++
			if row.cell.Count == 0 {
				t.r.Later++
			}
		}
		if row.cell.Count == 0 || !first && !only[row.leaf.Node] {
			return nil
		}
		return g.add(row, t.o.CellBytes)
	})
	return g, err
}

func (g *gathered) add(row *sourceRow, bound int) error {
	n := g.nodes[row.leaf.Node]
	if n == nil {
		n = &gatheredNode{}
		g.nodes[row.leaf.Node] = n
		g.bytes += gatheredBytes
		if !g.cut {
			g.bytes += leavesBytes
		}
		if g.bytes > bound && !g.cut {
			g.cut, g.bytes = true, gatheredBytes*len(g.nodes)
			for _, n := range g.nodes {
				n.leaves = nil
			}
		}
		if g.bytes > bound {
			return fmt.Errorf("%w: over %d nodes", errManifest, len(g.nodes))
		}
		if !g.cut {
			n.leaves = make([]summary.Cell, summary.LeavesPerNode)
		}
	}
	n.cell.Add(row.cell)
	if !g.cut {
		n.leaves[row.leaf.Index].Add(row.cell)
	}
	return nil
}

// differing returns the nodes that differ from the cloud's, on either side.
func (g *gathered) differing(t *tree) []summary.Node {
	var differing []summary.Node
	for _, node := range slices.Sorted(maps.Keys(g.nodes)) {
		n := g.nodes[node]
		if n.cell.Cut(t.o.Width) == t.sum.Node(node).Cut(t.o.Width) {
			t.r.Matched += n.cell.Count
			t.accounted.Add(n.cell)
			continue
		}
		differing = append(differing, node)
	}
	for _, n := range t.sum.Nodes {
		if g.nodes[n.Node] == nil {
			differing = append(differing, n.Node)
		}
	}
	return differing
}

func (g *gathered) segment(node summary.Node) *segment {
	s := &segment{node: node}
	if n := g.nodes[node]; n != nil {
		s.cell = n.cell
		copy(s.cells[:], n.leaves)
	}
	return s
}

// listWanted reads the keys again and compares the leaves that are wanted, as
// many at a time as fit the buffer.
func (t *tree) listWanted(ctx context.Context) error {
	left := slices.SortedFunc(maps.Keys(t.wanted), summary.Leaf.Compare)
	for reads := 0; len(left) > 0; reads++ {
		if reads == maxReads {
			return fmt.Errorf("%w: the rows of %d differing leaves do not fit the memory", errManifest, len(left))
		}
		n, err := t.listSome(ctx, left)
		if err != nil {
			return err
		}
		left = left[n:]
	}
	return nil
}

// listSome compares the first of the leaves, and returns how many. When the
// buffer overflows, the later half of those collected is left for another
// read.
func (t *tree) listSome(ctx context.Context, leaves []summary.Leaf) (int, error) {
	t.rows.reset()
	cells := make(map[summary.Leaf]summary.Cell, len(leaves))
	for _, leaf := range leaves {
		cells[leaf] = summary.Cell{}
	}
	n := len(leaves)
	err := t.read(ctx, "", func(string) {}, func(row *sourceRow) error {
		cell, ok := cells[row.leaf]
		if !ok {
			return nil
		}
		if t.rows.size() > t.o.BufferBytes {
			if n == 1 {
				return fmt.Errorf("%w: one leaf does not fit the memory", errManifest)
			}
			for _, leaf := range leaves[n/2 : n] {
				delete(cells, leaf)
			}
			n /= 2
			t.rows.keep(cells)
			if cell, ok = cells[row.leaf]; !ok {
				return nil
			}
		}
		cell.Add(row.cell)
		cells[row.leaf] = cell
		t.rows.add(row)
		return nil
	})
	if err != nil {
		return 0, err
	}
	if err := t.compareLeaves(ctx, t.rows.pick(cells)); err != nil {
		return 0, err
	}
	t.rows.reset()
	return n, t.repair(ctx, &t.differing)
}
