package conformance

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/internal/wire"
)

func testExactlyOnce(t *testing.T, s *site) {
	s.load(t, `["1",1,"a"]`)
	h := s.header(wire.Delta, 2)
	mark := uint64(1<<63 + 5)
	h.Watermark = &mark
	lines := []string{`["2",1,"b"]`, `["3",2,"c"]`}
	first := s.send(t, h, lines...)
	if first.Inserted != 1 || first.Updated != 1 || first.Version.Seq != 2 || first.Version.Rows != 2 || first.Version.Watermark != mark {
		t.Errorf("%+v", first)
	}
	again := s.send(t, h, lines...)
	first.Replayed = true
	if d := cmp.Diff(first, again); d != "" {
		t.Errorf("the batch sent again: %s", d)
	}
	for _, seq := range []uint64{1, 2, 4, 1<<64 - 1} {
		h := s.header(wire.Delta, 0)
		h.Seq = seq
		if p := s.post(t, http.MethodPost, "/rows", h).problem(t, wire.WrongSequence); p.Version == nil || *p.Version != s.version {
			t.Errorf("batch %d: the problem has version %+v, want %+v", seq, p.Version, s.version)
		}
	}
	if v := s.read(t); v != s.version {
		t.Errorf("version %+v, want %+v", v, s.version)
	}
}

func testUpserts(t *testing.T, s *site) {
	s.load(t, `["10",1,"a"]`, `["20",2,"b"]`, `["9223372036854775809",3,null]`)
	a := s.delta(t, `["10",1,"same"]`, `["19",2,"older"]`, `["9223372036854775808",3,"older"]`, `["18446744073709551615",4,"\ud83d\ude00"]`)
	if a.Unchanged != 3 || a.Inserted != 1 || a.Version.Rows != 4 {
		t.Errorf("%+v", a)
	}
	got := s.list(t, 100)
	if d := cmp.Diff([]string{`["10",1]`, `["18446744073709551615",4]`, `["20",2]`, `["9223372036854775809",3]`}, sorted(got)); d != "" {
		t.Error(d)
	}
}

func testEpochs(t *testing.T, s *site) {
	s.post(t, http.MethodPost, "/rows", s.header(wire.Delta, 0)).problem(t, wire.WrongEpoch)
	s.load(t, `["50",1,"a"]`, `["60",2,"b"]`)
	s.epoch = "epoch-b"
	for _, kind := range []wire.BatchKind{wire.Load, wire.Delta, wire.Repair, wire.Delete} {
		method := http.MethodPost
		if kind == wire.Delete {
			method = http.MethodDelete
		}
		s.post(t, method, "/rows", s.header(kind, 0)).problem(t, wire.WrongEpoch)
	}
	h := s.header(wire.Load, 1)
	cursor, marks := "at 1", "marks"
	h.Start, h.Cursor, h.Marks = true, &cursor, &marks
	a := s.send(t, h, `["7",1,"restored"]`)
	want := wire.Version{Epoch: "epoch-b", Seq: 2, Rows: 2, Cursor: cursor, Marks: marks, Schema: s.schema.Fingerprint(), Writer: s.writer}
	if d := cmp.Diff(want, a.Version); d != "" || a.Updated != 1 {
		t.Errorf("%+v %s", a, d)
	}
	if got := sorted(s.list(t, 10)); len(got) != 2 || got[1] != `["7",1]` || !strings.HasPrefix(got[0], `["60@`) {
		t.Errorf("stamps in a new epoch: %q", got)
	}
}

func testWriter(t *testing.T, s *site) {
	s.load(t, `["1",1,"a"]`)
	held := s.writer
	s.writer = wire.Writer{ID: "conformance-2", Name: "another", Run: "1"}
	p := s.post(t, http.MethodPost, "/rows", s.header(wire.Delta, 0)).problem(t, wire.SecondWriter)
	if !strings.Contains(p.Detail, held.Name) || p.Hint == "" {
		t.Errorf("the problem does not name the holder: %q (%q)", p.Detail, p.Hint)
	}
	h := s.header(wire.Delta, 0)
	h.TakeOver = true
	if a := s.send(t, h); a.Version.Writer != s.writer {
		t.Errorf("taken over: %+v", a.Version.Writer)
	}
	s.writer = held
	s.post(t, http.MethodPost, "/rows", s.header(wire.Delta, 0)).problem(t, wire.SecondWriter)
}

