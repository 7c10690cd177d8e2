package page

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Geometry of a plot, in the units of its view box.
const (
	plotWidth, plotHeight    = 720, 170
	left, right, top, bottom = 56, 8, 22, 22
	gap                      = 5 * every / 2 // a longer time without samples breaks the line
)

// A plot is one line over the last day.
type plot struct {
	title  string
	points []Point
	of     func(Point) float64
	write  func(float64) string  // of a value
	tops   func(float64) float64 // a round number that is not below
}

// plot draws it. now is the right edge.
func (d *document) plot(p plot, now time.Time) {
	most := 0.0
	for _, point := range p.points {
		most = max(most, p.of(point))
	}
	scale := p.tops(most)
	label := p.title + ": no samples yet"
	if n := len(p.points); n > 0 {
		label = fmt.Sprintf("%s: %s now, at most %s in the last day", p.title, p.write(p.of(p.points[n-1])), p.write(most))
	}
	d.add(`<svg class="plot" viewBox="0 0 %d %d" role="img" aria-label="%s">`, plotWidth, plotHeight, label)
	d.add(`<text class="label" x="%d" y="13">%s</text>`, left, label)
	for _, share := range []float64{0, 0.5, 1} {
		y := p.y(share*scale, scale)
		d.add(`<path class="grid" d="M%d %.1fH%d"/><text class="tick" x="%d" y="%.1f" text-anchor="end">%s</text>`,
			left, y, plotWidth-right, left-6, y+4, p.write(share*scale))
	}
	first := now.Add(-kept * every)
	for at := time.Date(first.Year(), first.Month(), first.Day(), first.Hour()/4*4+4, 0, 0, 0, first.Location()); at.Before(now); at = at.Add(4 * time.Hour) {
		x := p.x(at, first)
		d.add(`<path class="grid" d="M%.1f %dV%d"/><text class="tick" x="%.1f" y="%d" text-anchor="middle">%s</text>`,
			x, top, plotHeight-bottom, x, plotHeight-6, at.Format("15:04"))
	}
	line, area := p.lines(first, scale)
	d.add("<path class=\"area\" d=\"%s\"/><path class=\"line\" d=\"%s\"/></svg>\n", area, line)
}

func (p plot) x(at, first time.Time) float64 {
	return left + (plotWidth-left-right)*at.Sub(first).Seconds()/(kept*every).Seconds()
}

func (p plot) y(value, scale float64) float64 {
	return plotHeight - bottom - (plotHeight-top-bottom)*value/scale
}

// lines returns the line through the points and the area under it, broken where
// there were no samples.
func (p plot) lines(first time.Time, scale float64) (line, area string) {
	var l, a strings.Builder
	end := -1.0
	for i, point := range p.points {
		if point.Time.Before(first) {
			continue
		}
		if p.flat(i) {
			continue
		}
		x, y := p.x(point.Time, first), p.y(p.of(point), scale)
		if end < 0 || point.Time.Sub(p.points[i-1].Time) > gap {
			if end >= 0 {
				fmt.Fprintf(&a, "V%dZ", plotHeight-bottom)
			}
			fmt.Fprintf(&l, "M%.1f %.1fh.1", x, y) // a single sample is a dot
			fmt.Fprintf(&a, "M%.1f %dL%.1f %.1f", x, plotHeight-bottom, x, y)
		} else {
			fmt.Fprintf(&l, "L%.1f %.1f", x, y)
			fmt.Fprintf(&a, "L%.1f %.1f", x, y)
		}
		end = x
	}
	if end >= 0 {
		fmt.Fprintf(&a, "V%dZ", plotHeight-bottom)
	}
	return l.String(), a.String()
}

// flat tells that a point says nothing that those before and behind do not.
func (p plot) flat(i int) bool {
	if i == 0 || i == len(p.points)-1 {
		return false
	}
	a, b, c := p.points[i-1], p.points[i], p.points[i+1]
	return p.of(a) == p.of(b) && p.of(b) == p.of(c) && b.Time.Sub(a.Time) <= gap && c.Time.Sub(b.Time) <= gap
}

// times are what a scale of time ends at.
var times = []time.Duration{
	10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 6 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour,
}

func topOfTime(seconds float64) float64 {
	for _, d := range times {
		if seconds <= d.Seconds() {
			return d.Seconds()
		}
	}
	day := (24 * time.Hour).Seconds()
	return day * topOf(1)(seconds/day)
}

// topOf returns a function that gives 1, 2 or 5 times a power of ten, but at
// least least.
func topOf(least float64) func(float64) float64 {
	return func(n float64) float64 {
		if n <= least {
			return least
		}
		ten := math.Pow(10, math.Floor(math.Log10(n)))
		for _, m := range []float64{1, 2, 5} {
			if n <= m*ten {
				return m * ten
			}
		}
		return 10 * ten
	}
}

// topOfSize counts in powers of 1024.
func topOfSize(bytes float64) float64 {
	unit := 1.0
	for bytes/unit >= 1024 {
		unit *= 1024
	}
	return unit * topOf(1)(bytes/unit)
}
