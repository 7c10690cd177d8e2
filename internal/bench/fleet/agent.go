package main

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"tidemark/differ/summary"
	"tidemark/internal/wire"
	"tidemark/scheduler"
	"tidemark/uploader"
)

// What an agent's file says if it says nothing, and what package agent does of
// its own accord.
const (
	interval     = time.Minute
	maxSkips     = 60
	verifyEvery  = 24 * time.Hour
	firstContact = 15 * time.Minute
	ownEvery     = time.Hour
)

// An agent is a customer's of system A. It keeps what package agent keeps.
type agent struct {
	cloud    *cloudside
	customer string
	db       *database
	changes  changes
	client   *uploader.Client
	random   *rand.Rand
	gate     gate
	tables   []agentTable
	writer   wire.Writer
	off      map[string]string // by the operator's policy, and why
	ruled    bool              // the policy is known

	cycle  time.Time // the next one
	report time.Time // the next check-in
	want   time.Time // a report that something gave rise to; zero: none
	pace   time.Duration
	every  time.Duration
	told   time.Time // the lease, in real time, as the client has it
	leased time.Time // until
	heard  bool      // from the cloud, in this visit
	leases bool      // a lease was told in this process

	asked    time.Time // for all versions
	versions wire.Versions
}

type agentTable struct {
	state    scheduler.State
	limits   scheduler.Limits
	version  wire.Version // the cloud's
	known    bool         // in this process
	secret   summary.Secret
	decision scheduler.Decision // the last one
	decided  time.Time
	began    time.Time // the cycle under way
	wait     time.Time // it waits for the cloud until then; zero: none does
}

func newAgent(c *cloudside, number int, key string, w workload) (*agent, error) {
	a := &agent{
		cloud: c, customer: customerID(number), db: newDatabase(initial),
		changes: changes{w: w, customer: number},
		random:  rand.New(rand.NewPCG(w.seed, uint64(number)<<32|0xA6E)),
		off:     map[string]string{},
	}
	a.gate.random = a.random
	a.tables = make([]agentTable, initial)
	var err error
	a.client, err = uploader.New(uploader.Config{
		BaseURL: c.url, Customer: a.customer, Key: func() (string, error) { return key, nil },
		UserAgent: "tidemark-bench", Transport: c.recorder,
	})
	a.start(c.clock.Now())
	return a, err
}

func customerID(number int) string { return fmt.Sprintf("site%04d", number) }

// epoch of the source, which no customer ever changes here.
const epoch = "6f1d2a33-0001-4a4e-8f0e-5b7f6f7d9c01"

// start is that of the process: what was heard from the cloud is to be heard
// again.
func (a *agent) start(now time.Time) {
	a.writer = wire.Writer{ID: fmt.Sprintf("%016x", hash(a.customer)), Name: a.customer + "-sql", Run: fmt.Sprintf("%016x", a.random.Uint64())}
	a.cycle = now.Add(time.Duration(hash("tick "+a.customer) % uint64(interval)))
	a.report = now.Add(time.Duration(hash("contact "+a.customer) % uint64(firstContact)))
	a.want, a.leased, a.ruled = time.Time{}, time.Time{}, false
	a.pace, a.every, a.leases = 5*time.Minute, ownEvery, false
	for i := range a.tables {
		a.tables[i].known, a.tables[i].wait = false, time.Time{}
		a.tables[i].limits = a.limits(i)
	}
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}

// limits are a table's: until a lease is told, all of a site have the same cap.
func (a *agent) limits(i int) scheduler.Limits {
	seed := a.customer
	if a.leases {
		seed += " " + kinds[i].name
	}
	l := scheduler.Limits{MaxSkips: maxSkips}.Phased(seed)
	l.VerifyEvery, l.CountEvery = verifyEvery, 6*time.Hour
	return l
}

// due implements site.
func (a *agent) due() time.Time {
	next := a.cycle
	if a.report.Before(next) {
		next = a.report
	}
	if !a.want.IsZero() && a.want.Before(next) {
		next = a.want
	}
	for i := range a.tables {
		if w := a.tables[i].wait; !w.IsZero() && w.Before(next) {
			next = w
		}
	}
	return next
}

