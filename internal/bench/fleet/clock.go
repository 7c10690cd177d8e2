package main

import (
	"sync/atomic"
	"time"
)

// day0 is when simulated time begins: a Monday.
var day0 = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// A clock is the simulated one.
type clock struct{ now atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.set(day0)
	return c
}

func (c *clock) set(t time.Time) { c.now.Store(t.UnixNano()) }

// Now is the time of the slot that runs.
func (c *clock) Now() time.Time { return time.Unix(0, c.now.Load()).UTC() }

// minute counts simulated minutes since day0.
func (c *clock) minute() int { return int(c.Now().Sub(day0) / time.Minute) }
