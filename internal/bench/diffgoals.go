package main

import (
	"fmt"
	"math"
	"time"
)

// Goals of comparisons at ten million rows: bytes of bodies, as they are on
// the wire, and pages, with the repairs and the version that is asked for
// before.
var diffGoals = []struct {
	scene    string
	requests int
	bytes    int64
	buffers  int64
}{
	{"0", 1, 2_000, 20},
	{"1 missing", 0, 5_000, 200},
	{"1 stale", 0, 5_000, 200},
	{"1 surplus", 0, 5_000, 200},
	{"10 scattered", 0, 40_000, 0},
	{"1000 scattered", 0, 1_500_000, 0},
	{"1000 in one range", 0, 100_000, 0},
}

const (
	mostTimeRatio   = 1.5
	mostAppendedWAL = 1.03
	mostUpdatedWAL  = 1.10
	peakTolerance   = 1.05 // of figures that are to be the same
)

// How a comparison was made, for people.
const (
	wayOfEqual       = "summaries"
	wayOfDifferences = "summaries, dry run"
	wayOfRepairs     = "summaries, repaired"
)

func (r *diffReport) goals() []line {
	var all []line
	if len(r.sizes) > 0 {
		last := r.sizes[len(r.sizes)-1]
		all = append(all, last.goals()...)
		all = append(all, r.peaks()...)
		for _, s := range r.sizes {
			all = append(all, s.times()...)
		}
	}
	return append(all, r.walGoals()...)
}

func (s *sizeReport) find(scene, way string) *diffLine {
	for _, l := range s.lines {
		if l.scene == scene && l.way == way {
			return l
		}
	}
	return nil
}

// goals of the largest table.
func (s *sizeReport) goals() []line {
	var all []line
	for _, g := range diffGoals {
		way := wayOfRepairs
		if g.scene == "0" {
			way = wayOfEqual
		}
		l := s.find(g.scene, way)
		if l == nil {
			continue
		}
		what := fmt.Sprintf("%d rows, %s: ", s.rows, g.scene)
		t := l.traffic
		if g.requests > 0 {
			version := t.byPath[versionRequest].requests
			all = append(all, line{
				what: what + "requests", figure: fmt.Sprintf("%d, and before it %d for the version", t.bodies.requests-version, version),
				goal: fmt.Sprint(g.requests), met: t.bodies.requests == int64(g.requests),
			})
		}
		bytes := t.bodies.up + t.bodies.down
		all = append(all, line{
			what: what + "bytes", figure: fmt.Sprintf("%d, and %d of headers", bytes, t.wire-bytes),
			goal: fmt.Sprintf("under %d", g.bytes), met: bytes < g.bytes,
		})
		if g.buffers > 0 {
			n := l.buffers.total()
			all = append(all, line{what: what + "buffers", figure: fmt.Sprint(n), goal: fmt.Sprintf("under %d", g.buffers), met: n < g.buffers})
		}
	}
	if l := s.find("1000 scattered", wayOfDifferences); l != nil {
		// A session without any of the leaves' pages at hand reads each once.
		all = append(all, line{
			what: fmt.Sprintf("%d rows, 1000 scattered: pages of the table read", s.rows), figure: fmt.Sprintf("%d for %d leaves", l.buffers.heap, l.leaves),
			goal: fmt.Sprintf("those of differing leaves, %d", l.pages), met: l.buffers.heap <= l.pages,
		})
	}
	return all
}

// peaks of the agent over all comparisons of each size.
func (r *diffReport) peaks() []line {
	var all []line
	first := int64(0)
	for _, s := range r.sizes {
		peak := int64(0)
		for _, l := range s.lines {
			if l.Manifest == "" {
				peak = max(peak, l.peak)
			}
		}
		l := line{what: fmt.Sprintf("%d rows: agent's peak", s.rows), figure: fmt.Sprintf("%.1f MiB", mib(peak)), goal: "under 64 MiB", met: peak < mostPeak}
		if first == 0 {
			first = peak
		} else {
			l.goal += fmt.Sprintf(", and as at %d", r.sizes[0].rows)
			l.ratio = fmt.Sprintf("%.2f", float64(peak)/float64(first))
			l.met = l.met && float64(peak) <= peakTolerance*float64(first)
		}
		all = append(all, l)
	}
	return all
}

func (s *sizeReport) times() []line {
	if len(s.alone) == 0 {
		return nil
	}
	million := func(d time.Duration) float64 { return d.Seconds() / float64(s.rows) * 1e6 }
	alone := million(median(each(s.alone, func(d drained) time.Duration { return d.Wall })))
	with := million(median(each(s.equal, func(c compared) time.Duration { return c.Duration })))
	aloneCPU := million(median(each(s.alone, func(d drained) time.Duration { return d.CPU })))
	withCPU := million(median(each(s.equal, func(c compared) time.Duration { return c.cpu })))
	ratio := with / alone
	return []line{
		{
			what: fmt.Sprintf("%d rows: time of a million keys", s.rows), figure: fmt.Sprintf("%.2f s, reading alone %.2f s", with, alone),
			ratio: fmt.Sprintf("%.2f", ratio), goal: "at most 1.5", met: ratio <= mostTimeRatio,
		},
		{what: "  processor time of it", figure: fmt.Sprintf("%.2f s, reading alone %.2f s", withCPU, aloneCPU), ratio: fmt.Sprintf("%.2f", withCPU/math.Max(aloneCPU, 1e-9))},
	}
}
