package storetest

import (
	"fmt"
	"testing"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

func testDelete(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple, `["1",1,"a"]`, `["2",2,"b"]`, `["3",3,"c"]`, `["18446744073709551615",4,"d"]`)
	a := s.remove(t, `["1",1]`, `["1",2]`, `["4",3]`, `["9",9]`, `["18446744073709551615",4]`, `["3@1",3]`)
	if a.Deleted != 3 || a.Guarded != 3 || a.Version.Rows != 1 {
		t.Errorf("%+v", a)
	}
	s.has(t, `["2",2,"b"]`)
	if a := s.remove(t, `["2",2]`, `["2",2]`); a.Deleted != 1 || a.Guarded != 1 {
		t.Errorf("a key twice: %+v", a)
	}
	s.has(t)

	s.load(t, `["5",5,"e"]`, `["6",6,"f"]`)
	s.epoch = epochB
	s.load(t, `["6",6,"f"]`)
	s.has(t, `["5@1",5,"e"]`, `["6",6,"f"]`)
	a = s.remove(t, `["5",5]`, `["6@1",6]`)
	if a.Deleted != 0 || a.Guarded != 2 {
		t.Errorf("stamps of another epoch: %+v", a)
	}
	if a := s.remove(t, `["5@4294967297",5]`); a.Deleted != 0 {
		t.Errorf("a stamp of an epoch whose last 32 bits are those of another: %+v", a)
	}
	a = s.remove(t, `["5@1",5]`, `["6",6]`)
	if a.Deleted != 2 || a.Guarded != 0 {
		t.Errorf("stamps as they are: %+v", a)
	}
	s.has(t)

	two := f.siteNamed(t, customer, "two", schema([]string{"b", "a"}, column("a", "int"), column("b", "nvarchar(9)")))
	two.load(t, `["1",1,"x"]`, `["1",2,"x"]`, `["1",1,"X"]`)
	if a := two.remove(t, `["1","x",1]`); a.Deleted != 1 {
		t.Errorf("a key of two columns: %+v", a)
	}
	two.has(t, `["1",1,"X"]`, `["1",2,"x"]`)
}

func (s *site) tryDrop(t *testing.T, w wire.Writer, takeOver bool, seq *uint64) (wire.Answer, error) {
	t.Helper()
	return s.f.Drop(t.Context(), s.customer, s.table, cloud.Drop{Writer: w, TakeOver: takeOver, Seq: seq})
}

func (s *site) drop(t *testing.T) wire.Answer {
	t.Helper()
	a, err := s.tryDrop(t, writer, false, nil)
	if err != nil {
		t.Fatalf("Drop: %v", err)
	}
	s.version = a.Version
	return a
}

func testDrop(t *testing.T, f *fixture) {
	const n = 12_000 // more than one step of any store
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf(`["1",%d,"x"]`, i)
	}
	s := f.loaded(t, customer, simple, rows...)
	theirs := f.loaded(t, other, simple, `["1",1,"theirs"]`)

	second := wire.Writer{ID: "writer-2", Name: "site-b"}
	_, err := s.tryDrop(t, second, false, nil)
	_ = wantProblem(t, err, wire.SecondWriter)
	_, err = s.tryDrop(t, writer, false, ptr(uint64(7)))
	_ = wantProblem(t, err, wire.WrongSequence)
	if v := s.read(t); v.Rows != n || !v.Loaded {
		t.Errorf("a refused drop left %+v", v)
	}
	a, err := s.tryDrop(t, second, true, ptr(uint64(1)))
	want := wire.Version{Schema: simple.Fingerprint(), Writer: second}
	if err != nil || a.Deleted != n || a.Version != want {
		t.Errorf("Drop: %+v %v, want version %+v", a, err, want)
	}
	s.has(t)
	theirs.has(t, `["1",1,"theirs"]`)

	if a, err := s.tryDrop(t, second, false, nil); err != nil || a.Deleted != 0 {
		t.Errorf("dropped again: %+v %v", a, err)
	}
	s.version = a.Version
	_, err = s.apply(t, s.batch(wire.Repair, nil, func(h *wire.Header) { h.Writer = second }))
	_ = wantProblem(t, err, wire.WrongEpoch)
	b := s.batch(wire.Load, []string{`["1",1,"a"]`}, func(h *wire.Header) { h.Start, h.Writer = true, second })
	s.wantCounts(t, s.mustApply(t, b), 1, 0, 0)
	s.has(t, `["1",1,"a"]`)
}
