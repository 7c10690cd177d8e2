package fleet

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Bounds of a heat map.
const (
	pageRows   = 100
	mostTables = 60
)

// A heat is a page of the heat map.
type heat struct {
	*Snapshot
	Totals            totals
	Old               time.Duration // of the snapshot
	Show              string
	Shows             []choice
	Columns           []column
	More              int // datasets that have no column
	Rows              []heatRow
	First, Last, Of   int
	Previous, Next    string
	ByTable, NoFilter bool
	Budget            *budget
}

// A choice is one of several views of the same; Count is what it would show.
type choice struct {
	Name, Label, URL string
	Count            int
	Chosen           bool
}

type column struct{ Name, Short string }

type heatRow struct {
	Customer *customer
	Status   string
	Tone     string
	Cells    []cell
	Rest     cell
}

// A cell is a table of a customer: a class, a few letters that say the same,
// and words where it is not well.
type cell struct{ Class, Text, Title string }

// fleet shows the heat map.
func (p *Page) fleet(r *http.Request) (string, any, error) {
	v, err := p.watcher.Look(r.Context())
	if err != nil {
		return "", nil, err
	}
	q := strings.TrimSpace(query(r))
	if c := v.byID[strings.ToLower(q)]; c != nil {
		return "", "/customers/" + url.PathEscape(c.ID), nil
	}
	h := &heat{Snapshot: v, Totals: v.totals, Old: p.config.Now().Sub(v.At), Show: r.URL.Query().Get("show"), NoFilter: q == "", Budget: p.budget()}
	all, datasets := v.search(q)
	h.ByTable = datasets != nil
	h.choose(all, q)
	all = filter(all, h.Show)
	h.Of = len(all)
	page := number(r, "page", 1)
	page = min(page, max(1, (len(all)+pageRows-1)/pageRows))
	from := (page - 1) * pageRows
	to := min(from+pageRows, len(all))
	h.First, h.Last = min(from+1, to), to
	if page > 1 {
		h.Previous = link(q, h.Show, page-1)
	}
	if to < len(all) {
		h.Next = link(q, h.Show, page+1)
	}
	h.draw(all[from:to], datasets)
	return "fleet.html", h, nil
}

func link(q, show string, page int) string {
	values := url.Values{}
	if q != "" {
		values.Set("q", q)
	}
	if show != "" {
		values.Set("show", show)
	}
	if page > 1 {
		values.Set("page", fmt.Sprint(page))
	}
	if len(values) == 0 {
		return "/"
	}
	return "/?" + values.Encode()
}

// search finds customers, the worst first: by ID, name, host, version or what
// is wrong. Where none is found, or a table is called just that, it finds
// those that have tables of such a name, which are the datasets then.
func (v *Snapshot) search(q string) (all []*customer, datasets map[int32]bool) {
	if q == "" {
		return v.customers, nil
	}
	datasets = v.called(func(name string) bool { return strings.EqualFold(name, q) })
	if len(datasets) == 0 {
		s := newSearch(q)
		for _, c := range v.customers {
			if s.in(c.ID, c.Name, c.Host, c.Version, c.OS, c.Worst) {
				all = append(all, c)
			}
		}
		if len(all) > 0 {
			return all, nil
		}
		datasets = v.called(func(name string) bool { return s.in(name) })
	}
	if len(datasets) == 0 {
		return nil, nil
	}
	worst := map[*customer]time.Duration{}
	for _, c := range v.customers {
		for _, t := range c.Tables {
			if datasets[t.dataset] {
				b := c.behind(t, v.At)
				if t.kind == ill {
					b = 1 << 62
				}
				worst[c] = max(worst[c], b)
			}
		}
		if _, has := worst[c]; has {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b *customer) int { return cmp.Compare(worst[b], worst[a]) })
	return all, datasets
}

// called are the datasets whose name is one.
func (v *Snapshot) called(is func(name string) bool) map[int32]bool {
	all := map[int32]bool{}
	for i, name := range v.datasets {
		if is(name) {
			all[int32(i)] = true
		}
	}
	return all
}

var filters = []struct {
	name, label string
	has         func(*customer) bool
}{
	{"", "All", func(*customer) bool { return true }},
	{"problems", "With problems", func(c *customer) bool { return c.Ill > 0 || c.Problem != "" }},
	{"silent", "Silent", func(c *customer) bool { return c.Silent && !c.Received.IsZero() }},
	{"behind", "Behind", func(c *customer) bool { return c.Late > 0 }},
	{"quarantine", "Rows in quarantine", func(c *customer) bool { return c.Held > 0 }},
	{"unheard", "Never reported", func(c *customer) bool { return c.Received.IsZero() }},
}

