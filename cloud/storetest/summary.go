package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/cloud"
	"tidemark/differ/summary"
	"tidemark/internal/canon"
)

// A folder is a store whose upkeep can be done when the test wants it.
type folder interface {
	cloud.Summaries
	Fold(ctx context.Context, customer, table string) error
}

func (f *fixture) sums(t *testing.T) folder {
	t.Helper()
	s, ok := f.Store.(folder)
	if !ok {
		t.Fatalf("%T keeps no summaries", f.Store)
	}
	return s
}

func (s *site) secret(t *testing.T) (secret summary.Secret) {
	t.Helper()
	got, err := s.f.Table(t.Context(), s.customer, s.table)
	if err == nil {
		err = secret.UnmarshalText([]byte(got.Secret))
	}
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// A reckoning is a summary that is made of the rows, beside the store.
type reckoning struct {
	root  summary.Cell
	nodes map[summary.Node]summary.Cell
	cells map[summary.Leaf]summary.Cell
	rows  map[summary.Leaf][]summary.Row
}

// reckon makes the summary of a layout from the rows that the store has.
func (s *site) reckon(t *testing.T, l summary.Layout) reckoning {
	t.Helper()
	secret := s.secret(t)
	b, err := summary.NewBucketer(l, s.schema.KeyTypes(), secret)
	if err != nil {
		t.Fatal(err)
	}
	h := summary.NewHasher(secret, l.Number)
	r := reckoning{nodes: map[summary.Node]summary.Cell{}, cells: map[summary.Leaf]summary.Cell{}, rows: map[summary.Leaf][]summary.Row{}}
	err = s.f.Rows(t.Context(), s.customer, s.table, func(row cloud.Row) error {
		var key [][]byte
		for _, i := range s.schema.KeyIndexes() {
			key = append(key, row.Values[i])
		}
		k, err := canon.Key(nil, s.schema.KeyTypes(), key)
		if err != nil {
			return err
		}
		leaf, err := b.Leaf(k)
		if err != nil {
			return err
		}
		if row.Epoch == 0 {
			row.Epoch = l.Epoch
		}
		cell := h.Row(k, row.Epoch, row.Version)
		node, c := r.nodes[leaf.Node], r.cells[leaf]
		node.Add(cell)
		c.Add(cell)
		r.nodes[leaf.Node], r.cells[leaf] = node, c
		r.root.Add(cell)
		r.rows[leaf] = append(r.rows[leaf], summary.Row{Key: k, Epoch: row.Epoch, Version: row.Version})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// summed holds the summary that the store keeps against its rows, and returns
// it.
func (s *site) summed(t *testing.T) (*summary.Tree, reckoning) {
	t.Helper()
	sums := s.f.sums(t)
	tree, err := sums.Tree(t.Context(), s.customer, s.table)
	if err != nil {
		t.Fatalf("Tree: %v", err)
	}
	if err := tree.Check(); err != nil {
		t.Fatal(err)
	}
	want := s.reckon(t, tree.Layout)
	nodes := map[summary.Node]summary.Cell{}
	q := summary.LeavesQuestion{Layout: tree.Layout.Number, Width: summary.MaxWidth}
	for _, n := range tree.Nodes {
		nodes[n.Node] = n.Cell
		q.Nodes = append(q.Nodes, n.Node)
	}
	if d := cmp.Diff(want.nodes, nodes); d != "" || tree.Root != want.root || tree.Width != summary.MaxWidth {
		t.Fatalf("nodes of %+v: %s", tree.Layout, d)
	}
	if len(q.Nodes) == 0 {
		return tree, want
	}
	a, err := sums.Leaves(t.Context(), s.customer, s.table, q)
	if err != nil {
		t.Fatalf("Leaves: %v", err)
	}
	cells := map[summary.Leaf]summary.Cell{}
	for i, n := range a.Nodes {
		if n.Node != q.Nodes[i] || n.Cell != want.nodes[n.Node] {
			t.Fatalf("node %d: %+v", i, n.Cell)
		}
		for at, c := range n.Cells {
			if c != (summary.Cell{}) {
				cells[summary.Leaf{Node: n.Node, Index: uint8(at)}] = c
			}
		}
	}
	if d := cmp.Diff(want.cells, cells); d != "" {
		t.Fatalf("leaves of %+v: %s", tree.Layout, d)
	}
	return tree, want
}

// numbered are rows of the simple schema, their keys step apart.
func numbered(first, n, step int, version uint64) []string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf(`["%d",%d,"x"]`, version+uint64(i), first+i*step)
	}
	return rows
}
