package fleet

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"

	"tidemark/cloud/cost"
)

// costsFor is how long a report of costs is shown: records come once a minute.
const costsFor = time.Minute

// Bounds of what is shown of datasets.
const (
	mostPlots    = 8
	mostDatasets = 200
)

var ranges = []struct {
	name, label string
	of          time.Duration
}{
	{"24h", "24 hours", 24 * time.Hour},
	{"7d", "7 days", 7 * 24 * time.Hour},
	{"30d", "30 days", 30 * 24 * time.Hour},
}

// costs keep the reports that were made last, one reader at a time.
type costs struct {
	store cost.Records

	mu   sync.Mutex
	made map[string]madeCosts
}

type madeCosts struct {
	at     time.Time
	report *cost.Report
}

func (c *costs) get(ctx context.Context, name string, of time.Duration, now time.Time) (*cost.Report, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, ok := c.made[name]; ok && now.Sub(m.at).Abs() < costsFor {
		return m.report, nil
	}
	r, err := cost.Read(ctx, c.store, cost.Query{By: cost.ByDataset, Since: now.Add(-of), Until: now, Now: now})
	if err != nil {
		return nil, err
	}
	if c.made == nil {
		c.made = map[string]madeCosts{}
	}
	c.made[name] = madeCosts{now, r}
	return r, nil
}

// A spent is what a dataset cost.
type spent struct {
	Name     string
	Read     int64
	Hit      int64
	Log      int64
	Requests int64
	Rows     int64
	Changed  int64
	Time     time.Duration
}

// costsPage shows what datasets cost over time.
func (p *Page) costsPage(r *http.Request) (string, any, error) {
	chosen := ranges[0]
	data := struct {
		Ranges  []choice
		Counted bool
		What    string
		Plots   []plot
		All     []spent
		More    int
	}{}
	for _, c := range ranges {
		if c.name == r.URL.Query().Get("range") {
			chosen = c
		}
	}
	for _, c := range ranges {
		data.Ranges = append(data.Ranges, choice{Name: c.name, Label: c.label, URL: "/costs?range=" + c.name, Chosen: c.name == chosen.name})
	}
	now := p.config.Now()
	report, err := p.costs.get(r.Context(), chosen.name, chosen.of, now)
	if err != nil {
		return "", nil, err
	}
	data.Counted, data.What = report.Counted, "seconds of requests an hour"
	value := func(e cost.Entry) float64 { return e.Time.Seconds() }
	if report.Counted {
		data.What = "blocks read an hour"
		value = func(e cost.Entry) float64 { return float64(max(e.AllRead, e.Read)) }
	}
	var entries []cost.Entry
	for _, e := range report.Entries {
		if has(query(r), e.Name) {
			entries = append(entries, e)
		}
	}
	for i, e := range entries {
		name := cmp.Or(e.Name, "(no table: versions, policies, reports)")
		if i < mostPlots {
			data.Plots = append(data.Plots, plotOf(name, e.Name, data.What, report, value, now.Add(-chosen.of), now))
		}
		if i < mostDatasets {
			data.All = append(data.All, spent{name, max(e.AllRead, e.Read), max(e.AllHit, e.Hit), e.Log, e.Requests, e.Rows, e.Changed, e.Time.Round(time.Millisecond)})
		}
	}
	data.More = max(0, len(entries)-mostDatasets)
	return "costs.html", data, nil
}
