package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/internal/wire"
)

func (s *site) wantCounts(t *testing.T, a wire.Answer, inserted, updated, unchanged int) {
	t.Helper()
	if a.Inserted != inserted || a.Updated != updated || a.Unchanged != unchanged {
		t.Errorf("inserted %d, updated %d, unchanged %d; want %d, %d, %d", a.Inserted, a.Updated, a.Unchanged, inserted, updated, unchanged)
	}
}

func testUpserts(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple, `["10",1,"a"]`, `["20",2,"b"]`, `["9223372036854775809",3,"c"]`)
	for _, kind := range []wire.BatchKind{wire.Delta, wire.Repair} {
		a := s.mustApply(t, s.batch(kind, []string{`["10",1,"same version"]`, `["19",2,"older"]`, `["9223372036854775808",3,"older"]`}))
		s.wantCounts(t, a, 0, 0, 3)
	}
	s.has(t, `["10",1,"a"]`, `["20",2,"b"]`, `["9223372036854775809",3,"c"]`)
	a := s.delta(t, `["11",1,"a2"]`, `["21",2,null]`, `["18446744073709551615",3,"c2"]`, `["0",4,"d"]`)
	s.wantCounts(t, a, 1, 3, 0)
	s.has(t, `["11",1,"a2"]`, `["21",2,null]`, `["18446744073709551615",3,"c2"]`, `["0",4,"d"]`)
	s.wantCounts(t, s.delta(t), 0, 0, 0)
}

func testContent(t *testing.T, f *fixture) {
	byContent := simple
	byContent.Versioning = wire.ByContent
	s := f.loaded(t, customer, byContent, `["500",1,"a"]`, `["600",2,"b"]`)
	a := s.mustApply(t, s.batch(wire.Repair, []string{`["400",1,"smaller hash"]`, `["600",2,"b"]`, `["1",3,"c"]`}))
	s.wantCounts(t, a, 1, 1, 1)
	s.has(t, `["400",1,"smaller hash"]`, `["600",2,"b"]`, `["1",3,"c"]`)
	s.mustApply(t, s.batch(wire.Repair, []string{`["7",1,"first"]`, `["5",1,"last"]`}))
	s.has(t, `["5",1,"last"]`, `["600",2,"b"]`, `["1",3,"c"]`)
}

