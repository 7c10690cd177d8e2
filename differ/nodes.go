package differ

import (
	"context"
	"fmt"
	"slices"

	"tidemark/differ/summary"
)

// quarter is the rule when to go on by manifests: more than a quarter of the
// leaves differ. Below fewLeaves it does not matter.
func (t *tree) quarter(more int) error {
	const fewLeaves = 64
	t.r.Leaves += int64(more)
	if t.r.Leaves > max(fewLeaves, t.sum.Leaves/4) {
		return fmt.Errorf("%w: %d of %d leaves differ", errManifest, t.r.Leaves, t.sum.Leaves)
	}
	return nil
}

// compareNodes asks for the leaves of differing nodes, which are in any order,
// and compares those whose rows are in the buffer. The others are wanted.
func (t *tree) compareNodes(ctx context.Context, nodes []*segment) error {
	differing, err := t.leavesOf(ctx, nodes)
	if err != nil {
		return err
	}
	dropped := map[summary.Node]bool{}
	for _, n := range nodes {
		dropped[n.node] = n.dropped
	}
	for leaf := range differing {
		if dropped[leaf.Node] {
			t.want(leaf)
			delete(differing, leaf)
		}
	}
	return t.compareLeaves(ctx, t.rows.pick(differing))
}

func (t *tree) want(leaf summary.Leaf) {
	if t.wanted == nil {
		t.wanted = map[summary.Leaf]bool{}
	}
	t.wanted[leaf] = true
}

// leavesOf returns the differing leaves of differing nodes with the source's
// cells. A node whose leaves are all equal in what is left of their sums is
// asked for a second time, with whole ones.
func (t *tree) leavesOf(ctx context.Context, nodes []*segment) (map[summary.Leaf]summary.Cell, error) {
	slices.SortFunc(nodes, func(a, b *segment) int { return summary.Leaf{Node: a.node}.Compare(summary.Leaf{Node: b.node}) })
	t.r.Nodes += int64(len(nodes))
	differing := map[summary.Leaf]summary.Cell{}
	again, err := t.askLeaves(ctx, nodes, t.o.Width, differing)
	if err == nil && len(again) > 0 && t.o.Width < summary.MaxWidth {
		_, err = t.askLeaves(ctx, again, summary.MaxWidth, differing)
	}
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		for i, c := range n.cells {
			if _, ok := differing[summary.Leaf{Node: n.node, Index: uint8(i)}]; !ok {
				t.r.Matched += c.Count
				t.accounted.Add(c)
			}
		}
	}
	return differing, t.quarter(len(differing))
}

// askLeaves adds the differing leaves to differing, and returns the nodes
// that have none.
func (t *tree) askLeaves(ctx context.Context, nodes []*segment, width int, differing map[summary.Leaf]summary.Cell) (none []*segment, err error) {
	q := summary.LeavesQuestion{Layout: t.sum.Layout.Number, Width: width}
	for _, n := range nodes {
		q.Nodes = append(q.Nodes, n.node)
	}
	a, err := t.cloud.Leaves(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(a.Nodes) != len(nodes) {
		return nil, fmt.Errorf("%w: %d nodes asked, %d answered", summary.ErrMessage, len(nodes), len(a.Nodes))
	}
	for i, n := range nodes {
		found := len(differing)
		for j, ours := range n.cells {
			if ours.Cut(width) != a.Nodes[i].Cells[j].Cut(width) {
				differing[summary.Leaf{Node: n.node, Index: uint8(j)}] = ours
			}
		}
		if len(differing) == found {
			none = append(none, n)
		}
	}
	return none, nil
}
