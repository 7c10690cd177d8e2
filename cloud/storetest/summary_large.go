package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// testSummaryLarge has several nodes, and more batches than one fold takes.
func testSummaryLarge(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple, numbered(0, 70_000, 2, 1)...)
	if _, err := f.sums(t).Summarize(t.Context(), customer, table); err != nil {
		t.Fatal(err)
	}
	tree, _ := s.summed(t)
	if len(tree.Nodes) < 2 || tree.Leaves < 300 || tree.Leaves > 1200 || tree.Layout.Kind != summary.Ordered || tree.Layout.Rows != 70_000 {
		t.Errorf("%d nodes of %d leaves, %+v", len(tree.Nodes), tree.Leaves, tree.Layout)
	}
	for i := range 40 {
		s.delta(t, numbered(i*997, 40, 1327, uint64(100_000+i*1000))...) // half of them new, scattered
		s.delta(t, numbered(140_000+i*100, 50, 2, 1)...)
		if i%10 == 9 {
			s.remove(t, fmt.Sprintf(`["%d",%d]`, 100_000+i*1000, i*997))
			s.summed(t)
		}
		if i == 25 {
			if err := f.sums(t).Fold(t.Context(), customer, table); err != nil {
				t.Fatal(err)
			}
		}
	}
	after, _ := s.summed(t)
	if after.Layout != tree.Layout || after.Root == tree.Root {
		t.Errorf("the layout was %+v and is %+v", tree.Layout, after.Layout)
	}
}

// testSummaryConcurrent makes summaries, folds them and reads them while
// batches come.
func testSummaryConcurrent(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple, numbered(0, 5000, 3, 1)...)
	sums := f.sums(t)
	var stop atomic.Bool
	var wg sync.WaitGroup
	work := func(do func() error) {
		wg.Go(func() {
			for !stop.Load() {
				if err := do(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work(func() error { _, err := sums.Summarize(t.Context(), customer, table); return err })
	work(func() error { return ignore(sums.Fold(t.Context(), customer, table), wire.NoSummary) })
	work(func() error {
		tree, err := sums.Tree(t.Context(), customer, table)
		if err != nil {
			return ignore(err, wire.NoSummary)
		}
		_, err = sums.Leaves(t.Context(), customer, table, summary.LeavesQuestion{Layout: tree.Layout.Number, Width: 16, Nodes: []summary.Node{tree.Nodes[0].Node}})
		return ignore(err, wire.NoSummary, wire.LayoutChanged)
	})
	for i := range 60 {
		s.delta(t, numbered(i*10, 30, 7, uint64(10_000+i*100))...)
		s.remove(t, fmt.Sprintf(`["%d",%d]`, 10_000+i*100, i*10))
	}
	stop.Store(true)
	wg.Wait()
	if _, err := sums.Summarize(t.Context(), customer, table); err != nil {
		t.Fatal(err)
	}
	s.delta(t, numbered(7, 10, 11, 90_000)...)
	s.summed(t)
}

// ignore makes nil of problems with these codes.
func ignore(err error, codes ...wire.Code) error {
	for _, code := range codes {
		if isProblem(err, code) {
			return nil
		}
	}
	return err
}

// testLayoutDrifts fills the gaps between keys until leaves are too large.
func testLayoutDrifts(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple, numbered(0, 2000, 1000, 1)...)
	before, err := f.sums(t).Summarize(t.Context(), customer, table)
	if err != nil {
		t.Fatal(err)
	}
	s.delta(t, numbered(0, 30_000, 53, 5000)...)
	if err := f.sums(t).Fold(t.Context(), customer, table); err != nil {
		t.Fatal(err)
	}
	after, _ := s.summed(t)
	if after.Layout.Number <= before.Number || after.Layout.Shift >= before.Shift {
		t.Errorf("the layout was %+v and is %+v", before, after.Layout)
	}
}
