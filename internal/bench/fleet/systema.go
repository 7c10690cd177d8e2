package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/rollout"
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
func (a *systemA) load(ctx context.Context, _ *figuresA) error {
	note("A: first loads of %d customers", a.customers)
	for _, agent := range a.agents {
		agent.changes.skipTo(int(begun.Sub(day0) / time.Hour))
	}
	began := time.Now()
	if err := drive(ctx, a.clock, begun.Add(30*time.Minute), a.workers, a.sites, a.cloud.upkeep); err != nil {
		return err
	}
	note("A: loaded in %s", time.Since(began).Round(time.Second))
	// Summaries of new tables are made in real time, which is a day before the
	// first check of most. All are checked once, and after that at any time of the
	// day, as in a fleet that has grown.
	if err := a.cloud.caughtUp(ctx, a.counter.admin); err != nil {
		return err
	}
	check := func(ago func(*agent) time.Duration) {
		for _, agent := range a.agents {
			for i := range agent.tables {
				agent.tables[i].state.Verified = a.clock.Now().Add(-ago(agent))
			}
		}
	}
	check(func(*agent) time.Duration { return verifyEvery })
	if err := drive(ctx, a.clock, theDay.Add(-5*time.Minute), a.workers, a.sites, a.cloud.upkeep); err != nil {
		return err
	}
	check(func(agent *agent) time.Duration { return agent.gate.jitter(verifyEvery) })
	return drive(ctx, a.clock, theDay, a.workers, a.sites, a.cloud.upkeep)
}

// figuresA are what system A did.
type figuresA struct {
	steady, day      counted // blocks of the steady hours, and of the whole day
	requests         traffic // of the steady hours
	scans            counted // of tables of rows by requests in the steady hours
	dayTraffic       traffic
	usual            []traffic // minutes of the hour that others are held against
	recovery         []traffic // minutes of the hour behind the outage
	rollout          []traffic // of the two hours from the first new file on
	caps             []traffic // of the time in which all tables come to their caps of skips
	storm            []traffic // of the two hours behind a start of all
	steadyMinutes    []traffic
	rolloutBlocks    int64
	loaded           int // customers that have the new table
	connections      int // at most
	limit, serverMax int
}

// steadyHours are the first of the day, in which nothing changes.
const steadyHours = 6

// measureA lets the fleet live through all of it.
func (b *bench) measureA(ctx context.Context) (f figuresA, err error) {
	a, err := b.newA(ctx)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, a.close(ctx)) }()
	watch, err := watchConnections(ctx, a.pg.DSN("postgres"), a.counter.database)
	if err != nil {
		return f, err
	}
	defer func() { f.connections, f.serverMax, err = watch.end(err) }()
	f.limit = connections // postgres.Options' default
	for _, part := range []func(context.Context, *figuresA) error{a.load, a.day, a.storm, a.outage, a.rollout} {
		if err := part(ctx, &f); err != nil {
			return f, err
		}
	}
	return f, nil
}

// day is a day of changes. What the scrubber reads is read before the steady
// hours, so that scans by requests can be told apart.
func (a *systemA) day(ctx context.Context, f *figuresA) error {
	begin, err := a.counter.settled(ctx)
	if err != nil {
		return err
	}
	for range steadyHours {
		if err := a.cloud.scrub(ctx, a.customers); err != nil {
			return err
		}
	}
	scrubbed, err := a.counter.settled(ctx)
	if err != nil {
		return err
	}
	from := a.clock.minute()
	if err := drive(ctx, a.clock, theDay.Add(steadyHours*time.Hour), a.workers, a.sites, a.cloud.upkeep); err != nil {
		return err
	}
	now, err := a.counter.settled(ctx)
	if err != nil {
		return err
	}
	f.steady, f.scans = now.minus(begin), now.minus(scrubbed)
	f.steadyMinutes = a.cloud.recorder.each(from, a.clock.minute())
	f.requests = a.cloud.recorder.between(from, a.clock.minute())
	a.tell("six quiet hours", f.steady, f.requests)
	last := now
	for hour := steadyHours; hour < 24; hour++ {
		from := a.clock.minute()
		if err := a.pass(ctx, theDay.Add(time.Duration(hour+1)*time.Hour)); err != nil {
			return err
		}
		read := a.counter.now // a second's worth of blocks may be told with the next hour
		if hour == 23 {
			read = a.counter.settled
		}
		now, err := read(ctx)
		if err != nil {
			return err
		}
		a.tell(fmt.Sprintf("hour %d", hour), now.minus(last), a.cloud.recorder.between(from, a.clock.minute()))
		last = now
	}
	f.day = last.minus(begin)
	f.dayTraffic = a.cloud.recorder.between(minuteOf(theDay), a.clock.minute())
	usual := theDay.Add(11 * time.Hour)
	f.usual = a.cloud.recorder.each(minuteOf(usual), minuteOf(usual.Add(time.Hour)))
	return nil
}

func minuteOf(t time.Time) int { return int(t.Sub(day0) / time.Minute) }

