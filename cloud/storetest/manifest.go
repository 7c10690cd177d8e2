package storetest

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

func (s *site) manifest(keys []string) cloud.Manifest {
	return cloud.Manifest{Customer: s.customer, Table: s.table, Schema: s.schema, Rows: &lines{text: keys}, Bytes: 1 << 20,
		Header: wire.ManifestHeader{Protocol: wire.Protocol, Mode: wire.Compare, Epoch: s.epoch, Schema: s.schema.Fingerprint(), Rows: len(keys)}}
}

func testCompare(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple, `["1",1,"a"]`, `["2",2,"b"]`, `["3",3,"c"]`)
	f.loaded(t, other, simple, `["9",9,"theirs"]`)
	want := wire.Comparison{Version: s.version, Missing: []int{2, 3, 6}, Stale: []int{1, 5}}
	got, err := f.Compare(t.Context(), s.manifest([]string{`["1",1]`, `["1",2]`, `["9",9]`, `["1",-1]`, `["3",3]`, `["4",3]`, `!`}))
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("Compare: %v %s", err, d)
	}
	got, err = f.Compare(t.Context(), s.manifest(nil))
	if d := cmp.Diff(wire.Comparison{Version: s.version}, got); err != nil || d != "" {
		t.Errorf("Compare of nothing: %v %s", err, d)
	}
	s.epoch = epochB
	s.load(t, `["3",3,"c"]`)
	got, err = f.Compare(t.Context(), s.manifest([]string{`["1",1]`, `["3",3]`}))
	if d := cmp.Diff(wire.Comparison{Version: s.version, Stale: []int{0}}, got); err != nil || d != "" {
		t.Errorf("rows of an epoch before are stale: %v %s", err, d)
	}
}

// pages lists a table page by page.
func (s *site) pages(t *testing.T, limit, bytes int) (lines []string, pages int) {
	t.Helper()
	m := s.manifest(nil)
	m.Header.Mode, m.Header.Limit, m.Bytes = wire.List, limit, bytes
	for {
		var out wire.Lines
		h, err := s.f.List(t.Context(), m, &out)
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		if h.Rows != out.N || h.Rows > limit || h.Version != s.version {
			t.Fatalf("page %d: header %+v, %d lines", pages, h, out.N)
		}
		if text := strings.TrimSuffix(string(out.Buf), "\n"); text != "" {
			lines = append(lines, strings.Split(text, "\n")...)
		}
		pages++
		if h.Next == "" {
			return lines, pages
		}
		m.Header.After = h.Next
	}
}

func testList(t *testing.T, f *fixture) {
	two := schema([]string{"b", "a"}, column("a", "int"), column("b", "nvarchar(30)"), column("c", "int"))
	s := f.site(t, customer, two)
	if lines, pages := s.listEmpty(t); len(lines) != 0 || pages != 1 {
		t.Errorf("an empty table: %q in %d pages", lines, pages)
	}
	var rows, want []string
	for i := range 100 {
		name := fmt.Sprintf(`"n\u00e9 %d"`, i%7)
		rows = append(rows, fmt.Sprintf(`["%d",%d,%s,0]`, i+1, i, name))
		want = append(want, fmt.Sprintf(`["%d","né %d",%d]`, i+1, i%7, i))
	}
	s.load(t, rows...)
	f.loaded(t, other, two, `["1",1,"theirs",0]`)
	for _, page := range []struct{ limit, bytes, pages int }{{1000, 1 << 20, 1}, {100, 1 << 20, 1}, {99, 1 << 20, 2}, {1, 1 << 20, 100}, {7, 1 << 20, 15}, {1000, 1, 100}} {
		lines, pages := s.pages(t, page.limit, page.bytes)
		if pages != page.pages && pages != page.pages+1 { // an empty page may end the list
			t.Errorf("limit %d, %d bytes: %d pages, want %d", page.limit, page.bytes, pages, page.pages)
		}
		if d := cmp.Diff(sorted(want), sorted(lines)); d != "" {
			t.Errorf("limit %d, %d bytes: %s", page.limit, page.bytes, d)
		}
	}
	var inOrder []string
	for _, row := range s.rows(t) {
		parts, err := wire.SplitRow([]byte(row), nil)
		if err != nil {
			t.Fatal(err)
		}
		inOrder = append(inOrder, fmt.Sprintf("[%s,%s,%s]", parts[0], parts[2], parts[1]))
	}
	if lines, _ := s.pages(t, 13, 1<<20); !slices.Equal(lines, inOrder) {
		t.Error("List and Rows have different orders")
	}
	s.epoch = epochB
	s.load(t, `["100",99,"né 1",1]`)
	lines, _ := s.pages(t, 1000, 1<<20)
	if !slices.Contains(lines, `["100","né 1",99]`) || !slices.Contains(lines, `["99@1","né 0",98]`) {
		t.Errorf("stamps after a new epoch: %q", lines)
	}
}

// listEmpty lists a table that was never written: its epoch is "".
func (s *site) listEmpty(t *testing.T) ([]string, int) {
	t.Helper()
	s.epoch = ""
	defer func() { s.epoch = epochA }()
	return s.pages(t, 10, 1<<20)
}

func testManifestChecks(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple, `["1",1,"a"]`)
	check := func(code wire.Code, change func(*cloud.Manifest)) {
		t.Helper()
		m := s.manifest(nil)
		change(&m)
		var err error
		if m.Header.Mode == wire.List {
			_, err = f.List(t.Context(), m, &wire.Lines{})
		} else {
			_, err = f.Compare(t.Context(), m)
		}
		_ = wantProblem(t, err, code)
	}
	list := func(after string) func(*cloud.Manifest) {
		return func(m *cloud.Manifest) { m.Header.Mode, m.Header.Limit, m.Header.After = wire.List, 10, after }
	}
	check(wire.WrongEpoch, func(m *cloud.Manifest) { m.Header.Epoch = epochB })
	check(wire.WrongEpoch, func(m *cloud.Manifest) { list("")(m); m.Header.Epoch = epochB })
	check(wire.SchemaChanged, func(m *cloud.Manifest) { m.Header.Schema = "other" })
	check(wire.SchemaChanged, func(m *cloud.Manifest) { list("")(m); m.Header.Schema = "other" })
	for _, after := range []string{"x", "'; DROP TABLE customers; --", base64.RawURLEncoding.EncodeToString([]byte(`["x"]`)),
		base64.RawURLEncoding.EncodeToString([]byte(`[1,2]`)), base64.RawURLEncoding.EncodeToString([]byte(`[null]`))} {
		check(wire.Malformed, list(after))
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }
