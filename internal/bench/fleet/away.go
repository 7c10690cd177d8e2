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
	mostRetry  = 10 * time.Minute
	mostSpread = 30 * time.Minute
)

// A gate is what uploader's does, in simulated time: it closes with the first
// failure, lets one call try after waits of full jitter that double, and has
// what waits go out at a place of the site's own once one was answered.
type gate struct {
	random   *rand.Rand
	away     bool
	since    time.Time
	next     time.Time // no try before
	interval time.Duration
	place    time.Time // in a recovery: no call before
}

// enter tells when a call may be made.
func (g *gate) enter(now time.Time) (at time.Time, ok bool) {
	at = g.place
	if g.away {
		at = g.next
	}
	return at, !now.Before(at)
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
		g.away = false
		g.place = now.Add(g.jitter(min(mostSpread, now.Sub(g.since)/2)))
	}
}
