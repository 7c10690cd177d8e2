package rollout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A board is the Store of several watchers.
type board struct {
	mu       sync.Mutex
	rollouts map[string]Versioned
	reports  map[string]report
	record   []string
	down     bool
}

type report struct {
	at     time.Time
	sample Sample
}

var errDown = errors.New("down")

func newBoard(all ...Rollout) *board {
	b := &board{rollouts: map[string]Versioned{}, reports: map[string]report{}}
	for _, r := range all {
		b.rollouts[r.Name] = Versioned{r, 1}
	}
	return b
}

func (b *board) Rollouts(context.Context) ([]Versioned, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return nil, errDown
	}
	var all []Versioned
	for _, r := range b.rollouts {
		all = append(all, r)
	}
	return all, nil
}

func (b *board) Observe(_ context.Context, instance string, s Sample) (map[string]Sample, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return nil, errDown
	}
	b.reports[instance] = report{time.Now(), maps.Clone(s)}
	all := map[string]Sample{}
	for name, r := range b.reports {
		if time.Since(r.at) < 30*time.Second {
			all[name] = r.sample
		}
	}
	return all, nil
}

func (b *board) Decide(_ context.Context, was Versioned, is Rollout, action, why string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return errDown
	}
	if have := b.rollouts[was.Name]; have.Revision != was.Revision {
		return ErrChanged
	}
	b.rollouts[was.Name] = Versioned{is, was.Revision + 1}
	b.record = append(b.record, action+" "+is.Share.String()+": "+why)
	return nil
}

func (b *board) get(name string) Rollout {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rollouts[name].Rollout
}

func (b *board) change(t *testing.T, name string, f func(Rollout) (Rollout, error)) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.rollouts[name]
	r, err := f(v.Rollout)
	if err != nil {
		t.Error(err)
	}
	b.rollouts[name] = Versioned{r, v.Revision + 1}
}

// counted is how often a watcher has halted something.
func (w *Watcher) counted() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.halts
}

// figures are what a service shows, as a function of the time.
type figures func() (Sample, error)

func (f figures) Figures(context.Context) (Sample, error) { return f() }

// watch runs watchers until the function it returns is called.
func watch(t *testing.T, b *board, all ...*Watcher) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i, w := range all {
		w.Store = b
		if w.Instance == "" {
			w.Instance = fmt.Sprintf("instance-%d", i)
		}
		wg.Go(func() { w.Run(ctx) })
	}
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

func bounded(t *testing.T, bounds ...string) Rollout {
	t.Helper()
	r := sample(t)
	for _, text := range bounds {
		bound, err := ParseBound(text)
		if err != nil {
			t.Fatal(err)
		}
		r.Bounds = append(r.Bounds, bound)
	}
	return r
}

// step asks for a share and waits until it is in force.
func step(t *testing.T, b *board, to Share) {
	t.Helper()
	b.change(t, "orders", func(r Rollout) (Rollout, error) { return r.Step(to, time.Now()) })
	time.Sleep(settle + 2*lookEvery)
	if r := b.get("orders"); r.Share != to || r.State != Running {
		t.Fatalf("%s is not in force: %+v", to, r)
	}
}

