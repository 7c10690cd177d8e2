package storetest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidemark/cloud/ledger"
	"tidemark/internal/wire"
)

// state is what a model holds of a row.
type state struct {
	version uint64
	epoch   int64
	value   int
}

// testModel holds random histories of batches against a map.
func testModel(t *testing.T, f *fixture) {
	tables := 0
	rapid.Check(t, func(r *rapid.T) {
		tables++
		s := f.siteNamed(t, customer, fmt.Sprintf("model %d", tables), schema([]string{"id"}, column("id", "int"), column("v", "int")))
		rows := make(map[int]state)
		number := int64(1)
		s.load(t)
		for range rapid.IntRange(1, 8).Draw(r, "batches") {
			switch rapid.IntRange(0, 5).Draw(r, "kind") {
			case 0:
				s.modelDelete(t, r, rows, number)
			case 1:
				s.epoch = fmt.Sprintf("epoch %d", number)
				number++
				s.load(t)
			default:
				s.modelDelta(t, r, rows, number)
			}
		}
		var want []string
		for _, id := range slices.Sorted(maps.Keys(rows)) {
			row := rows[id]
			current := number
			if row.epoch == number {
				row.epoch, current = 0, 0
			}
			want = append(want, fmt.Sprintf(`["%s",%d,%d]`, ledger.AppendStamp(nil, row.version, row.epoch, current), id, row.value))
		}
		if d := cmp.Diff(want, s.rows(t)); d != "" {
			r.Fatal(d)
		}
		if v := s.read(t); v.Rows != int64(len(rows)) || v != s.version {
			r.Fatalf("version %+v, answered %+v, %d rows", v, s.version, len(rows))
		}
	})
}

func (s *site) modelDelta(t *testing.T, r *rapid.T, rows map[int]state, number int64) {
	var text []string
	inserted := 0
	for range rapid.IntRange(0, 6).Draw(r, "rows") {
		id, row := rapid.IntRange(0, 5).Draw(r, "id"), state{uint64(rapid.IntRange(1, 4).Draw(r, "version")), number, rapid.IntRange(0, 9).Draw(r, "value")}
		text = append(text, fmt.Sprintf(`["%d",%d,%d]`, row.version, id, row.value))
		old, ok := rows[id]
		if !ok {
			inserted++
		}
		if !ok || old.epoch != number || row.version > old.version {
			rows[id] = row
		}
	}
	a := s.mustApply(t, s.batch(rapid.SampledFrom([]wire.BatchKind{wire.Delta, wire.Repair, wire.Load}).Draw(r, "as"), text))
	if a.Inserted != inserted {
		r.Fatalf("inserted %d, want %d", a.Inserted, inserted)
	}
	if !a.Version.Loaded {
		r.Fatalf("a load that does not start leaves the version loaded: %+v", a.Version)
	}
}

func (s *site) modelDelete(t *testing.T, r *rapid.T, rows map[int]state, number int64) {
	var text []string
	deleted := 0
	for range rapid.IntRange(0, 4).Draw(r, "keys") {
		id, version, epoch := rapid.IntRange(0, 5).Draw(r, "id"), uint64(rapid.IntRange(1, 4).Draw(r, "version")), rapid.Int64Range(1, number).Draw(r, "epoch")
		text = append(text, fmt.Sprintf(`["%s",%d]`, ledger.AppendStamp(nil, version, epoch, number), id))
		if old, ok := rows[id]; ok && old.version == version && old.epoch == epoch {
			delete(rows, id)
			deleted++
		}
	}
	if a := s.remove(t, text...); a.Deleted != deleted || a.Guarded != len(text)-deleted {
		r.Fatalf("%+v, want %d of %d deleted", a, deleted, len(text))
	}
}
