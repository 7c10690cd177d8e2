package fleet

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"tidemark/cloud/cost"
)

// Geometry of a plot, in the units of its view box.
const (
	plotWidth, plotHeight    = 420, 120
	left, right, top, bottom = 46, 6, 8, 18
)

// A plot is bars over time, drawn here: numbers alone, no text of anybody.
type plot struct {
	Title, Label  string
	Width, Height int
	Bars          string // a path
	Grid          []tick
	Times         []tick
}

// A tick is a line with a word.
type tick struct {
	At   string // x or y
	Text string
}

func plotOf(title, dataset, what string, r *cost.Report, value func(cost.Entry) float64, since, until time.Time) plot {
	p := plot{Title: title, Width: plotWidth, Height: plotHeight}
	most, sum := 0.0, 0.0
	values := map[time.Time]float64{}
	span := cost.Hour
	for _, b := range r.Buckets {
		span = b.Span
		if i := slices.IndexFunc(b.Entries, func(e cost.Entry) bool { return e.Name == dataset }); i >= 0 {
			v := value(b.Entries[i])
			values[b.At] = v
			most, sum = max(most, v), sum+v
		}
	}
	p.Label = fmt.Sprintf("%s: %s; %s in all, at most %s", title, what, short(sum), short(most))
	scale := roundUp(most)
	x := func(t time.Time) float64 {
		return left + (plotWidth-left-right)*min(1, max(0, t.Sub(since).Seconds()/until.Sub(since).Seconds()))
	}
	y := func(v float64) float64 { return plotHeight - bottom - (plotHeight-top-bottom)*v/scale }
	var bars strings.Builder
	for _, b := range r.Buckets {
		v := values[b.At]
		if x0, x1 := x(b.At), x(b.At.Add(span)); v > 0 && x1-x0 > 0.3 {
			gap := min(1, (x1-x0)/4)
			fmt.Fprintf(&bars, "M%.1f %dV%.1fH%.1fV%dZ", x0, plotHeight-bottom, min(y(v), plotHeight-bottom-1), x1-gap, plotHeight-bottom)
		}
	}
	p.Bars = bars.String()
	for _, part := range []float64{0, 0.5, 1} {
		p.Grid = append(p.Grid, tick{fmt.Sprintf("%.1f", y(part*scale)), short(part * scale)})
	}
	every, layout := 6*time.Hour, "15:04"
	if d := until.Sub(since); d > 48*time.Hour {
		every, layout = 24*time.Hour, "2 Jan"
		if d > 10*24*time.Hour {
			every = 7 * 24 * time.Hour
		}
	}
	for at := since.UTC().Truncate(every).Add(every); at.Before(until); at = at.Add(every) {
		if x := x(at); x < plotWidth-24 {
			p.Times = append(p.Times, tick{fmt.Sprintf("%.1f", x), at.Format(layout)})
		}
	}
	return p
}

// roundUp is 1, 2 or 5 times a power of ten, and not below n.
func roundUp(n float64) float64 {
	if n <= 1 {
		return 1
	}
	ten := math.Pow(10, math.Floor(math.Log10(n)))
	for _, m := range []float64{1, 2, 5} {
		if n <= m*ten {
			return m * ten
		}
	}
	return 10 * ten
}

// short writes a number in few letters.
func short(n float64) string {
	if n < 1000 {
		return humanize.Ftoa(math.Round(10*n) / 10)
	}
	v, unit := humanize.ComputeSI(n)
	return humanize.Ftoa(math.Round(10*v)/10) + strings.ToUpper(unit)
}
