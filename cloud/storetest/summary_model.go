package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// keyForms are the keys that the model runs over: ids to wire values.
var keyForms = []struct {
	types []string
	of    func(id int) string
}{
	{[]string{"int"}, func(id int) string { return fmt.Sprint(id * 3) }},
	{[]string{"int", "smallint"}, func(id int) string { return fmt.Sprintf("%d,%d", id%3, id) }},
	{[]string{"nvarchar(20)"}, func(id int) string { return fmt.Sprintf(`"key %d"`, id) }},
	{[]string{"uniqueidentifier"}, func(id int) string {
		return fmt.Sprintf(`"%08x-5d5c-e511-80c3-%012x"`, uint32(id)*0x9e3779b1, uint64(id)*0x9e3779b97f4a>>2&0xffffffffffff)
	}},
	{[]string{"datetime2(7)"}, func(id int) string {
		return fmt.Sprintf(`"2026-11-%02dT10:%02d:%02d.%07d"`, id%28+1, id/28%60, id/1680, id%10)
	}},
}

// testSummaryModel holds histories of all that changes rows against what the
// rows say: batches, replays, deletes, loads, epochs, drops, and folds and new
// layouts in between.
func testSummaryModel(t *testing.T, f *fixture) {
	tables := 0
	rapid.Check(t, func(r *rapid.T) {
		form := rapid.SampledFrom(keyForms).Draw(r, "key")
		var key []string
		var columns []wire.Column
		for i, typ := range form.types {
			key = append(key, fmt.Sprint("k", i))
			columns = append(columns, column(key[i], typ))
		}
		tables++
		m := &summaryModel{of: form.of, numbers: map[string]uint64{}}
		m.site = f.siteNamed(t, customer, fmt.Sprintf("sums %d", tables), schema(key, append(columns, column("v", "int"))...))
		m.load(t, m.rows(r, 200))
		for range rapid.IntRange(1, 7).Draw(r, "steps") {
			m.step(t, r)
		}
		_, err := f.sums(t).Tree(t.Context(), customer, m.table)
		if !m.version.Loaded {
			_ = wantProblem(t, err, wire.NoSummary)
			return
		}
		m.summed(t)
		if wrong, err := f.sums(t).Scrub(t.Context(), customer, m.table); wrong != 0 || err != nil {
			r.Fatalf("scrub found %d wrong leaves, %v", wrong, err)
		}
	})
}

type summaryModel struct {
	*site
	of      func(id int) string
	epochs  int
	last    cloud.Batch
	numbers map[string]uint64 // layouts seen, by what follows them
}

func (m *summaryModel) rows(r *rapid.T, most int) []string {
	n := rapid.IntRange(0, most).Draw(r, "rows")
	version := rapid.Uint64Range(1, 500).Draw(r, "version")
	first := rapid.IntRange(0, 3*most).Draw(r, "first")
	step := rapid.SampledFrom([]int{0, 1, 1, 7}).Draw(r, "step")
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf(`["%d",%s,%d]`, version+uint64(i%5), m.of((first+i*step)%1000), i)
	}
	return rows
}

// load sends a load in one batch or two, or leaves it unfinished.
func (m *summaryModel) load(t *testing.T, rows []string) {
	at := len(rows) / 2
	m.send(t, m.batch(wire.Load, rows[:at], func(h *wire.Header) { h.Start = true }))
	m.send(t, m.batch(wire.Load, rows[at:], func(h *wire.Header) { h.Complete = true }))
}

func (m *summaryModel) send(t *testing.T, b cloud.Batch) {
	m.last = b
	m.mustApply(t, b)
}

func (m *summaryModel) step(t *testing.T, r *rapid.T) {
	kinds := []string{"delta", "delta", "delta", "delete", "delete", "replay", "fold", "layout", "tree", "load", "whole load", "epoch", "begin", "drop"}
	kind := rapid.SampledFrom(kinds).Draw(r, "step")
	if !m.version.Loaded && kind != "load" && kind != "epoch" && kind != "drop" {
		kind = "load"
	}
	sums := m.f.sums(t)
	var problem *wire.Problem
	switch kind {
	case "delta":
		m.send(t, m.batch(rapid.SampledFrom([]wire.BatchKind{wire.Delta, wire.Repair, wire.Load}).Draw(r, "as"), m.rows(r, 60)))
	case "delete":
		m.delete(t, r)
	case "replay":
		b := m.last
		b.Rows = &lines{text: b.Rows.(*lines).text}
		if _, err := m.apply(t, b); err != nil && !errors.As(err, &problem) { // dropped since
			r.Fatal(err)
		}
	case "fold":
		if err := sums.Fold(t.Context(), customer, m.table); err != nil && (!errors.As(err, &problem) || problem.Code != wire.NoSummary) {
			r.Fatal(err)
		}
	case "layout":
		before := m.site.rows(t)
		l, err := sums.Summarize(t.Context(), customer, m.table)
		if err != nil {
			r.Fatal(err)
		}
		if after := m.site.rows(t); strings.Join(before, "\n") != strings.Join(after, "\n") {
			r.Fatalf("a new layout changed rows: %q, %q", before, after)
		}
		if l.Number <= m.numbers["layout"] {
			r.Fatalf("layout %d after %d", l.Number, m.numbers["layout"])
		}
		m.numbers["layout"] = l.Number
	case "tree":
		m.summed(t)
	case "load":
		m.load(t, m.rows(r, 100))
	case "whole load":
		m.send(t, m.batch(wire.Load, m.rows(r, 100), func(h *wire.Header) { h.Start, h.Complete = true, true }))
	case "epoch", "begin":
		if kind == "epoch" {
			m.epochs++
			m.epoch = fmt.Sprint("epoch ", m.epochs)
		}
		m.send(t, m.batch(wire.Load, m.rows(r, 50), func(h *wire.Header) { h.Start = true }))
	case "drop":
		a, err := m.f.Drop(t.Context(), customer, m.table, cloud.Drop{Writer: writer})
		if err != nil {
			r.Fatal(err)
		}
		m.version = a.Version
	}
}

// delete deletes some rows that are there, by their stamps, and some that are
// not.
func (m *summaryModel) delete(t *testing.T, r *rapid.T) {
	var text []string
	every := rapid.IntRange(1, 9).Draw(r, "every")
	for i, row := range m.site.rows(t) {
		if i%every == 0 {
			text = append(text, row[:strings.LastIndexByte(row, ',')]+"]")
		}
	}
	m.send(t, m.batch(wire.Delete, append(text, fmt.Sprintf(`["1@77",%s]`, m.of(1)))))
}