// The story of the table that tripled the reads: the step to 10 % is taken
// back to 1 % after the time that the rollout gives it.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(bounded(t, "reads=2x", "latency=250ms"))
		w := &Watcher{Figures: figures(func() (Sample, error) {
			s := Sample{Reads: 900 + 200*rand.Float64(), Latency: 0.05}
			if b.get("orders").Share >= 1000 {
				s[Reads] *= 3
			}
			return s, nil
		})}
		watch(t, b, w)
		step(t, b, 100)
		time.Sleep(time.Hour)
		if r := b.get("orders"); r.State != Running || r.Baseline[Reads] < 900 || r.Baseline[Reads] > 1100 {
			t.Fatalf("1%% did no harm: %+v", r)
		}
		step(t, b, 1000)
		time.Sleep(DefaultHold + 2*lookEvery)
		r := b.get("orders")
		if r.State != Halted || r.Share != 100 || !strings.Contains(r.Reason, "reads is ") || !strings.Contains(r.Reason, "(2x of ") {
			t.Fatalf("not halted: %+v", r)
		}
		var out bytes.Buffer
		w.WriteMetrics(&out)
		for _, want := range []string{`tidemark_rollout_share{rollout="orders"} 0.01`, `tidemark_rollout_state{rollout="orders",state="halted"} 1`, "tidemark_rollout_halts_total 1"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %s in\n%s", want, out.String())
			}
		}
		if n := len(b.record); n != 3 || !strings.HasPrefix(b.record[2], "halt 1%: ") {
			t.Errorf("recorded: %q", b.record)
		}
		time.Sleep(time.Hour)
		if len(b.record) != 3 {
			t.Errorf("halted again: %q", b.record)
		}
	})
}

// Each figure that is bounded halts a rollout by itself, by a value and by a
// multiple of what it was.
func TestEachFigureHalts(t *testing.T) {
	for f, values := range map[Figure][2]float64{Reads: {900, 2700}, Latency: {0.1, 0.5}, Queue: {10, 40}, Lag: {4, 30}} {
		for _, b := range []Bound{{Figure: f, Most: values[0] * 2}, {Figure: f, Times: 2}} {
			t.Run(b.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					on := newBoard(bounded(t, b.String()))
					watch(t, on, &Watcher{Figures: figures(func() (Sample, error) {
						s := Sample{Reads: 5, Latency: 0.001, Queue: 1, Lag: 0}
						s[f] = values[0]
						if on.get("orders").Share > 0 {
							s[f] = values[1]
						}
						return s, nil
					})})
					step(t, on, 100)
					time.Sleep(DefaultHold + 2*lookEvery)
					if r := on.get("orders"); r.State != Halted || r.Share != 0 || !strings.HasPrefix(r.Reason, string(f)+" is ") {
						t.Errorf("%+v", r)
					}
				})
			})
		}
	}
}

// Peaks shorter than Hold halt nothing; nor does what comes when the step is
// no longer watched.
func TestPeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var late atomic.Bool
		b := newBoard(bounded(t, "latency=250ms", "lag=10s"))
		watch(t, b, &Watcher{Figures: figures(func() (Sample, error) {
			s := Sample{Latency: 0.1, Lag: 1}
			if at := time.Since(begun) % (10 * time.Minute); at > 5*time.Minute && at < 5*time.Minute+DefaultHold-20*time.Second || late.Load() {
				s[Latency] = 9
			}
			return s, nil
		})})
		step(t, b, 100)
		time.Sleep(DefaultWatch)
		late.Store(true)
		time.Sleep(time.Hour)
		if r := b.get("orders"); r.State != Running || r.Share != 100 {
			t.Errorf("%+v", r)
		}
	})
}

// A step waits for figures: for those that are not known, and while one is
// out of its bounds before anything was done.
func TestStepWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lag atomic.Int64
		lag.Store(-1)
		b := newBoard(bounded(t, "lag=10s"))
		w := &Watcher{Figures: figures(func() (Sample, error) {
			if lag.Load() < 0 {
				return Sample{}, nil
			}
			return Sample{Lag: float64(lag.Load())}, nil
		})}
		watch(t, b, w)
		b.change(t, "orders", func(r Rollout) (Rollout, error) { return r.Step(100, time.Now()) })
		waits := func(why string) {
			t.Helper()
			time.Sleep(10 * time.Minute)
			r := b.get("orders")
			w.mu.Lock()
			defer w.mu.Unlock()
			if r.Share != 0 || !strings.Contains(w.waits["orders"], why) {
				t.Errorf("waits for %q, not for %q: %+v", w.waits["orders"], why, r)
			}
		}
		waits("lag is not known")
		lag.Store(60)
		waits("lag is 1m0s, over 10s, before the step")
		lag.Store(1)
		time.Sleep(2 * lookEvery)
		if r := b.get("orders"); r.Share != 100 {
			t.Errorf("%+v", r)
		}
	})
}

