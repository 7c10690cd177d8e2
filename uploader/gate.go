package uploader

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A gate is what all calls pass. It closes with the first failure; then one
// call at a time, in order of arrival, tries when the wait is over. Once one
// was answered, all others go out from a place in time on that is the site's
// own: a place for each call would only have sites finish later.
type gate struct {
	pacer  *pacer
	spread time.Duration // of a recovery, at most
	tell   func(State)   // called with the lock held, so that states arrive in order

	mu      sync.Mutex
	state   State         // Away, Since, Next, Err
	place   time.Time     // after an outage: no call but the one that found it over goes out before
	trying  bool          // one is trying while the gate is closed
	waiting []*pass       // in order of arrival
	changed chan struct{} // closed and replaced when any of the above changes
}

// A pass is a call on its way through the gate.
type pass struct {
	trial bool // the gate is closed, and this is the one that tries
}

func newGate(p *pacer, spread time.Duration, tell func(State)) *gate {
	return &gate{pacer: p, spread: spread, tell: tell, changed: make(chan struct{})}
}

// enter waits until the call may try. The pass must be given back with
// succeed, fail or abandon.
func (g *gate) enter(ctx context.Context) (*pass, error) {
	p := &pass{}
	g.mu.Lock()
	defer g.mu.Unlock()
	defer func() {
		if i := slices.Index(g.waiting, p); i >= 0 {
			g.waiting = slices.Delete(g.waiting, i, i+1)
			g.change()
		}
	}()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var wait time.Duration // 0: until something changes
		switch now := time.Now(); {
		case !g.state.Away && !now.Before(g.place):
			return p, nil
		case !g.state.Away:
			wait = g.place.Sub(now)
		default:
			if !slices.Contains(g.waiting, p) {
				g.waiting = append(g.waiting, p)
			}
			if g.waiting[0] != p || g.trying {
				break
			}
			if wait = g.state.Next.Sub(now); wait <= 0 {
				p.trial, g.trying = true, true
				return p, nil
			}
		}
		if err := g.wait(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// wait lets go of the lock until something changes, time has passed (where
// there is one), or ctx ends.
func (g *gate) wait(ctx context.Context, d time.Duration) error {
	changed := g.changed
	g.mu.Unlock()
	defer g.mu.Lock()
	var after <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		after = timer.C
	}
	select {
	case <-after:
	case <-changed:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// succeed tells that the cloud answered, whatever it said.
func (g *gate) succeed(p *pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.trial {
		p.trial, g.trying = false, false
	}
	if !g.state.Away {
		return
	}
	now := time.Now()
	// Within half of the outage: blips pass unnoticed, minutes follow hours.
	g.place = now.Add(jitter(g.pacer.rand, min(g.spread, now.Sub(g.state.Since)/2)))
	g.state = State{}
	g.pacer.reset()
	g.change()
	g.tell(g.state)
}

// fail tells that it did not. While the gate is closed only the trial's
// failure counts.
func (g *gate) fail(p *pass, err error, floor time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	switch {
	case p.trial:
		p.trial, g.trying = false, false
		g.state.Next = now.Add(g.pacer.next(floor))
	case !g.state.Away:
		g.state = State{Away: true, Since: now, Next: now.Add(g.pacer.next(floor))}
	case floor > 0 && g.state.Next.Before(now.Add(floor)):
		g.state.Next = now.Add(floor)
	}
	g.state.Err = err
	g.change()
	g.tell(g.state)
}

// abandon tells that nothing was learned. After fail or succeed it does
// nothing.
func (g *gate) abandon(p *pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.trial {
		p.trial, g.trying = false, false
		g.change()
	}
}

func (g *gate) change() {
	close(g.changed)
	g.changed = make(chan struct{})
}
