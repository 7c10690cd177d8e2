package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"
)

//go:embed report.html
var pageText string

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"size": size, "rate": rate, "signed": signed,
	"top":  func(rows []Row) []Row { return rows[:min(len(rows), Top)] },
	"more": func(rows []Row) int { return len(rows) - Top },
	"time": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") },
	"mark": func(n uint64) string {
		if n > 0 {
			return "bad"
		}
		return ""
	},
}).Parse(pageText))

// WriteHTML writes one page that needs nothing else: no script, no other file.
func (r *Report) WriteHTML(w io.Writer) error {
	return page.Execute(w, map[string]any{"Report": r, "Requests": r.plotRequests(), "Latency": r.plotLatency(),
		"Parts": []map[string]any{{"Name": "Endpoint", "Rows": r.Endpoints}, {"Name": "Customer", "Rows": r.Customers}, {"Name": "Table", "Rows": r.Tables}}})
}

// Measures of a plot, in its own units.
const (
	plotWidth  = 960
	plotHeight = 220
	plotLeft   = 64
	plotBottom = 24
	plotTop    = 10
)

// A plot is drawn by the page: x by hour, y from 0 to Top.
type plot struct {
	Width, Height int
	Bars          []bar
	Lines         []line
	Names         []string // of the colours, in their order
	Ticks         []tick   // across
	Hours         []tick   // below
}

type bar struct {
	X, Y, W, H float64
	Colour     int
	Title      string
}

type line struct {
	Points string
	Colour int
}

type tick struct {
	X, Y float64
	Text string
}

// maxColours is how many endpoints have a colour of their own.
const maxColours = 7

// plotRequests stacks the endpoints' requests of each hour.
func (r *Report) plotRequests() *plot {
	hours := r.spans()
	if len(hours) == 0 {
		return nil
	}
	p := newPlot()
	colour := map[string]int{}
	for i, e := range r.Endpoints {
		if i < maxColours {
			p.Names = append(p.Names, e.Name)
		} else if i == maxColours {
			p.Names = append(p.Names, other)
		}
		colour[e.Name] = min(i, maxColours)
	}
	most := 0.0
	for _, h := range hours {
		most = max(most, float64(h.requests))
	}
	width := float64(plotWidth-plotLeft) / float64(len(hours))
	for i, h := range hours {
		y := float64(plotHeight - plotBottom)
		slices.SortStableFunc(h.rows, func(a, b Row) int { return colour[a.Name] - colour[b.Name] })
		for _, row := range h.rows {
			height := float64(row.Requests) / most * (plotHeight - plotBottom - plotTop)
			y -= height
			p.Bars = append(p.Bars, bar{plotLeft + float64(i)*width, y, max(width-1, .5), height, colour[row.Name],
				fmt.Sprintf("%s, %s: %d requests", h.name, row.Name, row.Requests)})
		}
	}
	p.scale(most, func(v float64) string { return rate(v) })
	p.below(hours, width)
	return p
}

// plotLatency draws the slowest endpoint's percentiles of each hour.
func (r *Report) plotLatency() *plot {
	hours := r.spans()
	if len(hours) == 0 {
		return nil
	}
	p := newPlot()
	p.Names = []string{"p50", "p90", "p99"}
	most := 0.0
	for _, h := range hours {
		most = max(most, h.slowest(func(r Row) Seconds { return r.P99 }))
	}
	if most == 0 {
		return nil
	}
	width := float64(plotWidth-plotLeft) / float64(len(hours))
	for colour, of := range []func(Row) Seconds{func(r Row) Seconds { return r.P50 }, func(r Row) Seconds { return r.P90 }, func(r Row) Seconds { return r.P99 }} {
		var points strings.Builder
		for i, h := range hours {
			y := float64(plotHeight-plotBottom) - h.slowest(of)/most*(plotHeight-plotBottom-plotTop)
			fmt.Fprintf(&points, "%.1f,%.1f ", plotLeft+(float64(i)+.5)*width, y)
		}
		p.Lines = append(p.Lines, line{strings.TrimSpace(points.String()), colour})
	}
	p.scale(most, func(v float64) string { return Seconds(v).String() })
	p.below(hours, width)
	return p
}

// A span is an hour with all its endpoints; hours without a request are empty.
type span struct {
	name     string
	rows     []Row
	requests uint64
}

func (s span) slowest(of func(Row) Seconds) (most float64) {
	for _, r := range s.rows {
		most = max(most, float64(of(r)))
	}
	return most
}

func (r *Report) spans() (out []span) {
	for _, h := range r.Hours {
		at, err := time.Parse(hourForm, h.Hour)
		if err != nil {
			continue // those beyond the bound have no place in time
		}
		for n := len(out); n > 0 && out[n-1].name != h.Hour && len(out) < maxHours; n = len(out) {
			last, _ := time.Parse(hourForm, out[n-1].name)
			if !last.Add(time.Hour).Before(at) {
				break
			}
			out = append(out, span{name: last.Add(time.Hour).Format(hourForm)})
		}
		if n := len(out); n == 0 || out[n-1].name != h.Hour {
			out = append(out, span{name: h.Hour})
		}
		last := &out[len(out)-1]
		last.rows = append(last.rows, h.Row)
		last.requests += h.Requests
	}
	return out
}

func newPlot() *plot { return &plot{Width: plotWidth, Height: plotHeight} }

func (p *plot) scale(most float64, text func(float64) string) {
	for i := range 3 {
		part := float64(i) / 2
		p.Ticks = append(p.Ticks, tick{plotLeft, plotHeight - plotBottom - part*(plotHeight-plotBottom-plotTop), text(most * part)})
	}
}

func (p *plot) below(hours []span, width float64) {
	every := max(1, len(hours)/8)
	for i := 0; i < len(hours); i += every {
		at, _ := time.Parse(hourForm, hours[i].name)
		p.Hours = append(p.Hours, tick{plotLeft + float64(i)*width, plotHeight - 6, at.Format("Jan 2 15h")})
	}
}
