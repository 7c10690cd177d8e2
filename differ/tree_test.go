package differ_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidemark/differ"
	"tidemark/differ/summary"
)

// drawTreeOptions draws bounds that are far too small, so that everything
// overflows.
func drawTreeOptions(t *rapid.T) differ.TreeOptions {
	return differ.TreeOptions{
		Options:     differ.Options{FilterBytes: 8, Slice: rapid.IntRange(1, 5).Draw(t, "slice"), Lookup: 3},
		Width:       rapid.SampledFrom([]int{1, 4, 16}).Draw(t, "width"),
		BufferBytes: rapid.SampledFrom([]int{100, 400, 1 << 20}).Draw(t, "buffer"),
		CellBytes:   rapid.SampledFrom([]int{500, 20_000, 1 << 20}).Draw(t, "cells"),
		HoldBytes:   rapid.SampledFrom([]int{30, 1 << 20}).Draw(t, "hold"),
	}
}

// TestTreeNoWrongDelete is TestNoWrongDelete by summaries: the source changes,
// deltas go up and the layout is replaced between any two steps.
func TestTreeNoWrongDelete(t *testing.T) {
	rounds := 20 // of 100 histories
	if testing.Short() {
		rounds = 2
	}
	for range rounds {
		rapid.Check(t, func(t *rapid.T) { treeHistory(t, false) })
	}
}

func treeHistory(t *rapid.T, ahead bool) {
	m := drawTreeModel(t)
	for range rapid.IntRange(0, 60).Draw(t, "before") {
		m.change()
	}
	for _, k := range m.keys("lost in the cloud") {
		delete(m.cloud, k)
	}
	for _, k := range m.keys("of another epoch") {
		m.cloud[k] = "7@1"
	}
	o := drawTreeOptions(t)
	o.Ahead = ahead
	if !ahead { // it draws
		o.Save = func(token string) {
			if rapid.Bool().Draw(t, "stopped here") {
				o.Resume = token
			}
		}
	}
	m.restless = true
	for range rapid.IntRange(1, 3).Draw(t, "diffs") {
		if _, err := m.runTree(o); err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "another layout") {
			number := m.layout.Number
			m.layout = drawLayout(t, m.model)
			m.layout.Number = number + 1
		}
	}
	m.restless, o.Resume, o.Save = false, "", nil
	if m.wrong != nil {
		t.Fatalf("wrong deletes: %v", m.wrong)
	}
	m.delta()
	for n := 0; !m.equal(); n++ {
		if n == 100 {
			t.Fatalf("not equal after %d diffs:\nsource %v\ncloud %v", n, m.source, m.cloud)
		}
		if _, err := m.runTree(o); err != nil {
			t.Fatal(err)
		}
		m.delta()
	}
	if m.wrong != nil {
		t.Fatalf("wrong deletes: %v", m.wrong)
	}
	r, err := m.runTree(o)
	if err != nil || r.Manifest == "" && r.Source != r.Before || r.Matched != int64(len(m.source)) {
		t.Fatalf("equal sides: %+v, %v", r, err)
	}
}

// TestTreeFindsWhatManifestsFind compares the plans of both ways on the same
// sides, at rest.
func TestTreeFindsWhatManifestsFind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawTreeModel(t)
		for range rapid.IntRange(0, 60).Draw(t, "before") {
			m.change()
		}
		m.delta()
		for _, k := range m.keys("lost in the cloud") {
			delete(m.cloud, k)
		}
		for _, k := range m.keys("of another epoch") {
			m.cloud[k] = "7@1"
		}
		want, err := m.run(differ.Options{DryRun: true})
		if err != nil {
			t.Fatal(err)
		}
		o := drawTreeOptions(t)
		dry, wet := o, o
		dry.DryRun = true
		before := len(m.cloud)
		got, err := m.runTree(dry)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Plan, got.Plan); diff != "" {
			t.Fatalf("plan (-manifests +summaries):\n%s", diff)
		}
		if len(m.cloud) != before || got.Inserted+got.Updated+got.Deleted != 0 {
			t.Fatalf("a dry run did something: %+v", got)
		}
		done, err := m.runTree(wet)
		if err != nil {
			t.Fatal(err)
		}
		if done.Inserted != want.Missing || done.Updated != want.Stale || done.Deleted+done.Hidden != want.Surplus {
			t.Fatalf("done otherwise than planned: %+v", done)
		}
		if done.Hidden == 0 && !m.equal() || m.equal() && done.Manifest == "" && !done.Equal() {
			t.Fatalf("equal %v, reported %v: %+v", m.equal(), done.Equal(), done)
		}
	})
}

