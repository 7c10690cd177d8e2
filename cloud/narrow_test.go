package cloud

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidemark/internal/wire"
)

func TestNarrow(t *testing.T) {
	fleet := wire.Policy{Tables: map[string]wire.TablePolicy{"*": {MinInterval: 60, MaxRows: 500}, "a": {Disabled: true, Reason: "fleet"}}}
	own := wire.Policy{Paused: true, Reason: "own", Tables: map[string]wire.TablePolicy{"a": {ForcedSkips: 3}, "b": {MinInterval: 10, MaxRows: 100, Reason: "slow"}}}
	want := wire.Policy{Paused: true, Reason: "own", Tables: map[string]wire.TablePolicy{
		"*": {MinInterval: 60, MaxRows: 500},
		"a": {Disabled: true, Reason: "fleet", ForcedSkips: 3},
		"b": {MinInterval: 60, MaxRows: 100, Reason: "slow"},
	}}
	if d := cmp.Diff(want, narrow(fleet, own)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(wire.Policy{}, narrow(wire.Policy{}, wire.Policy{})); d != "" {
		t.Error(d)
	}
}

// For every table the narrower of two policies allows nothing that either of
// them forbids.
func TestNarrowForbidsWhatEitherDoes(t *testing.T) {
	names := rapid.SampledFrom([]string{"*", "a", "b"})
	table := rapid.Custom(func(t *rapid.T) wire.TablePolicy {
		return wire.TablePolicy{Disabled: rapid.Bool().Draw(t, "disabled"), MinInterval: rapid.IntRange(0, 3).Draw(t, "interval"),
			ForcedSkips: rapid.IntRange(0, 3).Draw(t, "skips"), MaxRows: rapid.IntRange(0, 3).Draw(t, "rows")}
	})
	policies := rapid.Custom(func(t *rapid.T) wire.Policy {
		return wire.Policy{Paused: rapid.Bool().Draw(t, "paused"), Tables: rapid.MapOfN(names, table, 0, 3).Draw(t, "tables")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := policies.Draw(t, "a"), policies.Draw(t, "b")
		both := narrow(a, b)
		if both.Paused != (a.Paused || b.Paused) {
			t.Fatal("paused")
		}
		for _, name := range []string{"a", "b", "c"} {
			got := tablePolicy(both, name)
			for _, p := range []wire.TablePolicy{tablePolicy(a, name), tablePolicy(b, name)} {
				if p.Disabled && !got.Disabled || p.MinInterval > got.MinInterval || p.ForcedSkips > got.ForcedSkips || p.MaxRows > 0 && (got.MaxRows == 0 || got.MaxRows > p.MaxRows) {
					t.Fatalf("table %s: %+v allows what %+v forbids", name, got, p)
				}
			}
		}
	})
}