// tell tells what a while took.
func (a *systemA) tell(what string, c counted, t traffic) {
	note("A: %s: %d blocks, %d requests %v, %d batches of %d rows, %d comparisons, %d refused, %d failed, longest %s; blocks %v", what,
		c.blocks(), t.total(), t.requests, t.batches, t.rows, t.diffs, t.refused, t.failed, t.longest.Round(time.Millisecond), c.most())
}

// tellMinutes tells the requests of each minute.
func tellMinutes(what string, minutes []traffic) {
	var b strings.Builder
	for _, t := range minutes {
		fmt.Fprintf(&b, " %d", t.total())
	}
	at := 0
	for i, t := range minutes {
		if t.total() > minutes[at].total() {
			at = i
		}
	}
	note("A: %s, requests by minute:%s; highest %v", what, b.String(), minutes[at].requests)
}

// storm has all tables of all customers skipped for the first time in the same
// minute of a quiet night, and later all agents start at the same moment.
func (a *systemA) storm(ctx context.Context, f *figuresA) error {
	from := a.clock.minute()
	for _, agent := range a.agents {
		for i := range agent.tables {
			agent.tables[i].state.Skips = 0
		}
	}
	if err := a.pass(ctx, a.clock.Now().Add(75*time.Minute)); err != nil {
		return err
	}
	f.caps = a.cloud.recorder.each(from, a.clock.minute())
	tellMinutes("all caps at once", f.caps)
	from = a.clock.minute()
	for _, agent := range a.agents {
		agent.start(a.clock.Now())
	}
	if err := a.pass(ctx, a.clock.Now().Add(2*time.Hour)); err != nil {
		return err
	}
	f.storm = a.cloud.recorder.each(from, a.clock.minute())
	tellMinutes("start of all", f.storm)
	return nil
}

// outage is an hour without the API in the middle of a working day, and the
// hour behind it.
func (a *systemA) outage(ctx context.Context, f *figuresA) error {
	at := theDay.Add(24*time.Hour + 10*time.Hour)
	a.jump(at.Add(-30 * time.Minute))
	if err := a.pass(ctx, at); err != nil {
		return err
	}
	note("A: an hour's outage, and the hour behind it")
	if err := a.cloud.outage(); err != nil {
		return err
	}
	if err := a.pass(ctx, at.Add(time.Hour)); err != nil {
		return errors.Join(err, a.cloud.start(ctx))
	}
	from := a.clock.minute()
	if err := a.cloud.start(ctx); err != nil {
		return err
	}
	if err := a.pass(ctx, at.Add(2*time.Hour)); err != nil {
		return err
	}
	f.recovery = a.cloud.recorder.each(from, a.clock.minute())
	tellMinutes("recovery", f.recovery)
	return nil
}

// jump has simulated time jump ahead: for everybody it is as if the time
// between had not been, but for the changes in the databases, which do not
// happen.
func (a *systemA) jump(to time.Time) {
	by := to.Sub(a.clock.Now())
	a.clock.set(to)
	for _, agent := range a.agents {
		agent.jump(by, to)
	}
}

// rollout brings the new table to all: an operator makes the rollout, the
// sites get their new files within half an hour, and then the share is raised.
func (a *systemA) rollout(ctx context.Context, f *figuresA) error {
	note("A: a new table for all")
	const name = "vouchers"
	table := kinds[initial].name
	before, err := a.counter.settled(ctx)
	if err != nil {
		return err
	}
	operator := cloud.Operator{Store: a.cloud.store, Who: "bench", Why: "a new table", NewTables: true}
	_, err = operator.CreateRollout(ctx, rollout.Rollout{
		Name: name, Tables: []string{table}, Seed: name, Steps: []rollout.Share{1_00, 10_00, rollout.All},
		Hold: rollout.DefaultHold, Watch: rollout.DefaultWatch,
	})
	if err != nil {
		return err
	}
	from, begin := a.clock.minute(), a.clock.Now()
	steps := map[time.Duration]rollout.Share{40 * time.Minute: 1_00, 50 * time.Minute: 10_00, time.Hour: rollout.All}
	err = drive(ctx, a.clock, begin.Add(2*time.Hour), a.workers, a.sites, func(ctx context.Context, now time.Time) error {
		const files = 30
		if m := int(now.Sub(begin) / time.Minute); m < files {
			for i := m; i < len(a.agents); i += files {
				a.agents[i].add()
			}
		}
		if share, ok := steps[now.Sub(begin)]; ok {
			if _, err := operator.ChangeRollout(ctx, "step", name, func(r rollout.Rollout, _ time.Time) (rollout.Rollout, error) { return r.Step(share, now) }); err != nil {
				return err
			}
		}
		return a.cloud.upkeep(ctx, now)
	})
	if err != nil {
		return err
	}
	after, err := a.counter.settled(ctx)
	if err != nil {
		return err
	}
	f.rolloutBlocks = after.minus(before).blocks()
	f.rollout = a.cloud.recorder.each(from, a.clock.minute())
	tellMinutes("rollout", f.rollout)
	for _, agent := range a.agents {
		if agent.tables[initial].version.Loaded {
			f.loaded++
		}
	}
	return nil
}
