package fleet

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"tidemark/cloud/cost"
)

// costsFor is how long a report of costs is shown: records come once a minute.
const costsFor = time.Minute

// Bounds of what is shown of costs, and of the reports that are kept.
const (
	mostPlots   = 8
	mostEntries = 200
	mostReports = 32
)

var ranges = []struct {
	name, label string
	of          time.Duration
}{
	{"24h", "24 hours", 24 * time.Hour},
	{"7d", "7 days", 7 * 24 * time.Hour},
	{"30d", "30 days", 30 * 24 * time.Hour},
}

var bys = []struct {
	by                      cost.By
	label, one, whose, note string
}{
	{cost.ByDataset, "Tables", "Table", "for requests and all else", ""},
	{cost.ByCustomer, "Customers", "Customer", "for their requests", "Told apart are the customers that took most time in each hour."},
	{cost.ByEndpoint, "Endpoints", "Endpoint", "for requests", ""},
}

// costs keep the reports that were made last, one reader at a time.
type costs struct {
	store cost.Records

	mu   sync.Mutex
	made map[asked]madeCosts
}

// asked is what a report of costs is about.
type asked struct {
	of              time.Duration
	by              cost.By
	table, customer string // only this one; "": all
}

type madeCosts struct {
	at     time.Time
	report *cost.Report
}

func (c *costs) get(ctx context.Context, q asked, now time.Time) (*cost.Report, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, ok := c.made[q]; ok && now.Sub(m.at).Abs() < costsFor {
		return m.report, nil
	}
	r, err := cost.Read(ctx, c.store, cost.Query{By: q.by, Dataset: q.table, Customer: q.customer, Since: now.Add(-q.of), Until: now, Now: now})
	if err != nil {
		return nil, err
	}
	if c.made == nil || len(c.made) >= mostReports {
		c.made = map[asked]madeCosts{}
	}
	c.made[q] = madeCosts{now, r}
	return r, nil
}

// A spent is what a table, a customer or an endpoint cost.
type spent struct {
	Name     string
	URL      string // of more about it; "": there is no more
	Read     int64
	Hit      int64
	Log      int64
	Requests int64
	Rows     int64
	Changed  int64
	Time     time.Duration
}

// costsPage shows what tables, customers or endpoints cost over time, and what
// is left of the volume's burst.
func (p *Page) costsPage(r *http.Request) (string, any, error) {
	chosen, by, q := ranges[0], bys[0], r.URL.Query()
	data := struct {
		Ranges, Bys []choice
		Budget      *budget
		Counted     bool
		One         string // what is told apart
		Whose, Note string
		Table       string
		Customer    string
		Plots       []plot
		All         []spent
		More        int
	}{Budget: p.budget(), Table: q.Get("table"), Customer: q.Get("customer")}
	for _, c := range ranges {
		if c.name == q.Get("range") {
			chosen = c
		}
	}
	for _, b := range bys {
		if string(b.by) == q.Get("by") && data.Customer == "" {
			by = b
		}
	}
	for _, c := range ranges {
		data.Ranges = append(data.Ranges, choice{Name: c.name, Label: c.label, URL: costsURL(q, "range", c.name), Chosen: c.name == chosen.name})
	}
	if data.Customer != "" { // of one, tables alone are told
		by.whose, by.note = "for its requests", "Hours in which it was not among the customers that took most time are not told."
	}
	for _, b := range bys {
		data.Bys = append(data.Bys, choice{Name: string(b.by), Label: b.label, URL: costsURL(q, "by", string(b.by)), Chosen: b.by == by.by})
	}
	now := p.config.Now()
	report, err := p.costs.get(r.Context(), asked{chosen.of, by.by, data.Table, data.Customer}, now)
	if err != nil {
		return "", nil, err
	}
	data.Counted, data.One, data.Whose, data.Note = report.Counted, by.one, by.whose, by.note
	what, value := "seconds of requests an hour", func(e cost.Entry) float64 { return e.Time.Seconds() }
	if report.Counted {
		what, value = "blocks read an hour", func(e cost.Entry) float64 { return float64(max(e.AllRead, e.Read)) }
	}
	n, s := 0, newSearch(query(r))
	for _, e := range report.Entries {
		if !s.in(e.Name) {
			continue
		}
		name := cmp.Or(e.Name, "(no table: versions, policies, reports)")
		if n < mostPlots {
			data.Plots = append(data.Plots, plotOf(name, e.Name, what, report, value, now.Add(-chosen.of), now))
		}
		if n++; n <= mostEntries {
			data.All = append(data.All, spent{name, moreURL(q, by.by, e.Name), max(e.AllRead, e.Read), max(e.AllHit, e.Hit), e.Log, e.Requests, e.Rows, e.Changed, e.Time.Round(time.Millisecond)})
		}
	}
	data.More = max(0, n-mostEntries)
	return "costs.html", data, nil
}

// costsAbout are the parts of a query that tell which costs are shown, beside
// what is searched for among them.
var costsAbout = []string{"by", "customer", "range", "table"}

// costsURL is the page of costs with one thing otherwise.
func costsURL(q url.Values, name, value string) string {
	to := url.Values{name: {value}}
	for _, keep := range append(slices.Clone(costsAbout), "q") {
		if v := q.Get(keep); v != "" && keep != name && (name != "by" || keep != "q" && keep != "customer") { // of another kind nothing is called that
			to.Set(keep, v)
		}
	}
	return "/costs?" + to.Encode()
}

// moreURL leads from a table to the customers that it is read for, and from a
// customer to its page.
func moreURL(q url.Values, by cost.By, name string) string {
	switch {
	case name == "" || name == cost.Other || name == cost.Background:
		return ""
	case by == cost.ByCustomer:
		return "/customers/" + url.PathEscape(name)
	case by == cost.ByDataset:
		to := url.Values{"by": {string(cost.ByCustomer)}, "table": {name}}
		if r := q.Get("range"); r != "" {
			to.Set("range", r)
		}
		return "/costs?" + to.Encode()
	}
	return ""
}
