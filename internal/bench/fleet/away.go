package main

import (
	"errors"
	"math/rand/v2"
	"time"
)

// errWait ends a table's cycle that has to wait for the cloud; it goes on
// later, as that of a call of package uploader does.
var errWait = errors.New("the call waits")

// Waits of package uploader, uploader.Retry's defaults.
const (
	firstRetry = time.Second
	mostRetry  = 5 * time.Minute
	mostSpread = 5 * time.Minute
)

// A gate is what uploader's does, in simulated time: it closes with the first
// failure, lets one call try after waits of full jitter that double, and
// spreads what waits once one was answered. It differs in that tables that
// wait do so all at once, where an agent has places for a few: here they are
// spread less.
type gate struct {
	random   *rand.Rand
	away     bool
	since    time.Time
	next     time.Time // no try before
	interval time.Duration
	ramp     time.Time // calls before it are spread up to it
}

// enter tells when a call may be made; spread is set for one that has waited
// for its place in a recovery.
func (g *gate) enter(now time.Time, spread *bool) (at time.Time, ok bool) {
	switch {
	case g.away && now.Before(g.next):
		return g.next, false
	case g.away || *spread || !now.Before(g.ramp):
		return now, true
	}
	*spread = true
	return now.Add(g.jitter(g.ramp.Sub(now))), false
}

func (g *gate) jitter(d time.Duration) time.Duration {
	return time.Duration(g.random.Float64() * float64(d))
}

func (g *gate) fail(now time.Time) {
	if !g.away {
		g.away, g.since, g.interval = true, now, firstRetry
	}
	g.next = now.Add(max(g.jitter(g.interval), time.Millisecond))
	g.interval = min(2*g.interval, mostRetry)
}

func (g *gate) succeed(now time.Time) {
	if g.away {
		g.ramp = now.Add(min(mostSpread, now.Sub(g.since)/4))
		g.away = false
	}
}
