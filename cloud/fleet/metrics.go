package fleet

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
)

// counts are what the page tells of itself.
type counts struct {
	mu             sync.Mutex
	pages, signIns map[string]int
}

func (c *counts) page(view string)      { c.add(&c.pages, view) }
func (c *counts) signIn(outcome string) { c.add(&c.signIns, outcome) }

func (c *counts) add(to *map[string]int, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if *to == nil {
		*to = map[string]int{}
	}
	(*to)[name]++
}

// WriteMetrics writes metrics in the text format of Prometheus; of no page,
// none.
func (p *Page) WriteMetrics(w io.Writer) {
	if p == nil {
		return
	}
	p.counts.mu.Lock()
	defer p.counts.mu.Unlock()
	for _, f := range []struct {
		name, help, label string
		of                map[string]int
	}{
		{"tidemark_fleet_pages_total", "pages shown to operators' browsers", "view", p.counts.pages},
		{"tidemark_fleet_sign_ins_total", "attempts to sign in at the fleet page", "outcome", p.counts.signIns},
	} {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s counter\n", f.name, f.help, f.name)
		for _, k := range slices.Sorted(maps.Keys(f.of)) {
			fmt.Fprintf(w, "%s{%s=%q} %d\n", f.name, f.label, k, f.of[k])
		}
	}
	p.watcher.mu.Lock()
	defer p.watcher.mu.Unlock()
	if v := p.watcher.last; v != nil {
		fmt.Fprintf(w, "# HELP tidemark_fleet_snapshot_seconds time that the last snapshot of the fleet took to read\n# TYPE tidemark_fleet_snapshot_seconds gauge\ntidemark_fleet_snapshot_seconds %g\n", v.Took.Seconds())
	}
}
