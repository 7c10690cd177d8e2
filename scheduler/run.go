package scheduler

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Cycle evaluates the tables of one source that are due together. Each turn
// ends with its Done, at the latest when Cycle returns; a table whose turn has
// ended can be due again while others of the same cycle go on. The context
// ends with the queue's.
type Cycle func(ctx context.Context, source string, turns []*Turn)

// Run runs cycles until ctx ends and returns when the last has ended.
func (q *Queue) Run(ctx context.Context, cycle Cycle) {
	var running sync.WaitGroup
	defer running.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		batches, next := q.take(time.Now(), false)
		for source, turns := range batches {
			running.Go(func() { q.run(ctx, cycle, source, turns) })
		}
		timer.Reset(time.Until(next))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-q.wake:
		}
	}
}

// Once runs one cycle of every table that is not paused, whose window is open
// and that does not run, and returns when all have ended.
func (q *Queue) Once(ctx context.Context, cycle Cycle) {
	var running sync.WaitGroup
	batches, _ := q.take(time.Now(), true)
	for source, turns := range batches {
		running.Go(func() { q.run(ctx, cycle, source, turns) })
	}
	running.Wait()
}

func (q *Queue) run(ctx context.Context, cycle Cycle, source string, turns []*Turn) {
	defer func() {
		for _, t := range turns {
			t.Done()
		}
	}()
	cycle(ctx, source, turns)
}

// take marks what is due as running and returns it by source, with the time at
// which to look again.
func (q *Queue) take(now time.Time, all bool) (map[string][]*Turn, time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	ticked := map[tick]time.Time{}
	for k, at := range q.ticks {
		if now.Before(at) {
			continue
		}
		ticked[k] = at
		// A tick that lies behind by more than an interval (the machine slept)
		// is not made up for.
		if q.ticks[k] = q.after(at, k.interval); q.ticks[k].Before(now) {
			q.ticks[k] = q.after(now, k.interval)
		}
	}
	next := now.Add(time.Hour)
	for _, at := range q.ticks {
		next = earlier(next, at)
	}
	batches := map[string][]*Turn{}
	wall := q.config.Wall()
	for _, e := range q.tables {
		due, ok := ticked[e.tick()]
		e.missed = e.missed || ok
		if !ok {
			due = now
		}
		switch {
		case e.running:
			e.missed = false // it is being looked at: the next tick will do
			continue
		case e.paused || q.paused:
			continue
		case e.asked:
		case !(e.missed || all):
			continue
		case now.Before(e.rest):
			e.missed = false
			continue
		case e.Open != nil && !e.Open(wall):
			next = earlier(next, now.Add(pollWindows))
			continue
		}
		batches[e.source] = append(batches[e.source], &Turn{Table: e.Name, Asked: e.asked, queue: q, entry: e, source: e.source, due: due})
		e.running, e.asked, e.missed = true, false, false
	}
	for _, turns := range batches {
		slices.SortFunc(turns, func(a, b *Turn) int { return strings.Compare(a.Table, b.Table) })
	}
	return batches, next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
