package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tidemark/agent/journal"
)

// Bounds of beginning and end.
const (
	firstLoadTime = 5 * time.Second
	catchUpTime   = 30 * time.Second
	proofTime     = time.Minute
)

// A demo is one run.
type demo struct {
	options
	*site
	started time.Time
	feed    *feed
	ledger  *ledger
	acted   *acted
	phase   atomic.Value // string
}

// show runs the demo: everything at once, then the end of one after the other.
// errDiffer is returned when the proof fails.
func show(ctx context.Context, o options, out io.Writer, h hooks) (err error) {
	if o.seed == 0 {
		o.seed = rand.Uint64N(1_000_000) + 1
	}
	r := rand.New(rand.NewPCG(o.seed, o.seed))
	d := &demo{options: o, started: time.Now(), acted: newActed(), ledger: newLedger()}
	d.feed = &feed{started: d.started}
	if d.site, err = openSite(ctx, o, r, d.decided); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.site.Close()) }()

	if err := d.play(ctx, out, newWriter(d.shop, r, o.rate, d.ledger, d.feed)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), proofTime)
	defer cancel()
	if h.stopped != nil {
		if err := h.stopped(ctx, d.site); err != nil {
			return err
		}
	}
	p, err := prove(ctx, d.shop, d.cloud.store)
	if err != nil {
		return err
	}
	if err := d.report(ctx, out, p); err != nil {
		return err
	}
	if !p.equal() {
		return errDiffer
	}
	return nil
}

// play runs writer, agent and display until the writer has ended and the
// agent has caught up. The agent has stopped when it returns.
func (d *demo) play(ctx context.Context, out io.Writer, w *writer) error {
	writing, stopWriting := ctx, context.CancelFunc(func() {})
	if d.length > 0 {
		writing, stopWriting = context.WithTimeout(ctx, d.length)
	}
	defer stopWriting()
	all, failing := errgroup.WithContext(context.WithoutCancel(ctx))
	serving, stopServing := context.WithCancel(failing)
	defer stopServing()
	showing, stopShowing := context.WithCancel(failing)
	defer stopShowing()

	d.phase.Store(phaseWriting)
	all.Go(func() error { return d.agent.Run(serving) })
	all.Go(func() error { return d.display(out).run(showing) })
	all.Go(func() error {
		defer stopShowing()
		defer stopServing()
		writing, stop := context.WithCancel(writing)
		defer stop()
		defer context.AfterFunc(failing, stop)()
		d.firstLoad(writing)
		if err := w.run(writing); err != nil {
			return err
		}
		d.phase.Store(phaseCatchingUp)
		d.feed.add("demo", "the writer has stopped, the agent catches up")
		d.catchUp(failing)
		return nil
	})
	return all.Wait()
}

// The phases, for people.
const (
	phaseWriting    = "a program changes rows, the agent looks every second"
	phaseCatchingUp = "the writer has stopped, the agent catches up"
	phaseCaughtUp   = "the agent has caught up and stopped"
	phaseBehind     = "the agent did not catch up"
)

// firstLoad waits until the tables are in the cloud as they are, which makes
// a clearer beginning.
func (d *demo) firstLoad(ctx context.Context) {
	for began := time.Now(); !d.ledger.covered() && time.Since(began) < firstLoadTime && pause(ctx, 50*time.Millisecond); {
	}
}

// catchUp waits until cycles of the agent have covered all that was
// committed. Nobody helps it: its own caps say how long that takes.
func (d *demo) catchUp(ctx context.Context) {
	began := time.Now()
	for !d.ledger.covered() {
		if !pause(ctx, 50*time.Millisecond) {
			return
		}
		if time.Since(began) > catchUpTime {
			d.phase.Store(phaseBehind)
			d.feed.put(event{who: "demo", bad: true, text: "the agent has not caught up within " + catchUpTime.String()})
			return
		}
	}
	d.phase.Store(phaseCaughtUp)
	d.feed.add("demo", "the agent has caught up after "+seconds(time.Since(began)))
}

// decided is told of every entry of the agent's journal.
func (d *demo) decided(e journal.Entry) {
	d.ledger.decided(e)
	if ev, did := told(e); did {
		d.acted.put(e)
		d.feed.put(ev)
	}
}
