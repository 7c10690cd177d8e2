package storetest

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

func testExactlyOnce(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple, `["1",1,"a"]`)
	change := []string{`["2",1,"b"]`, `["3",2,"c"]`, `!`}
	b := s.batch(wire.Delta, change, func(h *wire.Header) { h.Watermark = ptr(uint64(103)) })
	first := s.mustApply(t, b)
	again := b
	again.Rows = &lines{text: change}
	replayed := s.mustApply(t, again)
	if !replayed.Replayed {
		t.Error("the answer does not say that the batch was applied before")
	}
	replayed.Replayed = false
	if d := cmp.Diff(first, replayed); d != "" {
		t.Errorf("another answer: %s", d)
	}
	s.has(t, `["2",1,"b"]`, `["3",2,"c"]`)

	if _, err := f.Release(t.Context(), customer, table); err != nil {
		t.Fatal(err)
	}
	again.Rows = &lines{text: change}
	if a := s.mustApply(t, again); !a.Replayed || a.Version != s.read(t) || a.Version.Writer.ID != "" {
		t.Errorf("an answer given again has the version as it is, not %+v", a.Version)
	}

	for _, seq := range []uint64{1, 2, 4, 1 << 60} {
		_, err := s.apply(t, s.batch(wire.Delta, []string{`["9",9,"x"]`}, func(h *wire.Header) { h.Seq = seq }))
		p := wantProblem(t, err, wire.WrongSequence)
		if p.Version == nil || *p.Version != s.version {
			t.Errorf("batch %d: the problem has version %+v, want %+v", seq, p.Version, s.version)
		}
	}
	s.has(t, `["2",1,"b"]`, `["3",2,"c"]`)

	del := s.batch(wire.Delete, []string{`["3",2]`})
	if a := s.mustApply(t, del); a.Deleted != 1 {
		t.Errorf("%+v", a)
	}
	del.Rows = &lines{text: []string{`["3",2]`}}
	if a := s.mustApply(t, del); !a.Replayed || a.Deleted != 1 || a.Guarded != 0 {
		t.Errorf("a repeated delete: %+v", a)
	}
}

// Of several batches with one sequence number one is applied, and the others
// leave nothing.
func testSameSequence(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple)
	const n = 6
	var batches []cloud.Batch
	for i := range n {
		batches = append(batches, s.batch(wire.Delta, []string{`["2",` + string(rune('1'+i)) + `,"x"]`}))
	}
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, errs[i] = f.Apply(t.Context(), batches[i]) })
	}
	wg.Wait()
	applied := 0
	for _, err := range errs {
		var p *wire.Problem
		switch {
		case err == nil:
			applied++
		case !errors.As(err, &p) || p.Code != wire.WrongSequence:
			t.Errorf("%v", err)
		}
	}
	if rows := s.rows(t); applied != 1 || len(rows) != 1 || s.read(t).Rows != 1 {
		t.Errorf("%d applied, rows %q, version %+v", applied, rows, s.read(t))
	}
}

func testWriter(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple, `["1",1,"a"]`)
	second := wire.Writer{ID: "writer-2", Name: "site-b", Run: "run-9"}
	as := func(w wire.Writer, takeOver bool) func(*wire.Header) {
		return func(h *wire.Header) { h.Writer, h.TakeOver = w, takeOver }
	}
	_, err := s.apply(t, s.batch(wire.Delta, nil, as(second, false)))
	p := wantProblem(t, err, wire.SecondWriter)
	if !strings.Contains(p.Detail, writer.Name) || !strings.Contains(p.Detail, "2026-11-23T10:00:00Z") || p.Hint == "" {
		t.Errorf("the problem does not name the holder and since when: %q (%q)", p.Detail, p.Hint)
	}
	rerun := writer
	rerun.Run = "run-2"
	if a := s.mustApply(t, s.batch(wire.Delta, nil, as(rerun, false))); a.Version.Writer != rerun {
		t.Errorf("the writer of another run: %+v", a.Version.Writer)
	}
	if a := s.mustApply(t, s.batch(wire.Delta, nil, as(second, true))); a.Version.Writer != second {
		t.Errorf("taken over: %+v", a.Version.Writer)
	}
	_, err = s.apply(t, s.batch(wire.Delta, nil))
	_ = wantProblem(t, err, wire.SecondWriter)
	if w, err := f.Release(t.Context(), customer, table); err != nil || w != second {
		t.Errorf("Release = %+v, %v", w, err)
	}
	if v := s.read(t); v.Writer != (wire.Writer{}) {
		t.Errorf("after Release: %+v", v.Writer)
	}
	if a := s.delta(t); a.Version.Writer != writer {
		t.Errorf("claimed: %+v", a.Version.Writer)
	}
}