func testKeyBytes(t *testing.T, f *fixture) {
	s := f.site(t, customer, schema([]string{"k"}, column("k", "nvarchar(20)")))
	keys := []string{"", " ", "A", "A ", "ABC", "Abc", "abc", "ß", "ss", "é", "e\u0301", "日", "\U0001f600", "a\tb", `q"\`}
	var rows []string
	for _, k := range keys {
		rows = append(rows, `["1",`+string(wire.AppendString(nil, k))+"]")
	}
	s.wantCounts(t, s.load(t, rows...), len(keys), 0, 0)
	if d := cmp.Diff(sorted(rows), sorted(s.rows(t))); d != "" {
		t.Errorf("rows: %s", d)
	}
	a := s.delta(t, `["2","\u0041"]`, `["2","\ud83d\ude00"]`) // other escapes of keys that are there
	s.wantCounts(t, a, 0, 2, 0)
}

func testTwice(t *testing.T, f *fixture) {
	s := f.site(t, customer, simple)
	a := s.load(t, `["2",1,"newest"]`, `["1",1,"older"]`, `["2",1,"same"]`, `["1",2,"x"]`, `["3",3,"c"]`, `["4",3,"d"]`)
	if a.Inserted != 3 {
		t.Errorf("%+v", a)
	}
	s.has(t, `["2",1,"newest"]`, `["1",2,"x"]`, `["4",3,"d"]`)
	a = s.delta(t, `["5",3,"e"]`, `["6",3,"f"]`, `["7",4,"g"]`, `["8",4,"h"]`, `["1",2,"y"]`)
	if a.Inserted != 1 {
		t.Errorf("%+v", a)
	}
	s.has(t, `["2",1,"newest"]`, `["1",2,"x"]`, `["6",3,"f"]`, `["8",4,"h"]`)
}

func testRefused(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple, `["1",1,"a"]`)
	a := s.mustApply(t, s.batch(wire.Delta, []string{`["2",2,"b"]`, `![1]`, `![7]`, `!`, `["2",3,"c"]`}))
	want := []wire.Refusal{{Row: 1, Column: "c", Reason: "of the test", Present: true}, {Row: 2, Column: "c", Reason: "of the test"}, {Row: 3, Column: "c", Reason: "of the test"}}
	if d := cmp.Diff(want, a.Refused); d != "" {
		t.Errorf("refused: %s", d)
	}
	s.wantCounts(t, a, 2, 0, 0)
	s.has(t, `["1",1,"a"]`, `["2",2,"b"]`, `["2",3,"c"]`)

	all := s.mustApply(t, s.batch(wire.Delta, []string{`![3]`, `!`}))
	if len(all.Refused) != 2 || !all.Refused[0].Present || all.Version.Seq != 3 {
		t.Errorf("a batch of nothing but refused rows: %+v", all)
	}
	del := s.mustApply(t, s.batch(wire.Delete, []string{`![3]`, `["2",2]`}))
	if len(del.Refused) != 1 || !del.Refused[0].Present || del.Deleted != 1 {
		t.Errorf("a refused key of a delete: %+v", del)
	}
	fresh := f.siteNamed(t, customer, "fresh", simple)
	if a := fresh.load(t, `![1]`, `["1",1,"a"]`, `!`); len(a.Refused) != 2 || a.Inserted != 1 || a.Refused[1].Row != 2 {
		t.Errorf("refused rows of a first load: %+v", a)
	}
}

func testBrokenBody(t *testing.T, f *fixture) {
	broken := errors.New("broken")
	s := f.site(t, customer, simple)
	b := s.batch(wire.Load, nil, func(h *wire.Header) { h.Start = true })
	b.Rows = &lines{text: []string{`["1",1,"a"]`}, fail: broken}
	if _, err := s.apply(t, b); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the body", err)
	}
	s.has(t)
	if v := s.read(t); v.Seq != 0 || v.Epoch != "" || v.Writer != (wire.Writer{}) {
		t.Errorf("half applied: %+v", v)
	}
	s.load(t, `["1",1,"a"]`)
	for _, kind := range []wire.BatchKind{wire.Delta, wire.Delete} {
		b := s.batch(kind, nil)
		text := []string{`["2",1,"b"]`, `["2",2,"b"]`}
		if kind == wire.Delete {
			text = []string{`["1",1]`}
		}
		b.Rows = &lines{text: text, fail: broken}
		if _, err := s.apply(t, b); !errors.Is(err, broken) {
			t.Errorf("%s: error %v, want that of the body", kind, err)
		}
		s.has(t, `["1",1,"a"]`)
	}
	m := s.manifest(nil)
	m.Rows = &lines{fail: broken}
	if _, err := f.Compare(t.Context(), m); !errors.Is(err, broken) {
		t.Errorf("compare: error %v, want that of the body", err)
	}
	s.delta(t, `["2",1,"b"]`) // the store works on
	s.has(t, `["2",1,"b"]`)
}

func testLarge(t *testing.T, f *fixture) {
	const n = 5000
	s := f.site(t, customer, simple)
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf(`["%d",%d,"row %d"]`, i+1, i, i)
	}
	s.wantCounts(t, s.load(t, rows...), n, 0, 0)
	for i := 0; i < n; i += 3 {
		rows[i] = fmt.Sprintf(`["%d",%d,"changed %d"]`, n+i, i, i)
	}
	s.wantCounts(t, s.delta(t, rows...), 0, (n+2)/3, n-(n+2)/3)
	if d := cmp.Diff(rows, s.rows(t)); d != "" {
		t.Error(d)
	}
	big := strings.Repeat("x", 1<<20)
	wide := f.siteNamed(t, customer, "wide", schema([]string{"id"}, column("id", "int"), column("c", "nvarchar(max)")))
	wide.load(t, `["1",1,"`+big+`"]`, `["1",2,"`+big+`"]`)
	wide.has(t, `["1",1,"`+big+`"]`, `["1",2,"`+big+`"]`)
}

func testCanceled(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple, `["1",1,"a"]`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Apply(ctx, s.batch(wire.Delta, []string{`["2",1,"b"]`})); err == nil {
		t.Error("a batch was applied for one who is gone")
	}
	s.has(t, `["1",1,"a"]`)
	s.delta(t, `["2",1,"b"]`)
}
