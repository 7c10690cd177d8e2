package differ_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"tidemark/differ"
	"tidemark/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var intKey = []wire.Type{{Kind: wire.Int}}

func (m *model) run(o differ.Options) (differ.Report, error) {
	o.Types = m.types()
	o.Watermark = m.watermark
	return differ.ByManifest(context.Background(), o, m, m)
}

// TestNoWrongDelete lets the source change, and deltas go up, between any two
// steps of a diff whose filter is far too small. No row is deleted that the
// source holds below the watermark; once the world rests, both sides become
// equal.
func TestNoWrongDelete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		for range rapid.IntRange(0, 60).Draw(t, "before") {
			m.change()
		}
		for _, k := range m.keys("lost in the cloud") {
			delete(m.cloud, k)
		}
		for _, k := range m.keys("of another epoch") {
			m.cloud[k] = "7@1"
		}
		small := differ.Options{FilterBytes: 8, Slice: rapid.IntRange(1, 5).Draw(t, "slice"), Lookup: 3}
		m.restless = true
		for range rapid.IntRange(1, 3).Draw(t, "diffs") {
			if _, err := m.run(small); err != nil {
				t.Fatal(err)
			}
		}
		m.restless = false
		if m.wrong != nil {
			t.Fatalf("wrong deletes: %v", m.wrong)
		}
		m.delta()
		for n := 0; !m.equal(); n++ {
			if n == 300 {
				t.Fatalf("not equal after %d diffs:\nsource %v\ncloud %v", n, m.source, m.cloud)
			}
			if _, err := m.run(small); err != nil {
				t.Fatal(err)
			}
			m.delta()
		}
		if m.wrong != nil {
			t.Fatalf("wrong deletes: %v", m.wrong)
		}
	})
}

// TestDryRun changes nothing and finds what the run after it does.
func TestDryRun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		for range rapid.IntRange(0, 60).Draw(t, "before") {
			m.change()
		}
		m.delta()
		for _, k := range m.keys("lost in the cloud") {
			delete(m.cloud, k)
		}
		before := len(m.cloud)
		dry, err := m.run(differ.Options{DryRun: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(m.cloud) != before || dry.Inserted+dry.Updated+dry.Deleted != 0 {
			t.Fatalf("a dry run did something: %+v", dry)
		}
		wet, err := m.run(differ.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(dry.Plan, wet.Plan); diff != "" {
			t.Fatalf("dry run and run found different things:\n%s", diff)
		}
		if wet.Inserted != wet.Missing || wet.Updated != wet.Stale || wet.Deleted+wet.Hidden != wet.Surplus {
			t.Fatalf("done otherwise than planned: %+v", wet)
		}
	})
}

func TestManifest(t *testing.T) {
	fill := func(m *model, n int) {
		for k := range n {
			m.write(k)
		}
		m.delta()
	}
	tests := []struct {
		name    string
		prepare func(*model) differ.Options
		want    differ.Report
		lists   int
	}{
		{"both empty", func(*model) differ.Options { return differ.Options{} }, differ.Report{}, 0},
		{"equal: the cloud is not listed", func(m *model) differ.Options {
			fill(m, 10)
			return differ.Options{}
		}, differ.Report{Plan: differ.Plan{Compared: 10, Matched: 10, Cloud: 10}}, 0},
		{"source empty", func(m *model) differ.Options {
			fill(m, 5)
			clear(m.source)
			return differ.Options{}
		}, differ.Report{Plan: differ.Plan{Surplus: 5, Cloud: 5}, Deleted: 5}, 2},
		{"above the watermark is left to the delta", func(m *model) differ.Options {
			fill(m, 4)
			m.write(2)
			m.write(9)
			return differ.Options{}
		}, differ.Report{Plan: differ.Plan{Compared: 5, Matched: 3, Later: 2, Cloud: 4}}, 0},
		{"missing, stale and surplus", func(m *model) differ.Options {
			fill(m, 6)
			delete(m.cloud, 0)
			m.cloud[1] = "1@3"
			delete(m.source, 2)
			return differ.Options{}
		}, differ.Report{Plan: differ.Plan{Compared: 5, Matched: 3, Missing: 1, Stale: 1, Surplus: 1, Cloud: 5}, Inserted: 1, Updated: 1, Deleted: 1}, 1},
		{"rows that cannot be sent", func(m *model) differ.Options {
			m.refuse = func(k int) bool { return k < 2 }
			fill(m, 6)
			m.cloud[1] = "1@3"
			return differ.Options{}
		}, differ.Report{Plan: differ.Plan{Compared: 6, Matched: 4, Missing: 1, Stale: 1, Cloud: 5}, Absent: 1, Held: 1}, 0},
		{"rows that cannot be read", func(m *model) differ.Options {
			m.unusable = func(k int) bool { return k < 2 }
			fill(m, 6)
			delete(m.cloud, 0)
			m.cloud[1] = "1@3"
			return differ.Options{}
		}, differ.Report{Plan: differ.Plan{Compared: 6, Matched: 4, Missing: 1, Stale: 1, Cloud: 5}, Absent: 1, Held: 1}, 0},
		{"listing stops when all are found", func(m *model) differ.Options {
			fill(m, 30)
			delete(m.source, 1)
			return differ.Options{}
		}, differ.Report{Plan: differ.Plan{Compared: 29, Matched: 29, Surplus: 1, Cloud: 30}, Deleted: 1}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				m := newModel(rt)
				got, err := m.run(tt.prepare(m))
				if err != nil {
					rt.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(differ.Report{}, "Version", "Hidden")); diff != "" && got.Hidden == 0 {
					rt.Fatalf("report (-want +got):\n%s", diff)
				}
				if m.lists != tt.lists && got.Hidden == 0 {
					rt.Fatalf("listed %d pages, want %d", m.lists, tt.lists)
				}
			})
		})
	}
}

