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
		peak, err := b.peakAt(ctx, b.rows)
		if err != nil {
			return err
		}
		b.reportPeak(b.rows, []int64{peak})
	}
	peak, err := b.peakAt(ctx, b.more)
	if err != nil {
		return err
	}
	b.report.lines = append(b.report.lines, line{
		what: fmt.Sprintf("agent's peak at %d rows", b.more), figure: fmt.Sprintf("%.1f MiB", mib(peak)),
		ratio: fmt.Sprintf("%.2f", float64(peak)/float64(b.peak)), goal: fmt.Sprintf("no higher than at %d (5 %% for noise)", b.rows),
		met: float64(peak) <= 1.05*float64(b.peak),
	})
	return nil
}

func (b *bench) peakAt(ctx context.Context, rows int) (peak int64, err error) {
	note("first load of %d rows", rows)
	const table = "dbo.large"
	if err := b.source.create(table, rows); err != nil {
		return 0, err
	}
	s, err := b.newSite(ctx, []string{table})
	if err != nil {
		return 0, err
	}
	r, err := b.programs.once(ctx, s.config, nil)
	return r.peak, errors.Join(err, s.close(ctx), b.source.exec("DROP TABLE "+table))
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
