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
	caps := map[int]int{}
	for i := range sites * tables {
		p := scheduler.Limits{MaxSkips: 60}.Phased(fmt.Sprintf("site-%d dbo.t%d", i/tables, i%tables))
		caps[p.MaxSkips]++
	}
	for n, many := range caps {
		if mean := sites * tables / 31; many > 2*mean {
			t.Errorf("%d of %d tables have the cap %d", many, sites*tables, n)
		}
	}
	if len(caps) != 31 {
		t.Errorf("%d different caps from 30 to 60", len(caps))
	}
}