func testSchemaChanged(t *testing.T, s *site) {
	h := s.header(wire.Load, 0)
	h.Start, h.Schema = true, strings.Repeat("0", 32)
	if p := s.post(t, http.MethodPost, "/rows", h).problem(t, wire.SchemaChanged); p.Version == nil || p.Version.Schema != s.schema.Fingerprint() {
		t.Errorf("the problem has version %+v", p.Version)
	}
	h = s.header(wire.Load, 0)
	h.Start = true
	s.schema.Columns[1].Type.Len++
	s.register(t)
	s.post(t, http.MethodPost, "/rows", h).problem(t, wire.SchemaChanged) // one that was registered before
}

func testRefused(t *testing.T, s *site) {
	s.load(t, `["1",1,"a"]`)
	a := s.delta(t, `["2",1,"`+strings.Repeat("x", 41)+`"]`, `["2",2,7]`, `["2",3,"c"]`, `["2",2147483648,"d"]`, `["2",null,"e"]`)
	want := []wire.Refusal{{Row: 0, Column: "c", Present: true}, {Row: 1, Column: "c"}, {Row: 3, Column: "id"}, {Row: 4, Column: "id"}}
	for i := range a.Refused {
		if a.Refused[i].Reason == "" {
			t.Errorf("row %d is refused without a reason", a.Refused[i].Row)
		}
		a.Refused[i].Reason = ""
	}
	if d := cmp.Diff(want, a.Refused); d != "" || a.Inserted != 1 || a.Version.Seq != 2 || a.Version.Rows != 2 {
		t.Errorf("%+v %s", a, d)
	}
	if got := sorted(s.list(t, 10)); len(got) != 2 || got[0] != `["1",1]` {
		t.Errorf("rows %q", got)
	}
}

func testDeletes(t *testing.T, s *site) {
	s.load(t, `["1",1,"a"]`, `["2",2,"b"]`, `["3",3,"c"]`)
	h := s.header(wire.Delete, 4)
	a := s.send(t, h, `["1",1]`, `["1",2]`, `["3@1",9]`, `["9",9]`)
	if a.Deleted != 1 || a.Guarded != 3 || a.Version.Rows != 2 {
		t.Errorf("%+v", a)
	}
	if again := s.send(t, h, `["1",1]`, `["1",2]`, `["3@1",9]`, `["9",9]`); !again.Replayed || again.Deleted != 1 {
		t.Errorf("sent again: %+v", again)
	}
	s.post(t, http.MethodPost, "/rows", s.header(wire.Delete, 0)).problem(t, wire.Malformed)
	s.post(t, http.MethodDelete, "/rows", s.header(wire.Delta, 0)).problem(t, wire.Malformed)
}

func testDrop(t *testing.T, s *site) {
	s.load(t, `["1",1,"a"]`, `["2",2,"b"]`)
	drop := func(query string, change ...func(*http.Request)) answer {
		t.Helper()
		return s.do(t, http.MethodDelete, s.path("/rows")+query, nil, change...)
	}
	drop("").problem(t, wire.Malformed) // nobody in particular
	mine := "?writer=" + url.QueryEscape(s.writer.ID) + "&writer_name=" + url.QueryEscape(s.writer.Name)
	drop(mine, asLines).problem(t, wire.Malformed) // a list of keys that lost its body
	drop("?writer=conformance-2").problem(t, wire.SecondWriter)
	drop(mine+"&seq=7").problem(t, wire.WrongSequence)
	if v := s.read(t); v != s.version {
		t.Errorf("a refused drop changed the version: %+v", v)
	}
	var a wire.Answer
	drop(mine+"&seq=1").document(t, &a)
	if a.Deleted != 2 || a.Version.Rows != 0 || a.Version.Epoch != "" || a.Version.Seq != 0 || a.Version.Loaded || a.Version.Schema != s.schema.Fingerprint() {
		t.Errorf("%+v", a)
	}
	s.version = a.Version
	if a := s.load(t, `["1",1,"a"]`); a.Inserted != 1 {
		t.Errorf("loaded again: %+v", a)
	}
}
