package rollout

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Versioned is a rollout with the revision that it was read at.
type Versioned struct {
	Rollout
	Revision int64
}

// A Store is what a Watcher needs of the one that the instances share.
type Store interface {
	// Rollouts returns all rollouts.
	Rollouts(ctx context.Context) ([]Versioned, error)
	// Observe puts down what an instance sees, and returns what each sees that
	// put down something lately. A sample may have more in it than figures.
	Observe(ctx context.Context, instance string, s Sample) (map[string]Sample, error)
	// Decide replaces a rollout as it was read, and records action and why;
	// ErrChanged when it is no longer what was read.
	Decide(ctx context.Context, was Versioned, is Rollout, action, why string) error
}

// ErrChanged says that somebody else changed a rollout meanwhile.
var ErrChanged = errors.New("the rollout was changed by somebody else")

// A Watcher takes rollouts back that are too much for the service. Every
// instance runs one.
type Watcher struct {
	Store    Store
	Figures  Figures
	Instance string      // its name, unlike those of the other instances
	Log      *zap.Logger // nil: none
	Pace     Pace

	mu       sync.Mutex
	rollouts []Versioned
	waits    map[string]string // by rollout, what its step waits for
	halts    int64
	failed   int64
	seen     history
}

// A Pace is how often a Watcher looks. Zero values are the defaults.
type Pace struct {
	Every  time.Duration // between two looks, but for jitter; default 10 s
	Settle time.Duration // that figures are seen for before a step, at least; default 1 min
}

const (
	lookEvery = 10 * time.Second
	lookTime  = 8 * time.Second // of one look, at most
	settle    = time.Minute
)

// Run watches until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	if w.Log == nil {
		w.Log = zap.NewNop()
	}
	every := cmp.Or(w.Pace.Every, lookEvery)
	for {
		wait := time.NewTimer(every - rand.N(every/10))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
		look, cancel := context.WithTimeout(ctx, lookTime)
		err := w.look(look)
		cancel()
		if err != nil && ctx.Err() == nil {
			w.mu.Lock()
			w.failed++
			w.mu.Unlock()
			w.Log.Debug("rollouts cannot be watched", zap.Error(err)) // the store's troubles are told elsewhere
		}
	}
}

// look looks once. What is out of its bounds counts from samples, not from
// time alone: a look that failed is as good as one that did not see.
func (w *Watcher) look(ctx context.Context) error {
	all, err := w.Store.Rollouts(ctx)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.rollouts = all
	w.mu.Unlock()
	now := time.Now()
	all = slices.DeleteFunc(slices.Clone(all), func(r Versioned) bool { return !r.Watched(now) })
	if len(all) == 0 {
		w.mu.Lock()
		w.seen, w.waits = nil, nil
		w.mu.Unlock()
		return nil
	}
	mine, err := w.Figures.Figures(ctx)
	if err != nil {
		w.Log.Debug("figures cannot be read", zap.Error(err))
		mine = Sample{} // others may see, and not to see counts too
	}
	w.mu.Lock()
	told := w.seen.tell(mine, now)
	w.mu.Unlock()
	shared, err := w.Store.Observe(ctx, w.Instance, told)
	if err != nil {
		return err
	}
	shared[w.Instance] = mine
	now = time.Now()
	w.mu.Lock()
	w.seen = w.seen.add(now, Worst(shared))
	seen := w.seen
	w.mu.Unlock()
	decides := slices.Min(slices.Collect(maps.Keys(shared))) == w.Instance
	waiting := map[string]string{}
	for _, r := range all {
		next, why, waits, changed := seen.judge(r.Rollout, now, cmp.Or(w.Pace.Settle, settle))
		if waits != "" {
			waiting[r.Name] = waits
		}
		if changed && decides {
			err = errors.Join(err, w.decide(ctx, r, next, why))
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, waits := range waiting {
		if decides && gist(w.waits[name]) != gist(waits) {
			w.Log.Info("a step of a rollout waits", zap.String("rollout", name), zap.String("for", waits))
		}
	}
	w.waits = waiting
	return err
}

// gist is what is waited for without how much of it there is, which is another
// at every look.
func gist(waits string) string {
	if i := strings.IndexAny(waits, "0123456789"); i >= 0 {
		return waits[:i]
	}
	return waits
}

func (w *Watcher) decide(ctx context.Context, was Versioned, is Rollout, why string) error {
	action := "begin"
	if is.State == Halted {
		action = "halt"
	}
	switch err := w.Store.Decide(ctx, was, is, action, why); {
	case errors.Is(err, ErrChanged): // judged again at the next look
		return nil
	case err != nil:
		return err
	}
	fields := []zap.Field{zap.String("rollout", was.Name), zap.Strings("tables", was.Tables), zap.Stringer("was", was.Share), zap.Stringer("share", is.Share), zap.String("why", why)}
	if action == "halt" {
		w.mu.Lock()
		w.halts++
		w.mu.Unlock()
		w.Log.Warn("alarm: a rollout is halted", fields...)
		return nil
	}
	w.Log.Info("a step of a rollout is in force", fields...)
	return nil
}
