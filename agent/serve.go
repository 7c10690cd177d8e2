package agent

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"tidemark/internal/fault"
	"tidemark/scheduler"
)

// schedule tells the queue which tables there are and how often they are due.
func (a *Agent) schedule() {
	a.mu.Lock()
	sources, site, narrowed, queue, paused := a.sources, a.site, a.narrowed, a.queue, a.paused
	a.mu.Unlock() // before a table's: see table.mu
	var all []scheduler.Source
	var still []string
	for i, s := range sources {
		src := scheduler.Source{Name: s.name, Running: site.Sources[i].Running}
		for _, t := range s.tables {
			due := scheduler.Table{Name: t.site.Dataset, Interval: narrowed.interval(t.site), Open: t.site.Open}
			if due.Interval > t.site.Interval { // the operator may have slowed all sites down, at once
				due.Spread = due.Interval
			}
			src.Tables = append(src.Tables, due)
			if t.record().Paused != nil {
				still = append(still, t.site.Dataset)
			}
		}
		all = append(all, src)
	}
	queue.Set(all)
	for _, name := range still {
		queue.Pause(name)
	}
	if paused != nil {
		queue.Pause("")
	}
}

// Run serves the site until ctx ends, which is no error.
func (a *Agent) Run(ctx context.Context) error {
	for {
		next, err := a.serve(ctx)
		if err != nil || next == nil {
			return err
		}
		next.done <- a.become(next.site)
	}
}

// serve serves the site as it is until ctx ends or another one takes over.
func (a *Agent) serve(ctx context.Context) (*swap, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := a.begin(); err != nil {
		return nil, err
	}
	defer a.end()
	var running sync.WaitGroup
	stale := make(chan struct{}, 1)
	running.Go(func() { a.followPolicy(ctx, stale) })
	running.Go(func() { a.keepHouse(ctx, stale) })
	running.Go(func() { a.keepLease(ctx) })
	queue := a.turns()
	running.Go(func() { queue.Run(ctx, a.cycle) })
	var next *swap
	select {
	case <-ctx.Done():
	case s := <-a.swap:
		next = &s
	}
	cancel()
	running.Wait()
	return next, nil
}

// Once runs one cycle of every table, but for those that are paused or whose
// window is closed, and returns when the last has ended. It gives up when the
// cloud stays away for longer than patience; the error then tells why it is
// away.
func (a *Agent) Once(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := a.begin(); err != nil {
		return err
	}
	defer a.end()
	var running sync.WaitGroup
	running.Go(func() { a.keepHouse(ctx, nil) })
	running.Go(func() { a.giveUp(ctx, patience, cancel) })
	err := a.askPolicy(ctx)
	if err == nil {
		a.turns().Once(ctx, a.cycle)
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	cancel(nil)
	running.Wait()
	a.noteProblems() // the house was kept too seldom for them
	return err
}

// giveUp cancels when the cloud has been away for too long.
func (a *Agent) giveUp(ctx context.Context, patience time.Duration, cancel context.CancelCauseFunc) {
	for pause(ctx, 100*time.Millisecond) {
		if s := a.cloud().State(); s.Away && time.Since(s.Since) > patience {
			cancel(s.Err)
			return
		}
	}
}

func (a *Agent) begin() error {
	a.schedule()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.running {
		return errors.New("the agent is closed, or runs already")
	}
	a.running = true
	return nil
}

// end answers what nobody will work on any more.
func (a *Agent) end() {
	a.mu.Lock()
	a.running = false
	tables := a.allTables()
	a.mu.Unlock()
	for _, t := range tables {
		for _, r := range t.drain() {
			r.done <- outcome{err: errEnded}
		}
	}
	if err := a.flush(); err != nil {
		a.log.Error("state.failed", zap.Error(err), zap.String("hint", fault.Hint(err)))
	}
}

// cycle implements scheduler.Cycle.
func (a *Agent) cycle(ctx context.Context, name string, turns []*scheduler.Turn) {
	for _, s := range a.sources { // not changed while the queue runs
		if s.name == name {
			s.cycle(ctx, turns)
			a.tidy()
		}
	}
}