// TestTreeLater leaves rows above the watermark to the delta.
func TestTreeLater(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawTreeModel(t)
		for k := range 4 {
			m.write(100 * k)
		}
		m.delta()
		m.write(200) // stale above the watermark
		m.write(900) // new above it
		r, err := m.runTree(differ.TreeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if want := (differ.Plan{Compared: 5, Matched: 3, Later: 2, Cloud: 4}); r.Plan != want {
			t.Fatalf("plan %+v, want %+v", r.Plan, want)
		}
		if m.deletes > 0 || r.Updated+r.Inserted > 0 {
			t.Fatalf("repaired what the delta brings: %+v", r)
		}
	})
}

// TestTreeResumes stops a diff between any two chunks and goes on with the
// token of then: what was compared before is not compared again, and the
// report is that of a run without a stop.
func TestTreeResumes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := summary.Layout{Number: 1, Kind: summary.Ordered, Shift: rapid.IntRange(0, 2).Draw(t, "shift")}
		world := newModel(t)
		if world.pair = rapid.Bool().Draw(t, "two columns"); world.pair {
			l.Column = 1
		}
		m := newTreeModel(world, l)
		for k := -150; k < 150; k++ {
			m.write(100 * k)
		}
		m.delta()
		for _, k := range m.keys("lost in the cloud") {
			delete(m.cloud, k)
		}
		for _, k := range m.keys("gone from the source") {
			delete(m.source, k)
		}
		want, err := m.runTree(differ.TreeOptions{Options: differ.Options{DryRun: true}})
		if err != nil {
			t.Fatal(err)
		}
		var tokens []string
		if _, err := m.runTree(differ.TreeOptions{Options: differ.Options{DryRun: true}, BufferBytes: 1000, Save: func(token string) { tokens = append(tokens, token) }}); err != nil {
			t.Fatal(err)
		}
		if len(tokens) == 0 {
			t.Fatal("nothing to go on from")
		}
		at := rapid.IntRange(0, len(tokens)-1).Draw(t, "stopped")
		m.read = 0
		got, err := m.runTree(differ.TreeOptions{Options: differ.Options{DryRun: true}, Resume: tokens[at]})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Plan, got.Plan); diff != "" || want.Source != got.Source || got.Passes != 1 {
			t.Fatalf("resumed, %d passes (-whole +resumed):\n%s", got.Passes, diff)
		}
		if most := len(m.source) - 3*at; m.read > most {
			t.Fatalf("from token %d on %d rows were read, want at most %d", at, m.read, most)
		}
	})
}

// TestTreeQuarter goes on by manifests when more than a quarter of the leaves
// differ, and counts what was done before.
func TestTreeQuarter(t *testing.T) {
	for _, kind := range []summary.Kind{summary.Ordered, summary.Hashed} {
		m := newTreeModel(newModel(nil), summary.Layout{Number: 1, Kind: kind})
		if m.page = 100; kind == summary.Hashed {
			m.layout.Bits = 9
		}
		for k := range 300 {
			m.write(100 * k)
		}
		m.delta()
		for k := range 120 {
			delete(m.cloud, 200*k)
		}
		o := differ.TreeOptions{Options: differ.Options{Types: intKey, Watermark: m.watermark}, Secret: m.secret}
		r, err := differ.ByTree(context.Background(), o, whole{m.model}, m)
		if err != nil || r.Manifest == "" || r.Inserted != 120 || !m.equal() || r.Equal() {
			t.Errorf("%s: %+v, %v", kind, r, err)
		}
	}
}

func TestTreeApproval(t *testing.T) {
	const rows = 30_000
	for _, tt := range []struct {
		name     string
		deleted  int
		approved int64
		waiting  bool
	}{
		{"at the limit", 1500, 0, false},
		{"above the limit", 1501, 0, true},
		{"approved", 1501, 1501, false},
		{"more than was approved", 1600, 1501, true},
		{"all gone", rows, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newTreeModel(newModel(nil), summary.Layout{Number: 1, Kind: summary.Ordered, Shift: 7})
			m.page = 5000
			for k := range rows {
				m.write(k)
			}
			m.delta()
			for k := range tt.deleted {
				delete(m.source, k)
			}
			o := differ.TreeOptions{Options: differ.Options{Types: intKey, Watermark: m.watermark, Approved: tt.approved}, Secret: m.secret}
			r, err := differ.ByTree(context.Background(), o, whole{m.model}, m)
			if err != nil {
				t.Fatal(err)
			}
			if r.Waiting != tt.waiting || tt.waiting && (m.deletes != 0 || len(r.Sample) == 0) {
				t.Errorf("waiting %v, %d deletes, sample %v; want waiting %v", r.Waiting, m.deletes, r.Sample, tt.waiting)
			}
			if !tt.waiting && (r.Deleted != int64(tt.deleted) || !r.Equal()) {
				t.Errorf("deleted %d of %d: %+v", r.Deleted, tt.deleted, r)
			}
		})
	}
}
