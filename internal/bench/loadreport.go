package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

func (b *bench) reportLoad(rounds []round) {
	pace := func(what string, rows int, of func(round) time.Duration) {
		took := median(each(rounds, of))
		b.report.add(what, "%.2f s, %.0f rows/s", took.Seconds(), float64(rows)/took.Seconds())
	}
	cpu := func(what string, of func(round) used) {
		at := middle(rounds, of)
		b.report.add(what, "%s; %.1f s in all, %.1f s on %d cores", at, at.total().Seconds(), at.total().Seconds()/float64(runtime.NumCPU()), runtime.NumCPU())
	}
	pace(fmt.Sprintf("(a) read %d rows and drop them", b.rows), b.rows, func(r round) time.Duration { return r.drain })
	pace("(b) COPY of the same rows", b.rows, func(r round) time.Duration { return r.copy })
	pace("first load", b.rows, func(r round) time.Duration { return r.load })
	b.goal("  of the slower of (a) and (b)", each(rounds, func(r round) float64 { return max(r.drain, r.copy).Seconds() / r.load.Seconds() }))
	cpu("  CPU seconds", func(r round) used { return r.loadCPU })
	b.report.add("  the comparison of both sides behind it", "%.2f s, not counted above", median(each(rounds, func(r round) time.Duration { return r.check })).Seconds())
	cpu("  CPU seconds of (a)", func(r round) used { return r.drainCPU })
	cpu("  CPU seconds of (b)", func(r round) used { return r.copyCPU })
	pace(fmt.Sprintf("(c) upsert of %d rows from a staging table", b.delta), b.delta, func(r round) time.Duration { return r.upsert })
	pace("delta", b.delta, func(r round) time.Duration { return r.delta })
	b.goal("  of (c)", each(rounds, func(r round) float64 { return r.upsert.Seconds() / r.delta.Seconds() }))
	cpu("  CPU seconds", func(r round) used { return r.deltaCPU })
	cpu("  CPU seconds of (c)", func(r round) used { return r.upsertCPU })
	b.report.add("  of it start and end of the command", "%.2f s (a cycle that finds nothing)", median(each(rounds, func(r round) time.Duration { return r.nothing })).Seconds())
	b.reportPeak(b.rows, each(rounds, func(r round) int64 { return r.peak }))
}

// goal is at least half, in the median.
func (b *bench) goal(what string, ratios []float64) {
	m := median(ratios)
	b.report.lines = append(b.report.lines, line{
		what: what, figure: "runs: " + join(ratios), ratio: fmt.Sprintf("%.2f", m), goal: "at least 0.50", met: m >= 0.5,
	})
}

func join(ratios []float64) string {
	var texts []string
	for _, r := range ratios {
		texts = append(texts, fmt.Sprintf("%.2f", r))
	}
	return strings.Join(texts, " ")
}

// middle is the use of the round whose sum is the median, or next to it.
func middle(rounds []round, of func(round) used) used {
	all := each(rounds, of)
	want := median(each(all, used.total))
	best := all[0]
	for _, u := range all {
		if (u.total() - want).Abs() < (best.total() - want).Abs() {
			best = u
		}
	}
	return best
}
