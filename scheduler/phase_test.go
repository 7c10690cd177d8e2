package scheduler_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"tidemark/scheduler"
)

// TestPhased holds that caps of a table's own are never longer than those
// configured, nor much shorter, and are spread.
func TestPhased(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := scheduler.Limits{ForcedSkips: rapid.IntRange(0, 10_000).Draw(t, "forced"), MaxSkips: rapid.IntRange(0, 10_000).Draw(t, "max")}
		seed := rapid.String().Draw(t, "seed")
		p := l.Phased(seed)
		if p.MaxSkips > l.MaxSkips || 2*p.MaxSkips < l.MaxSkips || p.ForcedSkips > l.ForcedSkips || 4*p.ForcedSkips < 3*l.ForcedSkips || p != l.Phased(seed) {
			t.Errorf("%+v of %+v", p, l)
		}
	})
	const sites, tables = 1000, 10
	caps, forced, both := map[int]int{}, map[int]int{}, map[scheduler.Limits]int{}
	for i := range sites * tables {
		p := scheduler.Limits{MaxSkips: 60, ForcedSkips: 120}.Phased(fmt.Sprintf("site-%d dbo.t%d", i/tables, i%tables))
		caps[p.MaxSkips]++
		forced[p.ForcedSkips]++
		both[p]++
	}
	for what, all := range map[string]map[int]int{"caps": caps, "forced skips": forced} {
		if len(all) != 31 {
			t.Errorf("%d different %s", len(all), what)
		}
		for n, many := range all {
			if mean := sites * tables / 31; many > 2*mean {
				t.Errorf("%d of %d tables have %d %s", many, sites*tables, n, what)
			}
		}
	}
	if len(both) < 31*31*9/10 {
		t.Errorf("tables with the same cap have the same forced skips: %d pairs", len(both))
	}
}