// visit implements site.
func (a *agent) visit(ctx context.Context, now time.Time) error {
	a.changes.until(a.db, now)
	a.heard = false
	ticked := !now.Before(a.cycle)
	if ticked { // as scheduler.Queue jitters it
		a.cycle = a.cycle.Add(time.Duration((0.9 + 0.2*a.random.Float64()) * float64(interval)))
	}
	for i := range a.tables {
		t := &a.tables[i]
		switch {
		case !t.wait.IsZero() && now.Before(t.wait): // its cycle is under way
			continue
		case t.wait.IsZero() && !ticked:
			continue
		}
		if err := a.evaluate(ctx, i, now); err != nil {
			return fmt.Errorf("%s of %s at %s: %w", kinds[i].name, a.customer, now.Format(time.DateTime), err)
		}
	}
	if !now.Before(a.report) || !a.want.IsZero() && !now.Before(a.want) {
		if err := a.checkIn(ctx, now); err != nil {
			return fmt.Errorf("check-in of %s at %s: %w", a.customer, now.Format(time.DateTime), err)
		}
	}
	if a.heard && a.client.PolicyChanged() {
		return a.rules(ctx, now)
	}
	return nil
}

// call makes a request, where the cloud is not away.
func (a *agent) call(now time.Time, f func() error) error {
	if a.cloud.down.Load() {
		a.gate.fail(now)
		return errWait
	}
	if err := f(); err != nil {
		return err
	}
	if a.gate.away {
		a.gate.succeed(now)
		for i := range a.tables {
			if t := &a.tables[i]; !t.wait.IsZero() {
				t.wait = a.gate.place
			}
		}
	}
	a.heard = true
	a.heed(now)
	return nil
}

// heed takes the lease that an answer has told: it can only have the site come
// back earlier.
func (a *agent) heed(now time.Time) {
	l := a.client.Lease()
	if l.Told.Equal(a.told) {
		return
	}
	a.told, a.every, a.pace = l.Told, l.Every, l.Pace
	if !a.leases {
		a.leases = true
		for i := range a.tables {
			a.tables[i].limits = a.limits(i)
		}
	}
	if next := now.Add(l.Return); next.Before(a.report) {
		a.report = next
	}
}

// rule asks for the policy where it is not known, or an answer has announced
// another one.
func (a *agent) rule(ctx context.Context, now time.Time) error {
	if a.ruled && !a.client.PolicyChanged() {
		return nil
	}
	return a.call(now, func() error {
		p, err := a.client.Policy(ctx)
		if err != nil {
			return err
		}
		a.ruled = true
		clear(a.off)
		for name, t := range p.Tables {
			if t.Disabled {
				a.off[name] = cmp.Or(t.Reason, "by policy")
			}
		}
		return nil
	})
}

// ask asks for all versions: tables share what was asked for since their cycles
// began.
func (a *agent) ask(ctx context.Context, now, since time.Time) error {
	if !a.asked.Before(since) {
		return nil
	}
	return a.call(now, func() (err error) {
		if a.versions, err = a.client.Versions(ctx); err == nil {
			a.asked = now
			err = a.confirm(now, a.versions)
		}
		return err
	})
}

// add has the agent's file name the next kind of table. With a new file the
// policy is asked for again.
func (a *agent) add() {
	a.db.add()
	a.tables = append(a.tables, agentTable{limits: a.limits(len(a.tables))})
	a.ruled = false
}

// jump moves all times ahead.
func (a *agent) jump(by time.Duration, to time.Time) {
	a.cycle, a.report, a.leased = a.cycle.Add(by), a.report.Add(by), a.leased.Add(by)
	for i := range a.tables {
		a.tables[i].state.Verified = a.tables[i].state.Verified.Add(by)
	}
	a.changes.skipTo(int(to.Sub(day0) / time.Hour))
}