func testBatchSchema(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple, `["1",1,"a"]`)
	old := *s
	s.change(t, schema([]string{"id"}, column("id", "int"), column("c", "nvarchar(50)")))
	_, err := old.apply(t, old.batch(wire.Delta, []string{`["2",1,"b"]`}))
	if p := wantProblem(t, err, wire.SchemaChanged); p.Version == nil || p.Version.Schema != s.schema.Fingerprint() {
		t.Errorf("the problem has version %+v", p.Version)
	}
	s.has(t, `["1",1,"a"]`)
	s.delta(t, `["2",1,"b"]`)
}

func testEpochs(t *testing.T, f *fixture) {
	s := f.site(t, customer, simple)
	_, err := s.apply(t, s.batch(wire.Delta, nil))
	_ = wantProblem(t, err, wire.WrongEpoch)
	s.load(t, `["50",1,"a"]`, `["60",2,"b"]`)

	s.epoch = epochB
	for _, kind := range []wire.BatchKind{wire.Load, wire.Delta, wire.Repair, wire.Delete} {
		_, err := s.apply(t, s.batch(kind, nil))
		if p := wantProblem(t, err, wire.WrongEpoch); p.Version == nil || p.Version.Epoch != epochA {
			t.Errorf("%s: the problem has version %+v", kind, p.Version)
		}
	}
	a := s.mustApply(t, s.batch(wire.Load, []string{`["7",1,"restored"]`}, func(h *wire.Header) { h.Start, h.Cursor, h.Marks = true, ptr("at 1"), ptr("marks") }))
	want := wire.Version{Epoch: epochB, Seq: 2, Rows: 2, Cursor: "at 1", Marks: "marks", Schema: simple.Fingerprint(), Writer: writer}
	if d := cmp.Diff(want, a.Version); d != "" || a.Updated != 1 {
		t.Errorf("an older row version of a new epoch: %+v %s", a, d)
	}
	s.has(t, `["7",1,"restored"]`, `["60@1",2,"b"]`)
	a = s.mustApply(t, s.batch(wire.Load, []string{`["60",2,"b"]`}, func(h *wire.Header) { h.Complete, h.Watermark = true, ptr(uint64(61)) }))
	if a.Updated != 1 || !a.Version.Loaded || a.Version.Watermark != 61 || a.Version.Cursor != "" || a.Version.Marks != "marks" {
		t.Errorf("the same row version of another epoch: %+v", a)
	}
	s.has(t, `["7",1,"restored"]`, `["60",2,"b"]`)
}

func testLoad(t *testing.T, f *fixture) {
	s := f.site(t, customer, simple)
	part := func(row string, change func(*wire.Header)) wire.Version {
		t.Helper()
		return s.mustApply(t, s.batch(wire.Load, []string{row}, change)).Version
	}
	v := part(`["9",1,"a"]`, func(h *wire.Header) { h.Start, h.Cursor, h.Watermark = true, ptr("1"), ptr(uint64(50)) })
	if v.Loaded || v.Cursor != "1" || v.Watermark != 0 || v.Epoch != epochA {
		t.Errorf("begun: %+v", v)
	}
	_, err := s.apply(t, s.batch(wire.Delta, nil))
	_ = wantProblem(t, err, wire.WrongEpoch)
	if v = part(`["8",2,"b"]`, func(h *wire.Header) { h.Cursor = ptr("2") }); v.Loaded || v.Cursor != "2" || v.Rows != 2 {
		t.Errorf("under way: %+v", v)
	}
	if v = part(`["7",3,"c"]`, func(h *wire.Header) { h.Complete, h.Watermark = true, ptr(uint64(50)) }); !v.Loaded || v.Cursor != "" || v.Watermark != 50 {
		t.Errorf("complete: %+v", v)
	}
	v = s.mustApply(t, s.batch(wire.Delta, nil, func(h *wire.Header) { h.Watermark, h.Cursor, h.Marks = ptr(uint64(1<<63+7)), ptr("c"), ptr("m") })).Version
	if v.Watermark != 1<<63+7 || v.Cursor != "c" || v.Marks != "m" {
		t.Errorf("delta: %+v", v)
	}
	v = s.mustApply(t, s.batch(wire.Delta, nil, func(h *wire.Header) { h.Watermark = ptr(uint64(60)) })).Version
	if v.Watermark != 1<<63+7 || v.Cursor != "c" || v.Marks != "m" {
		t.Errorf("a watermark never goes back in its epoch, cursor and marks stay: %+v", v)
	}
	if v = part(`["9",1,"a"]`, func(h *wire.Header) { h.Start = true }); v.Loaded || v.Watermark != 1<<63+7 || v.Cursor != "" || v.Rows != 3 {
		t.Errorf("begun again in the same epoch: %+v", v)
	}
}