func TestApproval(t *testing.T) {
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
			m := newModel(nil)
			m.page = 5000
			for k := range rows {
				m.write(k)
			}
			m.delta()
			for k := range tt.deleted {
				delete(m.source, k)
			}
			r, err := differ.ByManifest(context.Background(), differ.Options{Types: intKey, Watermark: m.watermark, Approved: tt.approved}, whole{m}, m)
			if err != nil {
				t.Fatal(err)
			}
			if r.Waiting != tt.waiting || tt.waiting && m.deletes != 0 {
				t.Errorf("waiting %v, %d deletes; want waiting %v", r.Waiting, m.deletes, tt.waiting)
			}
			if tt.waiting && len(r.Sample) == 0 {
				t.Error("no sample of the keys to approve")
			}
			if !tt.waiting && r.Deleted+r.Hidden != int64(tt.deleted) {
				t.Errorf("deleted %d, hidden %d of %d", r.Deleted, r.Hidden, tt.deleted)
			}
		})
	}
}

// whole is a model that answers lookups whole, without drawing.
type whole struct{ *model }

func (w whole) Lookup(_ context.Context, keys [][]byte, out *wire.Lines) ([]differ.Found, error) {
	found := make([]differ.Found, len(keys))
	for i, raw := range keys {
		if rv, ok := w.source[w.parseKey(raw)]; ok {
			found[i] = differ.There
			w.addLine(out, stamp(rv), w.parseKey(raw))
		}
	}
	return found, nil
}

func TestBadAnswers(t *testing.T) {
	errCloud := errors.New("cloud is away")
	for _, tt := range []struct {
		name   string
		answer func(wire.Comparison) (wire.Comparison, error)
	}{
		{"an error", func(c wire.Comparison) (wire.Comparison, error) { return c, errCloud }},
		{"an index that was not sent", func(c wire.Comparison) (wire.Comparison, error) { c.Missing = []int{99}; return c, nil }},
		{"indexes out of order", func(c wire.Comparison) (wire.Comparison, error) { c.Stale = []int{2, 1}; return c, nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newModel(nil)
			for k := range 3 {
				m.write(k)
			}
			m.delta()
			m.cloud[50] = "1"
			_, err := differ.ByManifest(context.Background(), differ.Options{Types: intKey}, whole{m}, badCloud{m, tt.answer})
			if err == nil || m.deletes > 0 {
				t.Errorf("error %v after %d deletes", err, m.deletes)
			}
		})
	}
}

type badCloud struct {
	*model
	answer func(wire.Comparison) (wire.Comparison, error)
}

func (b badCloud) Compare(ctx context.Context, lines wire.Lines) (wire.Comparison, error) {
	c, err := b.model.Compare(ctx, lines)
	if err != nil {
		return c, err
	}
	return b.answer(c)
}
