package differ_test

import (
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
	rapid.Check(t, func(t *rapid.T) {
		m := newTreeModel(newModel(t), drawLayout(t))
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
		o.Save = func(token string) {
			if rapid.Bool().Draw(t, "stopped here") {
				o.Resume = token
			}
		}
		m.restless = true
		for range rapid.IntRange(1, 3).Draw(t, "diffs") {
			if _, err := m.runTree(o); err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "another layout") {
				number := m.layout.Number
				m.layout = drawLayout(t)
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
	})
}

// TestTreeFindsWhatManifestsFind compares the plans of both ways on the same
// sides, at rest.
func TestTreeFindsWhatManifestsFind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newTreeModel(newModel(t), drawLayout(t))
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
		m := newTreeModel(newModel(t), drawLayout(t))
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
		m := newTreeModel(newModel(t), l)
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
		token := rapid.SampledFrom(tokens).Draw(t, "stopped")
		got, err := m.runTree(differ.TreeOptions{Options: differ.Options{DryRun: true}, Resume: token})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Plan, got.Plan); diff != "" || want.Source != got.Source {
			t.Fatalf("resumed (-whole +resumed):\n%s", diff)
		}
	})
}
