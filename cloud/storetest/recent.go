package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

func testRecent(t *testing.T, f *fixture) {
	of := func(customer string) []cloud.Taken {
		t.Helper()
		all, err := f.Recent(t.Context(), customer)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(all, func(a, b cloud.Taken) int {
			return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(b.Seq, a.Seq))
		})
		return all
	}
	are := func(want ...cloud.Taken) {
		t.Helper()
		if d := gocmp.Diff(want, of(customer), cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
	}
	are()
	s := f.site(t, customer, simple)
	are()
	at := func(second int) time.Time {
		return start.Add(time.Duration(second)*time.Second + time.Microsecond)
	}
	batch := func(kind wire.BatchKind, second int, rows ...string) cloud.Batch {
		b := s.batch(kind, rows, func(h *wire.Header) {
			if kind == wire.Load {
				h.Start, h.Complete, h.Watermark = true, true, ptr(uint64(100))
			}
		})
		b.Now, b.Bytes, b.Request = at(second), 100+second, fmt.Sprintf("request-%d", second)
		return b
	}
	taken := func(seq uint64, kind wire.BatchKind, second int) cloud.Taken {
		return cloud.Taken{Table: table, At: at(second), Seq: seq, Kind: kind, Bytes: 100 + second, Request: fmt.Sprintf("request-%d", second)}
	}
	s.mustApply(t, batch(wire.Load, 1, `["5",1,"a"]`, `["6",2,"b"]`, `![3]`))
	load := taken(1, wire.Load, 1)
	load.Inserted, load.Refused = 2, 1
	are(load)

	again := batch(wire.Delta, 2, `["7",1,"aa"]`, `["6",2,"b"]`)
	s.mustApply(t, again)
	delta := taken(2, wire.Delta, 2)
	delta.Updated, delta.Unchanged = 1, 1
	are(delta, load)
	// One that is answered again, and one that is refused, are not taken.
	if a, err := s.apply(t, again); err != nil || !a.Replayed {
		t.Errorf("%+v, %v", a, err)
	}
	bad := batch(wire.Delta, 3)
	bad.Header.Seq += 5
	_, err := s.apply(t, bad)
	_ = wantProblem(t, err, wire.WrongSequence)
	are(delta, load)

	s.mustApply(t, batch(wire.Delete, 4, `["7",1]`, `["9",2]`))
	remove := taken(3, wire.Delete, 4)
	remove.Deleted, remove.Guarded = 1, 1
	are(remove, delta, load)

	// Others have their own, and no table has more than so many.
	o := f.siteNamed(t, other, table, simple)
	o.load(t, `["5",1,"a"]`)
	if got := of(other); len(got) != 1 || got[0].Inserted != 1 {
		t.Errorf("%+v", got)
	}
	for i := range cloud.KeptBatches {
		s.mustApply(t, batch(wire.Delta, 10+i, `["100",3,"x"]`))
	}
	if got := of(customer); len(got) != cloud.KeptBatches || got[len(got)-1].Seq != 4 || got[0].Seq != 3+cloud.KeptBatches {
		t.Errorf("%d are remembered: %+v", len(got), got)
	}

	// A long ID is cut.
	long := batch(wire.Delta, 50, `["101",3,"x"]`)
	long.Request = "0123456789012345678901234567890123456789"
	s.mustApply(t, long)
	if got := of(customer)[0].Request; got != long.Request[:33] {
		t.Errorf("request %q", got)
	}
	if err := f.RemoveCustomer(t.Context(), customer); err != nil {
		t.Fatal(err)
	}
	are()
}
