package cost_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tidemark/cloud/cost"
)

// A counting database does so many operations a second.
type counting struct {
	mu   sync.Mutex
	rate int64
	last time.Time
	now  cost.Counters
	err  error
}

func (c *counting) Counters(context.Context) (*cost.Counters, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	if !c.last.IsZero() {
		c.now.Reads += c.rate * int64(time.Since(c.last).Seconds())
	}
	c.last = time.Now()
	now := c.now
	now.At = time.Now()
	return &now, nil
}

func (c *counting) set(rate int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rate = rate
}

// keep runs a keeper until what it returns is called.
func keep(t *testing.T, k *cost.Keeper) (stop func(), log *observer.ObservedLogs) {
	core, logs := observer.New(zap.InfoLevel)
	k.Log = zap.New(core)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); k.Run(ctx) }()
	return func() { cancel(); <-done }, logs
}

// Records are written every minute, again when the store was away, once more
// at the end, and go when they are old.
func TestKeeperWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var store memory
		m := cost.NewMeter(time.Now())
		stop, _ := keep(t, &cost.Keeper{Meter: m, Store: &store, Source: &counting{rate: 10}})
		store.failWith(errors.New("away"))
		request := func() { add(m, "POST rows", "o", "acme", cost.Sums{Requests: 1, Time: 1}) }
		for range 5 {
			request()
			time.Sleep(time.Minute)
		}
		if n := store.count(cost.Minute); n != 0 {
			t.Errorf("%d records in a store that is away", n)
		}
		store.failWith(nil)
		request()
		time.Sleep(2 * time.Minute)
		if n := store.count(cost.Minute); n < 5+6 {
			t.Errorf("%d records of five minutes and counters of six", n)
		}
		for range 8 * 60 {
			request()
			time.Sleep(time.Minute)
		}
		request()
		stop()
		r, err := cost.Read(t.Context(), &store, cost.Query{By: cost.ByCustomer, Since: time.Now().Add(-24 * time.Hour), Until: time.Now(), Now: time.Now()})
		if err != nil || r.Total.Requests != 5+1+8*60+1 || len(r.Entries) != 1 {
			t.Errorf("%+v, %v", r.Total, err)
		}
		if n := store.count(cost.Minute); n > 2*(7*60+5) {
			t.Errorf("%d records of minutes are kept", n)
		}
	})
}

// A table that triples the reads is an alarm in the log, once, long before the
// balance is empty; a keeper that begins anew knows where it stood.
func TestKeeperWarns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var store memory
		volume := cost.Volume{Baseline: 1500, Burst: 3000, Credits: 5.4e6}
		source := &counting{rate: 800}
		k := &cost.Keeper{Meter: cost.NewMeter(time.Now()), Store: &store, Source: source, Volume: volume}
		stop, log := keep(t, k)
		time.Sleep(30 * time.Minute)
		if n := log.Len(); n != 0 {
			t.Errorf("%d lines while all is well: %v", n, log.All())
		}
		source.set(2400)
		begun := time.Now()
		for log.Len() == 0 && time.Since(begun) < time.Hour {
			time.Sleep(time.Minute)
		}
		if took := time.Since(begun); took > 15*time.Minute {
			t.Errorf("warned after %v; the balance lasts 100 minutes", took)
		}
		time.Sleep(20 * time.Minute)
		if n := log.FilterMessageSnippet("alarm").Len(); n != 1 {
			t.Errorf("%d alarms", n)
		}
		left := balance(t, k)
		stop()
		again := &cost.Keeper{Meter: cost.NewMeter(time.Now()), Store: &store, Source: source, Volume: volume}
		stop, log = keep(t, again)
		time.Sleep(time.Minute)
		if got := balance(t, again); got > left || got < left-3*60*900 {
			t.Errorf("%g were left, %g after a restart", left, got)
		}
		source.set(100)
		time.Sleep(2 * time.Hour)
		if n := log.FilterMessageSnippet("no longer").Len(); n != 1 {
			t.Errorf("lines: %v", log.All())
		}
		stop()
	})
}

func balance(t *testing.T, k *cost.Keeper) float64 {
	t.Helper()
	b, ok := k.Balance()
	if !ok {
		t.Fatal("no balance")
	}
	return b.Left
}

// A store that does not count is asked once.
func TestNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &cost.Keeper{Meter: cost.NewMeter(time.Now()), Store: new(memory), Source: &counting{err: cost.ErrNotCounted}}
		stop, log := keep(t, k)
		time.Sleep(10 * time.Minute)
		stop()
		if log.Len() != 1 {
			t.Errorf("%v", log.All())
		}
		if c, _ := k.Rates(); c != nil {
			t.Errorf("%+v", c)
		}
	})
}