func (h *heat) choose(all []*customer, q string) {
	known := false
	for _, f := range filters {
		n := 0
		for _, c := range all {
			if f.has(c) {
				n++
			}
		}
		known = known || f.name == h.Show
		h.Shows = append(h.Shows, choice{f.name, f.label, link(q, f.name, 1), n, f.name == h.Show})
	}
	if !known {
		h.Show, h.Shows[0].Chosen = "", true
	}
}

func filter(all []*customer, show string) (out []*customer) {
	for _, f := range filters {
		if f.name != show || show == "" {
			continue
		}
		for _, c := range all {
			if f.has(c) {
				out = append(out, c)
			}
		}
		return out
	}
	return all
}

// draw makes the rows, with a column for each dataset; where there are too
// many, for those that are worst.
func (h *heat) draw(rows []*customer, only map[int32]bool) {
	badness := map[int32]int{}
	for _, c := range rows {
		for _, t := range c.Tables {
			if only == nil || only[t.dataset] {
				badness[t.dataset] += 1 + 1000*int(max(c.level(t, h.At), fine)-fine)
			}
		}
	}
	chosen := make([]int32, 0, len(badness))
	for d := range badness {
		chosen = append(chosen, d)
	}
	slices.SortFunc(chosen, func(a, b int32) int {
		return cmp.Or(cmp.Compare(badness[b], badness[a]), cmp.Compare(h.datasets[a], h.datasets[b]))
	})
	if len(chosen) > mostTables {
		h.More, chosen = len(chosen)-mostTables, chosen[:mostTables]
	}
	slices.SortFunc(chosen, func(a, b int32) int { return cmp.Compare(h.datasets[a], h.datasets[b]) })
	place := make(map[int32]int, len(chosen))
	for i, d := range chosen {
		place[d] = i
		h.Columns = append(h.Columns, column{h.datasets[d], shorten(h.datasets[d], 26)})
	}
	for _, c := range rows {
		row := heatRow{Customer: c, Cells: make([]cell, len(chosen)), Rest: cell{Class: "l0"}}
		row.Status, row.Tone = c.status(h.At)
		rest := none
		for _, t := range c.Tables {
			l := c.level(t, h.At)
			if i, ok := place[t.dataset]; ok {
				row.Cells[i] = c.cell(t, l, h.datasets[t.dataset], h.At)
			} else if only == nil && l > rest {
				rest, row.Rest = l, c.cell(t, l, h.datasets[t.dataset], h.At)
			}
		}
		h.Rows = append(h.Rows, row)
	}
}

func (c *customer) cell(t standing, l level, dataset string, now time.Time) cell {
	out := cell{Class: classOf(l)}
	switch l {
	case ill:
		out.Text, out.Title = "!", dataset+": "+cmp.Or(t.problem, t.state)
	case off:
		out.Text, out.Title = "–", dataset+": "+t.state
	case fine:
		out.Text = "·"
		if c.Silent {
			out.Class, out.Text = classOf(off), "?"
		}
	default:
		b := c.behind(t, now)
		out.Text, out.Title = brief(b), dataset+": "+duration(b)+" behind"
	}
	if t.quarantine > 0 {
		out.Class += " q"
		out.Title = cmp.Or(out.Title, dataset+": up to date") + fmt.Sprintf(", %d rows in quarantine", t.quarantine)
	}
	return out
}

var classes = [...]string{"l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7"}

func classOf(l level) string { return classes[l] }

// status says in a few words how a customer stands, and in which tone.
func (c *customer) status(now time.Time) (text, tone string) {
	switch {
	case c.Received.IsZero():
		return "never reported", "mild"
	case c.Problem != "":
		return c.Problem, "bad"
	case c.Silent:
		return "silent for " + duration(now.Sub(c.Received)), "bad"
	case c.Ill == 1:
		return c.Worst, "bad"
	case c.Ill > 1:
		return fmt.Sprintf("%d tables with problems", c.Ill), "bad"
	case c.Paused != "":
		return "paused: " + c.Paused, "mild"
	case c.Late > 0:
		return fmt.Sprintf("%d behind, by up to %s", c.Late, duration(c.Behind)), toneOf(c.Behind)
	}
	return "up to date", "good"
}

func toneOf(behind time.Duration) string {
	if levelOfLag(behind) >= far {
		return "bad"
	}
	return "mild"
}
