package storetest

import (
	"errors"
	"testing"

	"tidemark/cloud"
	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

func isProblem(err error, code wire.Code) bool {
	var p *wire.Problem
	return errors.As(err, &p) && p.Code == code
}

// testSummaryAbsent asks for what is not there.
func testSummaryAbsent(t *testing.T, f *fixture) {
	sums, ctx := f.sums(t), t.Context()
	want := func(code wire.Code, number uint64) {
		t.Helper()
		_, err := sums.Tree(ctx, customer, table)
		_, err2 := sums.Leaves(ctx, customer, table, summary.LeavesQuestion{Layout: number, Width: 16, Nodes: []summary.Node{1}})
		err3 := sums.Differences(ctx, customer, table, summary.CompareQuestion{Layout: number, Width: 4, Leaves: []summary.LeafPrints{{}}},
			func(summary.LeafDifference) error { t.Error("an answer"); return nil })
		for i, err := range []error{err, err2, err3} {
			if code == wire.LayoutChanged && i == 0 {
				continue
			}
			_ = wantProblem(t, err, code)
		}
	}
	want(wire.NotFound, 1)
	_, err := sums.Summarize(ctx, customer, table)
	_ = wantProblem(t, err, wire.NotFound)
	s := f.site(t, customer, simple)
	want(wire.NoSummary, 1)
	s.mustApply(t, s.batch(wire.Load, numbered(0, 10, 1, 1), func(h *wire.Header) { h.Start = true }))
	want(wire.NoSummary, 1)
	_, err = sums.Summarize(ctx, customer, table)
	_ = wantProblem(t, err, wire.NoSummary)
	_, err = sums.Scrub(ctx, customer, table)
	_ = wantProblem(t, err, wire.NoSummary)
	s.mustApply(t, s.batch(wire.Load, nil, func(h *wire.Header) { h.Complete = true }))
	first, _ := s.summed(t) // made for whom asks
	want(wire.LayoutChanged, first.Layout.Number+1)

	s.mustApply(t, s.batch(wire.Load, nil, func(h *wire.Header) { h.Start = true }))
	want(wire.NoSummary, first.Layout.Number)
	s.epoch = epochB
	s.load(t, numbered(0, 5, 1, 1)...)
	second, _ := s.summed(t)
	if second.Layout.Number <= first.Layout.Number || second.Layout.Epoch != first.Layout.Epoch+1 {
		t.Errorf("the layout was %+v and is %+v", first.Layout, second.Layout)
	}
	// In an answer's place an error of the caller's is what comes back.
	enough := errors.New("enough")
	err = sums.Differences(ctx, customer, table, summary.CompareQuestion{Layout: second.Layout.Number, Width: 4,
		Leaves: []summary.LeafPrints{{Leaf: summary.Leaf{Node: second.Nodes[0].Node}}}}, func(summary.LeafDifference) error { return enough })
	if !errors.Is(err, enough) {
		t.Errorf("the error is %v", err)
	}

	if _, err := f.Drop(ctx, customer, table, cloud.Drop{Writer: writer}); err != nil {
		t.Fatal(err)
	}
	want(wire.NoSummary, second.Layout.Number)
	s.version = s.read(t)
	s.load(t, numbered(0, 3, 1, 1)...)
	third, _ := s.summed(t)
	if third.Layout.Number <= second.Layout.Number || third.Root.Count != 3 {
		t.Errorf("the layout was %+v and is %+v", second.Layout, third.Layout)
	}
	secret := s.secret(t)
	if err := f.RemoveCustomer(ctx, customer); err != nil {
		t.Fatal(err)
	}
	want(wire.NotFound, 1)
	if err := f.AddCustomer(ctx, cloud.Customer{ID: customer, Created: start}, keyOf(customer)); err != nil {
		t.Fatal(err)
	}
	s = f.loaded(t, customer, simple, numbered(0, 3, 1, 1)...)
	if s.summed(t); s.secret(t) == secret {
		t.Error("another customer of the same name has the secret of the one before")
	}
}

// testSummarySchemas keeps the summary when the rows count as they are, and
// makes it anew when the key is another.
func testSummarySchemas(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple, numbered(0, 300, 1, 1)...)
	first, _ := s.summed(t)
	more := schema([]string{"id"}, column("id", "int"), column("c", "nvarchar(40)"), column("d", "int"))
	if s.change(t, more).Loaded {
		t.Fatal("a new column needs a load, and there is none")
	}
	_, err := f.sums(t).Tree(t.Context(), customer, table)
	_ = wantProblem(t, err, wire.NoSummary)
	s.load(t, `["5",1,"a",2]`)
	second, _ := s.summed(t)
	if second.Layout.Number <= first.Layout.Number || second.Layout.Epoch <= first.Layout.Epoch {
		t.Errorf("the layout was %+v and is %+v", first.Layout, second.Layout)
	}
	wide := schema([]string{"id"}, column("id", "bigint"), column("c", "nvarchar(80)"), column("d", "int"))
	if !s.change(t, wide).Loaded {
		t.Fatal("a wider key needs a load")
	}
	s.summed(t)
	s.delta(t, `["900","1","a",2]`, `["900","5000000000","a",2]`)
	s.summed(t)
}
