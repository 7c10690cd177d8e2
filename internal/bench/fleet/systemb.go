package main

import (
	"context"
	"errors"
	"time"
)

// systemB is the baseline with its fleet.
type systemB struct {
	*bench
	counter counter
	clock   *clock
	base    *baseline
	polled  []*polled
	sites   []site
	minutes []int64 // statements in each minute since take
}

func (b *bench) newB(ctx context.Context, indexed bool) (*systemB, error) {
	s := &systemB{bench: b, clock: newClock()}
	s.clock.set(theDay)
	dsn, c, err := b.open(ctx, "base")
	if err != nil {
		return nil, err
	}
	s.counter = c
	if s.base, err = newBaseline(ctx, dsn, indexed); err != nil {
		return nil, errors.Join(err, c.admin.Close(ctx))
	}
	for i := range b.customers {
		p := newPolled(s.base, i, b.workload, theDay)
		s.polled = append(s.polled, p)
		s.sites = append(s.sites, p)
	}
	note("B: filling %d tables", initial)
	for i := range initial {
		if err := s.base.fill(ctx, i, s.polled); err != nil {
			return nil, errors.Join(err, s.close(ctx))
		}
	}
	return s, nil
}

func (s *systemB) close(ctx context.Context) error {
	s.base.close()
	return s.counter.admin.Close(ctx)
}

// sampled is what the baseline did in some simulated time.
type sampled struct {
	counted
	statements, rows, diffs int64
	worst                   int64 // statements in a minute
	time                    time.Duration
}

// hourly is what it would be in an hour.
func (s sampled) hourly(n int64) float64 { return float64(n) * float64(time.Hour) / float64(s.time) }

// sample has simulated time jump to an hour and measures from there on.
func (s *systemB) sample(ctx context.Context, hour int, d time.Duration) (sampled, error) {
	at := theDay.Add(time.Duration(hour) * time.Hour)
	s.clock.set(at)
	for _, p := range s.polled {
		p.jump(at)
	}
	return s.measure(ctx, d)
}

// measure measures what comes next.
func (s *systemB) measure(ctx context.Context, d time.Duration) (out sampled, err error) {
	out.time = d
	before, err := s.counter.settled(ctx)
	if err != nil {
		return out, err
	}
	statements, rows, diffs := s.base.statements.Load(), s.base.rows.Load(), s.base.diffs.Load()
	last := statements
	minute := func(context.Context, time.Time) error {
		now := s.base.statements.Load()
		out.worst = max(out.worst, now-last)
		last = now
		return nil
	}
	began := time.Now()
	if err := drive(ctx, s.clock, s.clock.Now().Add(d), s.workers, s.sites, minute); err != nil {
		return out, err
	}
	if err := minute(ctx, time.Time{}); err != nil {
		return out, err
	}
	after, err := s.counter.settled(ctx)
	out.counted = after.minus(before)
	out.statements, out.rows, out.diffs = s.base.statements.Load()-statements, s.base.rows.Load()-rows, s.base.diffs.Load()-diffs
	note("B: %s from %s in %s: %d blocks, %d statements, %d rows, %d diffs, worst minute %d", d, s.clock.Now().Add(-d).Format("15:04"), time.Since(began).Round(100*time.Millisecond),
		out.blocks(), out.statements, out.rows, out.diffs, out.worst)
	return out, err
}