// A rollout that cannot be seen is not left alone with its customers.
func TestBlind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sees atomic.Bool
		sees.Store(true)
		r := bounded(t, "reads=2x")
		r.ToZero = true
		b := newBoard(r)
		watch(t, b, &Watcher{Figures: figures(func() (Sample, error) {
			if !sees.Load() {
				return nil, errDown
			}
			return Sample{Reads: 5}, nil
		})})
		step(t, b, 100)
		step(t, b, 1000)
		sees.Store(false)
		time.Sleep(blind - time.Minute)
		if r := b.get("orders"); r.State != Running {
			t.Fatalf("too soon: %+v", r)
		}
		time.Sleep(2 * time.Minute)
		if r := b.get("orders"); r.State != Halted || r.Share != 0 || !strings.Contains(r.Reason, "could not be seen") {
			t.Errorf("%+v", r)
		}
	})
}

// Several instances: the worst that one sees counts, one decides, and another
// goes on when it dies.
func TestInstances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(bounded(t, "latency=250ms", "reads=2x"))
		var slow atomic.Bool
		fast := figures(func() (Sample, error) { return Sample{Latency: 0.01, Reads: 10}, nil })
		other := figures(func() (Sample, error) {
			if slow.Load() {
				return Sample{Latency: 1}, nil
			}
			return Sample{Latency: 0.02}, nil
		})
		ctx, kill := context.WithCancel(t.Context())
		first := &Watcher{Store: b, Instance: "a", Figures: fast}
		var wg sync.WaitGroup
		wg.Go(func() { first.Run(ctx) })
		second, third := &Watcher{Instance: "b", Figures: other}, &Watcher{Instance: "c", Figures: fast}
		watch(t, b, second, third)
		step(t, b, 100)
		kill()
		wg.Wait()
		slow.Store(true)
		time.Sleep(DefaultHold + time.Minute)
		if r := b.get("orders"); r.State != Halted || r.Share != 0 {
			t.Errorf("%+v", r)
		}
		if len(b.record) != 2 {
			t.Errorf("decided more than once: %q", b.record)
		}
		if second.counted()+third.counted() != 1 {
			t.Errorf("%d and %d halts", second.counted(), third.counted())
		}
	})
}

// What an operator does meanwhile wins, and a store that is away for a while
// only delays a halt.
func TestStoreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(bounded(t, "queue=20"))
		var high atomic.Bool
		w := &Watcher{Figures: figures(func() (Sample, error) {
			if high.Load() {
				return Sample{Queue: 900}, nil
			}
			return Sample{Queue: 1}, nil
		})}
		watch(t, b, w)
		step(t, b, 100)
		high.Store(true)
		b.mu.Lock()
		b.down = true
		b.mu.Unlock()
		time.Sleep(10 * time.Minute)
		b.mu.Lock()
		b.down = false
		b.mu.Unlock()
		time.Sleep(DefaultHold + 3*lookEvery)
		if r := b.get("orders"); r.State != Halted {
			t.Errorf("%+v", r)
		}
		w.mu.Lock()
		if w.failed == 0 {
			t.Error("no failed look is counted")
		}
		w.mu.Unlock()
		high.Store(false)
		step(t, b, 100)
		b.change(t, "orders", func(r Rollout) (Rollout, error) { return r.Revert(0, "enough", time.Now()) })
		high.Store(true)
		time.Sleep(10 * time.Minute)
		if r := b.get("orders"); r.State != Reverted || r.Reason != "enough" {
			t.Errorf("%+v", r)
		}
	})
}
