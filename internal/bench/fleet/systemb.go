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
}

func (b *bench) newB(ctx context.Context) (*systemB, error) {
	s := &systemB{bench: b, clock: newClock()}
	s.clock.set(theDay)
	dsn, c, err := b.open(ctx, "base")
	if err != nil {
		return nil, err
	}
	s.counter = c
	if s.base, err = newBaseline(ctx, dsn); err != nil {
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

// quarter is how much of an hour the baseline is sampled for. All its minutes
// are alike.
const quarter = 15 * time.Minute

// figuresB are what system B did.
type figuresB struct {
	quiet, shoulder, work    sampled // of an hour of that kind, a part
	recovery, rollout, storm sampled
	indexedQuiet             sampled
	indexedWork              sampled
}

// measureB samples hours of the baseline.
func (b *bench) measureB(ctx context.Context) (f figuresB, err error) {
	s, err := b.newB(ctx)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	for _, part := range []struct {
		into *sampled
		hour int
		d    time.Duration
		do   func() error
	}{
		{&f.quiet, 2, quarter, nil},
		{&f.shoulder, 7, quarter, nil},
		{&f.work, 10, quarter, nil},
		{&f.recovery, 11, quarter, s.miss},
		{&f.rollout, 12, quarter, func() error { return s.add(ctx) }},
		{&f.storm, 26, 10 * time.Minute, s.lineUp},
		{&f.indexedQuiet, 27, 5 * time.Minute, func() error { return s.index(ctx) }},
		{&f.indexedWork, 34, 5 * time.Minute, nil},
	} {
		s.jump(part.hour)
		if part.do != nil {
			if err := part.do(); err != nil {
				return f, err
			}
		}
		if *part.into, err = s.measure(ctx, part.d); err != nil {
			return f, err
		}
	}
	return f, nil
}

// jump has simulated time jump to an hour of the day. Nothing happens between.
func (s *systemB) jump(hour int) {
	at := theDay.Add(time.Duration(hour) * time.Hour)
	s.clock.set(at)
	for _, p := range s.polled {
		p.jump(at)
	}
}

// miss lets the hour before pass without a cloud.
func (s *systemB) miss() error {
	now := s.clock.Now()
	for _, p := range s.polled {
		p.changes.skipTo(int(now.Add(-time.Hour).Sub(day0) / time.Hour))
		p.changes.until(p.db, now)
	}
	return nil
}

// add turns the new table on for all.
func (s *systemB) add(context.Context) error {
	for _, p := range s.polled {
		p.add()
	}
	return nil
}

// lineUp is what tables have in common that were skipped for the first time in
// the same minute: in three cycles they come to their cap.
func (s *systemB) lineUp() error {
	for _, p := range s.polled {
		for i := range p.skips {
			p.skips[i] = maxSkips - 3
		}
	}
	return nil
}

// index makes versions cheap to ask for.
func (s *systemB) index(ctx context.Context) error {
	for i := range kinds {
		if _, err := s.base.pool.Exec(ctx, "CREATE INDEX ON "+name(i)+" (customer_id, rv)"); err != nil {
			return err
		}
	}
	for _, p := range s.polled { // no longer in step
		for i := range p.skips {
			p.skips[i] = int(hash(p.customer+kinds[i].name) % (maxSkips + 1))
		}
	}
	return nil
}
