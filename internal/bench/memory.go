package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// mostPeak is the goal for the agent's resident memory.
const mostPeak = 64 << 20

// memory measures the agent's peak at the large table. Where the part load
// did not run, a first load of its table comes first.
func (b *bench) memory(ctx context.Context) error {
	if b.peak == 0 {
		peak, err := b.peakAt(ctx, b.rows, 1)
		if err != nil {
			return err
		}
		b.reportPeak(b.rows, []int64{peak})
	}
	peak, err := b.peakAt(ctx, b.more, 1)
	if err != nil {
		return err
	}
	b.report.lines = append(b.report.lines, line{
		what: fmt.Sprintf("agent's peak at %d rows", b.more), figure: fmt.Sprintf("%.1f MiB", mib(peak)),
		ratio: fmt.Sprintf("%.2f", float64(peak)/float64(b.peak)), goal: fmt.Sprintf("no higher than at %d (5 %% for noise)", b.rows),
		met: float64(peak) <= 1.05*float64(b.peak),
	})
	if peak, err = b.peakAt(ctx, b.rows/2, atOnce); err != nil {
		return err
	}
	b.report.add(fmt.Sprintf("  with %d tables of %d rows", atOnce, b.rows/2), "%.1f MiB", mib(peak))
	return nil
}

// atOnce is how many tables the figure for several has: twice what moves at
// once by the defaults for one source.
const atOnce = 4

// peakAt is the peak of first loads of so many tables.
func (b *bench) peakAt(ctx context.Context, rows, tables int) (peak int64, err error) {
	note("first load of %d rows, %d times", rows, tables)
	var names []string
	for i := range tables {
		name := fmt.Sprintf("dbo.large%d", i)
		if err := b.source.create(name, rows); err != nil {
			return 0, err
		}
		names = append(names, name)
	}
	s, err := b.newSite(ctx, names)
	if err != nil {
		return 0, err
	}
	r, err := b.programs.once(ctx, s.config, nil)
	errs := []error{err, s.close(ctx)}
	for _, name := range names {
		errs = append(errs, b.source.exec("DROP TABLE "+name))
	}
	return r.peak, errors.Join(errs...)
}

// reportPeak reports the highest of the peaks.
func (b *bench) reportPeak(rows int, peaks []int64) {
	b.peak = slices.Max(peaks)
	figure := fmt.Sprintf("%.1f MiB", mib(b.peak))
	if own := ownPeak(); b.peak <= own {
		figure += fmt.Sprintf(", which is the bench's own (%.1f): not known", mib(own))
	}
	b.report.lines = append(b.report.lines, line{
		what: fmt.Sprintf("agent's peak at %d rows", rows), figure: figure,
		ratio: fmt.Sprintf("%.2f", float64(b.peak)/mostPeak), goal: "under 64 MiB", met: b.peak < mostPeak,
	})
}
