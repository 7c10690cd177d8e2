package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A site is one customer's agent, of either system. Its methods are called by
// one goroutine at a time.
type site interface {
	// due is when it next has something to do.
	due() time.Time
	// visit does what is due at a time.
	visit(ctx context.Context, now time.Time) error
}

// slot is how much simulated time runs side by side.
const slot = 10 * time.Second

// drive lets simulated time pass from the clock's until a time. Each minute
// begins with every.
func drive(ctx context.Context, c *clock, until time.Time, workers int, sites []site, every func(context.Context, time.Time) error) error {
	for now := c.Now(); now.Before(until); now = now.Add(slot) {
		c.set(now)
		if now.Equal(now.Truncate(time.Minute)) {
			if err := every(ctx, now); err != nil {
				return err
			}
		}
		if err := runSlot(ctx, now.Add(slot), workers, sites); err != nil {
			return err
		}
	}
	c.set(until)
	return nil
}

// runSlot visits all that are due before the end of a slot, until none is.
func runSlot(ctx context.Context, end time.Time, workers int, sites []site) error {
	var due []site
	for _, s := range sites {
		if s.due().Before(end) {
			due = append(due, s)
		}
	}
	next := make(chan site)
	failed := make(chan error, workers)
	var wg sync.WaitGroup
	for range min(workers, len(due)) {
		wg.Go(func() {
			for s := range next {
				for at := s.due(); at.Before(end); at = s.due() {
					if err := s.visit(ctx, at); err != nil {
						failed <- err
						return
					}
				}
			}
		})
	}
	err := hand(ctx, due, next, failed)
	close(next)
	wg.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	return err
}

func hand(ctx context.Context, due []site, next chan<- site, failed <-chan error) error {
	for _, s := range due {
		select {
		case next <- s:
		case err := <-failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// changes brings a database forward: those of one customer, hour by hour.
type changes struct {
	w        workload
	customer int
	hour     int
	pending  []change
	read     bool
}

// until applies what happened until a time.
func (c *changes) until(d *database, now time.Time) {
	for hour := int(now.Sub(day0) / time.Hour); ; {
		if !c.read {
			c.pending, c.read = c.w.hour(c.customer, c.hour), true
		}
		begun := day0.Add(time.Duration(c.hour) * time.Hour)
		for len(c.pending) > 0 && !begun.Add(c.pending[0].at).After(now) {
			d.apply(c.pending[0])
			c.pending = c.pending[1:]
		}
		if c.hour >= hour {
			return
		}
		c.hour++
		c.read = false
	}
}

// skipTo forgets what happened before an hour.
func (c *changes) skipTo(hour int) { c.hour, c.read = hour, false }
