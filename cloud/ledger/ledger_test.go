package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidemark/cloud/ledger"
	"tidemark/internal/wire"
)

var now = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func TestStamp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		version, epoch, current := rapid.Uint64().Draw(t, "version"), rapid.Int64Range(1, 1<<62).Draw(t, "epoch"), rapid.Int64Range(1, 1<<62).Draw(t, "current")
		v, e, err := ledger.ParseStamp(ledger.AppendStamp(nil, version, epoch, current))
		if e == 0 {
			e = current
		}
		if err != nil || v != version || e != epoch {
			t.Fatalf("(%d, %d) became (%d, %d), %v", version, epoch, v, e, err)
		}
	})
	for _, bad := range []string{"", "@", "1@", "@1", "1@0", "1@-1", "01", "1@01", "+1", "-1", "1@+1", "1 ", "18446744073709551616", "1@9223372036854775808", "1@1@1", "x"} {
		if v, e, err := ledger.ParseStamp([]byte(bad)); err == nil {
			t.Errorf("ParseStamp(%q) = %d, %d", bad, v, e)
		}
	}
}

// Over any history of batches: a sequence number is applied once, a watermark
// never goes back within an epoch and moves only when its rows are all there,
// and a number of an epoch is never given to another.
func TestHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s ledger.State
		s = s.Register("schema-0", false)
		names := make(map[int64]string)
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			before := s
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				s = s.Register(fmt.Sprintf("schema-%d", i), rapid.Bool().Draw(t, "reload"))
				if s.Version.Seq != before.Version.Seq || s.Version.Epoch != before.Version.Epoch || s.Version.Rows != before.Version.Rows {
					t.Fatalf("registering changed %+v to %+v", before, s)
				}
			case 1:
				s = s.Release()
			case 2:
				if next, err := s.Drop(writer(t), rapid.Bool().Draw(t, "take over"), nil, now); err == nil {
					s = next
					if s.Version.Seq != 0 || s.Version.Epoch != "" || s.EpochNumber < before.EpochNumber {
						t.Fatalf("dropped: %+v", s)
					}
				}
			default:
				s = step(t, s, i)
			}
			if name, ok := names[s.EpochNumber]; ok && s.Version.Epoch != "" && name != s.Version.Epoch {
				t.Fatalf("number %d is that of epochs %q and %q", s.EpochNumber, name, s.Version.Epoch)
			}
			if s.Version.Epoch != "" {
				names[s.EpochNumber] = s.Version.Epoch
			}
			if s.Version.Epoch == before.Version.Epoch && s.Version.Watermark < before.Version.Watermark {
				t.Fatalf("the watermark went back: %+v, then %+v", before.Version, s.Version)
			}
			if !s.Version.Loaded && s.Version.Watermark > before.Version.Watermark {
				t.Fatalf("the watermark moved before the load was complete: %+v", s.Version)
			}
		}
	})
}

func writer(t *rapid.T) wire.Writer {
	return wire.Writer{ID: rapid.SampledFrom([]string{"a", "a", "a", "b"}).Draw(t, "writer")}
}

func step(t *rapid.T, s ledger.State, i int) ledger.State {
	mark := rapid.Uint64Range(0, 50).Draw(t, "watermark")
	h := wire.Header{Seq: s.Version.Seq + rapid.SampledFrom([]uint64{1, 1, 1, 1, 0, 2}).Draw(t, "seq"), ID: fmt.Sprint(i), Writer: writer(t), TakeOver: rapid.Bool().Draw(t, "take over"),
		Kind: rapid.SampledFrom([]wire.BatchKind{wire.Load, wire.Delta, wire.Repair, wire.Delete}).Draw(t, "kind"), Epoch: rapid.SampledFrom([]string{"x", "x", "x", "y"}).Draw(t, "epoch"),
		Schema: s.Version.Schema, Watermark: &mark}
	if h.Kind == wire.Load {
		h.Start, h.Complete = rapid.Bool().Draw(t, "start"), rapid.Bool().Draw(t, "complete")
	}
	next, replay, err := s.Admit(h, now)
	if err != nil {
		var p *wire.Problem
		if !errors.As(err, &p) || p.Version == nil || *p.Version != s.Version || next != s {
			t.Fatalf("refused with %v and %+v", err, next)
		}
		return s
	}
	if replay || next.Version.Seq != s.Version.Seq+1 || next.Version.Epoch != h.Epoch || next.Version.Writer != h.Writer {
		t.Fatalf("batch %+v on %+v: %+v, %v", h, s, next, replay)
	}
	again, replay, err := next.Admit(h, now)
	if err != nil || !replay || again != next {
		t.Fatalf("sent again: %+v, %v, %v", again, replay, err)
	}
	h.ID = "another"
	if _, _, err := next.Admit(h, now); err == nil {
		t.Fatal("another batch of the same number was admitted")
	}
	return next
}
