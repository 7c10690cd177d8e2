package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tidemark/internal/wire"
)

// The goals at a pace of 200 batches of 1,000 rows a second.
const (
	mostBatch = 250 * time.Millisecond
	mostRead  = 5 * time.Millisecond
)

// What the pace is measured with: half of a batch are changes.
const (
	paceCustomers = 50
	paceTables    = 4
	paceRows      = 1_000
	readsASecond  = 50
	warmUp        = 25 // batches a second
)

// A paced is what one pace gave.
type paced struct {
	rate           int
	reached        float64 // batches a second
	batches, reads []time.Duration
	own, postgres  time.Duration // processor time
	took           time.Duration
}

func (p paced) met() bool {
	return percentile(p.batches, .99) <= mostBatch && percentile(p.reads, .99) <= mostRead
}

// percentile of durations, which it sorts.
func percentile(d []time.Duration, share float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[min(len(d)-1, int(share*float64(len(d))))]
}

// measurePace sends batches at a fixed pace, whether or not those before were
// answered, beside reads of versions: at 200 a second, and if that is too much
// at lower paces until one is not. API, agents and Postgres share the machine.
func (b *bench) measurePace(ctx context.Context) (err error) {
	dsn, counter, err := b.open(ctx, "data")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, counter.admin.Close(ctx)) }()
	c, err := newCloudside(ctx, dsn, newClock())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	var streams []*stream
	defer func() {
		for _, s := range streams {
			err = errors.Join(err, s.client.Close())
		}
	}()
	note("pace: loading %d tables", paceCustomers*paceTables)
	for i := range paceCustomers {
		key, err := c.enrol(ctx, i)
		if err != nil {
			return err
		}
		for j := range paceTables {
			s, err := newStream(ctx, c, i, key, fmt.Sprintf("dbo.paced%d", j), 2*paceRows)
			if err != nil {
				return err
			}
			streams = append(streams, s)
		}
	}
	if err := c.caughtUp(ctx, counter.admin); err != nil {
		return err
	}
	if err := b.measureReads(ctx, streams); err != nil {
		return err
	}
	// What a batch usually takes is known to a server that runs.
	if _, err := b.atPace(ctx, counter, streams, warmUp); err != nil {
		return err
	}
	for _, rate := range []int{200, 150, 100, 75, 50, 25} {
		p, err := b.atPace(ctx, counter, streams, rate)
		if err != nil {
			return err
		}
		b.report.pace(p)
		if p.met() {
			break
		}
	}
	return b.measureCeiling(ctx, counter, dsn, streams)
}

func (r *report) pace(p paced) {
	batch, read := percentile(p.batches, .99), percentile(p.reads, .99)
	figure := fmt.Sprintf("%s (median %s), %.0f a second reached", ms(batch), ms(percentile(p.batches, .5)), p.reached)
	what := fmt.Sprintf("at %d batches/s of %d rows: p99 of a batch", p.rate, paceRows)
	reads := fmt.Sprintf("%s (median %s)", ms(read), ms(percentile(p.reads, .5)))
	if p.rate == 200 {
		r.judge(what, "under 250 ms", batch <= mostBatch, "%s", figure)
		r.judge("  p99 of a version read beside it", "under 5 ms", read <= mostRead, "%s", reads)
	} else {
		r.add(what, "%s", figure)
		r.add("  p99 of a version read beside it", "%s", reads)
	}
	r.add("  processor time a second", "%.2f s API and agents, %.2f s Postgres", p.own.Seconds()/p.took.Seconds(), p.postgres.Seconds()/p.took.Seconds())
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }

func (b *bench) atPace(ctx context.Context, c counter, streams []*stream, rate int) (p paced, err error) {
	seconds := int(b.paceTime() / time.Second)
	note("pace: %d batches/s for %d s", rate, seconds)
	each := max(1, rate*seconds/len(streams))
	for _, s := range streams {
		if err := s.prepare(each, paceRows/2, paceRows/2); err != nil {
			return p, err
		}
		for i := range s.ready {
			s.ready[i].raw = wire.Lines{} // memory
		}
	}
	p.rate = rate
	own, server, err := processorTimes(ctx, c.admin)
	if err != nil {
		return p, err
	}
	var mu sync.Mutex
	var sending, reading sync.WaitGroup
	failed := make(chan error, 1+len(streams))
	begun := time.Now()
	for i, s := range streams {
		sending.Go(func() {
			for n := range each {
				due := begun.Add(time.Duration(n*len(streams)+i) * time.Second / time.Duration(rate))
				if !sleep(ctx, time.Until(due)) {
					return
				}
				if err := s.sendNext(ctx, wire.Header{Kind: wire.Delta}); err != nil {
					failed <- err
					return
				}
				mu.Lock()
				p.batches = append(p.batches, time.Since(due))
				mu.Unlock()
			}
		})
	}
	done, stop := context.WithCancel(ctx)
	defer stop()
	reading.Go(func() {
		var err error
		if p.reads, err = readVersions(done, streams, begun); err != nil {
			failed <- err
		}
	})
	sending.Wait()
	p.took = since(begun)
	stop()
	reading.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	if err != nil {
		return p, err
	}
	p.reached = float64(len(p.batches)) / p.took.Seconds()
	ownAfter, serverAfter, err := processorTimes(ctx, c.admin)
	p.own, p.postgres = ownAfter-own, serverAfter-server
	return p, err
}

// readVersions has all customers read their versions at a steady pace until
// ctx ends, and returns how long each read took from when it was due.
func readVersions(ctx context.Context, streams []*stream, begun time.Time) (reads []time.Duration, err error) {
	var mu sync.Mutex
	var reading sync.WaitGroup
	for i := range paceCustomers {
		reading.Go(func() {
			s := streams[i*paceTables]
			for n := 0; ; n++ {
				due := begun.Add(time.Duration(n*paceCustomers+i) * time.Second / readsASecond)
				if !sleep(ctx, time.Until(due)) {
					return
				}
				_, failed := s.client.Versions(ctx)
				if ctx.Err() != nil {
					return
				}
				mu.Lock()
				reads, err = append(reads, time.Since(due)), errors.Join(err, failed)
				mu.Unlock()
			}
		})
	}
	reading.Wait()
	return reads, err
}

// measureReads reads versions without anything beside.
func (b *bench) measureReads(ctx context.Context, streams []*stream) error {
	for _, s := range streams { // clients connect at their first request
		if _, err := s.client.Versions(ctx); err != nil {
			return err
		}
	}
	alone, stop := context.WithTimeout(ctx, b.paceTime())
	defer stop()
	reads, err := readVersions(alone, streams, time.Now())
	b.report.judge("version reads by themselves, p99", "under 5 ms", percentile(reads, .99) <= mostRead,
		"%s (median %s)", ms(percentile(reads, .99)), ms(percentile(reads, .5)))
	return err
}

// paceTime is how long one pace is kept.
func (b *bench) paceTime() time.Duration {
	if b.customers < 1000 {
		return 4 * time.Second
	}
	return 10 * time.Second
}
