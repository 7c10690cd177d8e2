package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tidemark/cloud/cost"
)

func testCosts(t *testing.T, f *fixture) {
	ctx := t.Context()
	at := func(minute int) time.Time {
		return start.UTC().Truncate(time.Hour).Add(time.Duration(minute) * time.Minute)
	}
	window := func(requests int64) *cost.Window {
		return &cost.Window{Endpoints: []cost.Line{{Name: "POST rows", Dataset: "dbo.o", Sums: cost.Sums{Requests: requests, Time: time.Second}}},
			Customers: []cost.Line{{Name: "acme", Dataset: "dbo.o", Sums: cost.Sums{Requests: requests, Time: time.Second}}}}
	}
	counters := func(read int64) *cost.Counters {
		return &cost.Counters{At: at(0), Read: read, Datasets: map[string]cost.Counted{"dbo.o": {Read: read}}}
	}
	keep := func(records ...cost.Record) {
		t.Helper()
		if err := f.KeepCosts(ctx, records); err != nil {
			t.Fatal(err)
		}
	}
	are := func(span time.Duration, since, until time.Time, want ...cost.Record) {
		t.Helper()
		got, err := f.Costs(ctx, span, since, until, false)
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Errorf("costs: %v %s", err, d)
		}
	}
	one := cost.Record{Span: cost.Minute, At: at(1), Instance: "a", Window: window(1)}
	more := cost.Record{Span: cost.Minute, At: at(1), Instance: "a", Window: window(2)}
	other := cost.Record{Span: cost.Minute, At: at(1), Instance: "b", Window: window(3)}
	hour := cost.Record{Span: cost.Hour, At: at(0), Instance: "a", Window: window(4)}
	first := cost.Record{Span: cost.Minute, At: at(0), Counters: counters(7)}
	second := cost.Record{Span: cost.Minute, At: at(0), Counters: counters(8)}
	keep(one, other, hour, first)
	keep(more, second) // an instance's own is replaced, the database's counters stay
	are(cost.Minute, at(0), at(2), first, more, other)
	are(cost.Minute, at(0), at(1), first)
	got, err := f.Costs(ctx, cost.Minute, at(0), at(2), true)
	if d := cmp.Diff([]cost.Record{first}, got); err != nil || d != "" {
		t.Errorf("counters alone: %v %s", err, d)
	}
	are(cost.Minute, at(0).Add(time.Second), at(2).Add(-time.Second), more, other)
	are(cost.Hour, at(0), at(1), hour)
	if err := f.DropCosts(ctx, cost.Minute, at(1)); err != nil {
		t.Fatal(err)
	}
	are(cost.Minute, at(0), at(60), more, other)
	are(cost.Hour, at(0), at(60), hour)
	keep()
}
