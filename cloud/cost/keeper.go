package cost

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// A Keeper writes down what a Meter has added up and a Source has counted, and
// models the balance of the volume. Run does the work; the other methods may
// be called meanwhile.
type Keeper struct {
	Meter  *Meter
	Store  Store
	Source Source      // nil: the database does not count
	Volume Volume      // zero: no balance is modelled
	Log    *zap.Logger // nil: none

	mu       sync.Mutex
	balance  *Balance
	now      *Counters // last seen
	rates    *Counters // the difference to those before, over between
	between  time.Duration
	warned   bool
	pending  []Record
	failed   int64       // times that records could not be written
	uncounts atomic.Bool // the source has said that it does not count
}

func (k *Keeper) log() *zap.Logger {
	if k.Log == nil {
		return zap.NewNop()
	}
	return k.Log
}

const (
	lookEvery  = 15 * time.Second // at the counters
	writeTime  = 10 * time.Second // for one exchange with the store
	maxPending = 240              // records that wait for the store: two hours
	dropEvery  = time.Hour
)

// WarnBefore is how long before the balance runs out the log tells, and the
// page of the fleet.
const WarnBefore = 6 * time.Hour

// Run works until ctx ends, and writes down what there is then.
func (k *Keeper) Run(ctx context.Context) {
	k.recall(ctx)
	k.Look(ctx)
	k.write(ctx, k.counted(time.Now())) // what comes next is told from here on
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	// Instances that began together do not keep step.
	minute := time.Now().Truncate(Minute).Add(Minute + rand.N(5*time.Second))
	var dropped time.Time
	for {
		select {
		case <-ctx.Done():
			k.write(context.WithoutCancel(ctx), k.Meter.Turn(time.Now()))
			return
		case <-tick.C:
		}
		k.Look(ctx)
		now := time.Now()
		if now.Before(minute) {
			continue
		}
		minute = now.Truncate(Minute).Add(Minute + rand.N(5*time.Second))
		k.write(ctx, append(k.Meter.Turn(now), k.counted(now)...))
		if now.Sub(dropped) >= dropEvery {
			k.drop(ctx, now)
			dropped = now
		}
	}
}

// recall brings the balance to where the records of the last hours leave it.
func (k *Keeper) recall(ctx context.Context) {
	if k.Volume == (Volume{}) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	b, last, err := recall(ctx, k.Store, k.Volume, time.Now())
	if err != nil {
		k.log().Warn("the I/O balance begins full: what was counted cannot be read", zap.Error(err))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.balance, k.now = b, last
}

// Look reads the counters and spends what they say. Run does so every 15 s.
func (k *Keeper) Look(ctx context.Context) {
	if k.Source == nil || k.uncounts.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	c, err := k.Source.Counters(ctx)
	switch {
	case errors.Is(err, ErrNotCounted):
		k.uncounts.Store(true)
		k.log().Warn("costs are told without what the database counts", zap.Error(err))
		return
	case err != nil: // the store's troubles are told elsewhere
		k.log().Debug("counters cannot be read", zap.Error(err))
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now != nil && c.At.After(k.now.At) {
		k.rates, k.between = c.Since(k.now), c.At.Sub(k.now.At)
		if k.balance != nil {
			k.balance.Spend(float64(k.rates.Reads+k.rates.Writes), k.between)
			k.warn()
		}
	}
	k.now = c
}

// warn tells once that the balance runs out, and once that it no longer does.
func (k *Keeper) warn() {
	in, runsOut := k.balance.Empty()
	runsOut = runsOut && in < WarnBefore
	fields := []zap.Field{zap.Float64("operations_per_second", k.balance.Rate()), zap.Float64("baseline", k.balance.Baseline),
		zap.Float64("left", k.balance.Left), zap.Float64("of", k.balance.Credits)}
	switch {
	case runsOut && !k.warned:
		k.log().Warn("alarm: the I/O budget runs out", append(fields, zap.Duration("in", in.Round(time.Minute)))...)
		k.warned = true
	case k.warned && !runsOut && k.balance.Rate() < k.balance.Baseline:
		k.log().Info("the I/O budget no longer runs out", fields...)
		k.warned = false
	}
}

// counted are the records of the counters: of this minute, and of this hour,
// where nobody has written one.
func (k *Keeper) counted(now time.Time) []Record {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now == nil || now.Sub(k.now.At) > Minute {
		return nil
	}
	return []Record{
		{Span: Minute, At: now.UTC().Truncate(Minute), Counters: k.now},
		{Span: Hour, At: now.UTC().Truncate(Hour), Counters: k.now},
	}
}

// write writes records, and those that could not be written before.
func (k *Keeper) write(ctx context.Context, records []Record) {
	k.pending = append(k.pending, records...)
	if len(k.pending) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	if err := k.Store.KeepCosts(ctx, k.pending); err != nil {
		k.log().Debug("costs cannot be written", zap.Error(err))
		k.pending = k.pending[max(0, len(k.pending)-maxPending):]
		k.mu.Lock()
		defer k.mu.Unlock()
		k.failed++
		return
	}
	k.pending = nil
}

func (k *Keeper) drop(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	err := errors.Join(k.Store.DropCosts(ctx, Minute, now.Add(-KeepMinutes)), k.Store.DropCosts(ctx, Hour, now.Add(-KeepHours)))
	if err != nil && ctx.Err() == nil {
		k.log().Warn("old costs cannot be removed", zap.Error(err))
	}
}

// Rates returns what was counted lately, and in which time; nil when nothing
// was counted twice yet.
func (k *Keeper) Rates() (*Counters, time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.rates, k.between
}
