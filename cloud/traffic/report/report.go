package report

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// A Report is what a Gatherer found. Its JSON form is read again to tell what
// has grown; fields are only ever added.
type Report struct {
	Version   int       `json:"version"`
	First     time.Time `json:"first"` // time of the first request
	Last      time.Time `json:"last"`
	Total     Row       `json:"total"`
	Endpoints []Row     `json:"endpoints"` // by requests
	Customers []Row     `json:"customers"`
	Tables    []Row     `json:"tables"`
	Hours     []Hour    `json:"hours"` // in order of time

	Malformed int64    `json:"malformed"`          // lines
	Examples  []string `json:"examples,omitempty"` // of them: file:line: reason
	Grown     []Growth `json:"grown,omitempty"`    // against the report before, the most first
}

// A Row is one endpoint, customer or table.
type Row struct {
	Name     string    `json:"name"`
	Requests uint64    `json:"requests"`
	In       uint64    `json:"bytes_in"`
	Out      uint64    `json:"bytes_out"`
	Statuses [6]uint64 `json:"statuses"` // 0: none, then by hundreds
	Mean     Seconds   `json:"mean_seconds"`
	P50      Seconds   `json:"p50_seconds"`
	P90      Seconds   `json:"p90_seconds"`
	P99      Seconds   `json:"p99_seconds"`
	Most     Seconds   `json:"max_seconds"`
}

// Seconds is a latency in JSON.
type Seconds float64

// An Hour is one hour of one endpoint.
type Hour struct {
	Hour string `json:"hour"` // "2006-01-02T15Z"
	Row
}

func (t *tally) row(name string) Row {
	seconds := func(d time.Duration) Seconds { return Seconds(d.Seconds()) }
	return Row{Name: name, Requests: t.requests, In: t.in, Out: t.out, Statuses: t.statuses, Mean: seconds(t.took.Mean()),
		P50: seconds(t.took.Quantile(.5)), P90: seconds(t.took.Quantile(.9)), P99: seconds(t.took.Quantile(.99)), Most: seconds(t.took.Most())}
}

func (t *tallies) rows() []Row {
	out := make([]Row, 0, len(t.cells))
	for name, c := range t.cells {
		out = append(out, c.row(name))
	}
	slices.SortFunc(out, func(a, b Row) int { return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Name, b.Name)) })
	return out
}

// Report sums up what was read until now.
func (g *Gatherer) Report() *Report {
	r := &Report{Version: 1, First: g.first, Last: g.last, Total: g.total.row("total"), Endpoints: g.endpoints.rows(),
		Customers: g.customers.rows(), Tables: g.tables.rows(), Malformed: g.malformed, Examples: g.examples}
	for _, key := range slices.Sorted(maps.Keys(g.hours)) {
		name := other
		if key >= 0 {
			name = time.Unix(key*3600, 0).UTC().Format(hourForm)
		}
		for _, endpoint := range slices.Sorted(maps.Keys(g.hours[key])) {
			r.Hours = append(r.Hours, Hour{name, g.hours[key][endpoint].row(endpoint)})
		}
	}
	return r
}

// A Growth is what became more since the report before.
type Growth struct {
	Kind   string  `json:"kind"` // endpoint, customer or table
	Name   string  `json:"name"`
	Before float64 `json:"requests_per_hour_before"`
	Now    float64 `json:"requests_per_hour"`
	Time   float64 `json:"seconds_per_hour_more"` // of answering
	New    bool    `json:"new,omitempty"`
}

// maxGrown is how many a report names.
const maxGrown = 20

// Compare sets Grown: what takes more of an hour's time than in the report
// before, the most first. Both are taken by the hour, so that a day can be
// held against a week.
func (r *Report) Compare(before *Report) {
	r.Grown = nil
	for _, part := range []struct {
		kind     string
		now, old []Row
	}{{"endpoint", r.Endpoints, before.Endpoints}, {"customer", r.Customers, before.Customers}, {"table", r.Tables, before.Tables}} {
		old := make(map[string]Row, len(part.old))
		for _, row := range part.old {
			old[row.Name] = row
		}
		for _, row := range part.now {
			was, known := old[row.Name]
			g := Growth{Kind: part.kind, Name: row.Name, New: !known, Before: before.hourly(float64(was.Requests)), Now: r.hourly(float64(row.Requests)),
				Time: r.hourly(float64(row.Mean)*float64(row.Requests)) - before.hourly(float64(was.Mean)*float64(was.Requests))}
			if g.Now > g.Before || g.Time > 0 {
				r.Grown = append(r.Grown, g)
			}
		}
	}
	slices.SortStableFunc(r.Grown, func(a, b Growth) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(b.Now-b.Before, a.Now-a.Before))
	})
	r.Grown = r.Grown[:min(len(r.Grown), maxGrown)]
}

// hourly divides by the hours that the report spans, at least one.
func (r *Report) hourly(n float64) float64 { return n / max(r.Last.Sub(r.First).Hours(), 1) }
