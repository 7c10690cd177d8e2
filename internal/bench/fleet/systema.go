package main

import (
	"context"
	"errors"
	"time"
)

// systemA is Tidemark with its fleet.
type systemA struct {
	*bench
	counter counter
	clock   *clock
	cloud   *cloudside
	agents  []*agent
	sites   []site
}

// newA makes the cloud and a fleet that has not started yet.
func (b *bench) newA(ctx context.Context) (*systemA, error) {
	a := &systemA{bench: b, clock: newClock()}
	a.clock.set(begun)
	dsn, c, err := b.open(ctx, "data")
	if err != nil {
		return nil, err
	}
	a.counter = c
	if a.cloud, err = newCloudside(ctx, dsn, a.clock); err != nil {
		return nil, err
	}
	for i := range b.customers {
		key, err := a.cloud.enrol(ctx, i)
		if err != nil {
			return nil, errors.Join(err, a.close(ctx))
		}
		agent, err := newAgent(a.cloud, i, key, b.workload)
		if err != nil {
			return nil, errors.Join(err, a.close(ctx))
		}
		a.agents = append(a.agents, agent)
		a.sites = append(a.sites, agent)
	}
	return a, nil
}

func (a *systemA) close(ctx context.Context) error {
	for _, agent := range a.agents {
		_ = agent.client.Close() // always nil
	}
	return errors.Join(a.cloud.stop(), a.counter.admin.Close(ctx))
}

// pass lets simulated time pass.
func (a *systemA) pass(ctx context.Context, until time.Time) error {
	return drive(ctx, a.clock, until, a.workers, a.sites, func(ctx context.Context, now time.Time) error {
		if now.Equal(now.Truncate(time.Hour)) {
			if err := a.cloud.scrub(ctx, a.customers); err != nil {
				return err
			}
		}
		return a.cloud.upkeep(ctx, now)
	})
}

// load is the first contact of all, and two quiet hours.
func (a *systemA) load(ctx context.Context) error {
	note("A: first loads of %d customers", a.customers)
	for _, agent := range a.agents {
		agent.changes.skipTo(int(begun.Sub(day0) / time.Hour))
	}
	began := time.Now()
	if err := drive(ctx, a.clock, begun.Add(time.Hour), a.workers, a.sites, a.cloud.upkeep); err != nil {
		return err
	}
	note("A: loaded in %s", time.Since(began).Round(time.Second))
	// Their checks are due at any time of the day, as in a fleet that has grown.
	for _, agent := range a.agents {
		for i := range agent.tables {
			agent.tables[i].state.Verified = a.clock.Now().Add(-agent.gate.jitter(verifyEvery))
		}
	}
	return drive(ctx, a.clock, theDay, a.workers, a.sites, a.cloud.upkeep)
}

// day is a day of changes.
func (a *systemA) day(ctx context.Context) error {
	if err := a.load(ctx); err != nil {
		return err
	}
	before, err := a.counter.settled(ctx)
	if err != nil {
		return err
	}
	for hour := range 24 {
		from := a.clock.minute()
		began := time.Now()
		if err := a.pass(ctx, theDay.Add(time.Duration(hour+1)*time.Hour)); err != nil {
			return err
		}
		now, err := a.counter.settled(ctx)
		if err != nil {
			return err
		}
		t := a.cloud.recorder.between(from, a.clock.minute())
		n := now.minus(before)
		before = now
		note("A: hour %d in %s: %d blocks, %d requests %v, %d batches, %d rows, %d diffs (%d), refused %d, seq %d idx %d, %v", hour, time.Since(began).Round(100*time.Millisecond),
			n.blocks(), t.total(), t.requests, t.batches, t.rows, t.diffs, t.manifest, t.refused, n.seq, n.idx, n.schemas)
	}
	return nil
}
