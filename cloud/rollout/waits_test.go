package rollout

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// told is what a command reads that shows a rollout.
func (b *board) told() map[string]Sample {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[string]Sample{}
	for name, r := range b.reports {
		if time.Since(r.at) < 30*time.Second {
			all[name] = r.sample
		}
	}
	return all
}

// Who looks at a step that waits is told for which figure, and how long yet;
// first that nobody looks.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(bounded(t, "lag=10s", "latency=2x", "queue=20"))
		says := func(want ...string) {
			t.Helper()
			got := b.get("orders").Waits(b.told(), time.Now())
			if text := strings.Join(got, "\n"); len(got) != len(want) {
				t.Fatalf("%d lines, not %d:\n%s", len(got), len(want), text)
			}
			for i := range want {
				if !strings.HasPrefix(got[i], want[i]) {
					t.Errorf("%q does not begin with %q", got[i], want[i])
				}
			}
		}
		says()
		b.change(t, "orders", func(r Rollout) (Rollout, error) { return r.Step(100, time.Now()) })
		says("no server has looked yet; each does once in 10s")
		time.Sleep(time.Minute)
		says("no server tells its figures: one has to run")

		var lag atomic.Int64
		lag.Store(-1)
		watch(t, b, &Watcher{Figures: figures(func() (Sample, error) {
			s := Sample{Latency: 0.02, Queue: 3}
			if lag.Load() >= 0 {
				s[Lag] = float64(lag.Load())
			}
			return s, nil
		})})
		time.Sleep(35 * time.Second)
		says("lag is not known: the database has no replica, or", "latency is 20ms, seen for ", "queue is 3, seen for ")
		if got := b.get("orders").Waits(b.told(), time.Now())[1]; !strings.HasSuffix(got, "s more") {
			t.Errorf("not how long yet: %q", got)
		}
		time.Sleep(time.Minute)
		says("lag is not known", "latency is 20ms, seen for long enough", "queue is 3, seen for long enough")
		lag.Store(60)
		time.Sleep(5 * time.Minute)
		says("lag is 1m0s, over 10s, before the step", "latency is 20ms, seen for long enough", "queue is 3, seen for long enough")
		if now := Worst(b.told()); len(now) != 3 || now[Lag] != 60 {
			t.Errorf("the figures are %v", now)
		}
		lag.Store(1)
		time.Sleep(2 * lookEvery)
		if r := b.get("orders"); r.Share != 100 || !r.Asked.IsZero() {
			t.Errorf("not in force: %+v", r)
		}
		says()
	})
}

// The log says what a step waits for once, not at every look.
func TestWaitingIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		b := newBoard(bounded(t, "queue=20"))
		begun := time.Now()
		watch(t, b, &Watcher{Log: zap.New(core), Figures: figures(func() (Sample, error) {
			return Sample{Queue: 30 + time.Since(begun).Minutes()}, nil
		})})
		b.change(t, "orders", func(r Rollout) (Rollout, error) { return r.Step(100, time.Now()) })
		time.Sleep(time.Hour)
		var said []string
		for _, e := range logs.FilterMessage("a step of a rollout waits").All() {
			said = append(said, e.ContextMap()["for"].(string))
		}
		if len(said) != 2 || said[0] != "queue is not known for long enough" || !strings.HasPrefix(said[1], "queue is 3") {
			t.Errorf("said: %q", said)
		}
	})
}

// To take back a step that waits leaves what is in force, and who watches it.
func TestRevertOfWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slow atomic.Bool
		b := newBoard(bounded(t, "latency=250ms"))
		watch(t, b, &Watcher{Figures: figures(func() (Sample, error) {
			if slow.Load() {
				return Sample{Latency: 3}, nil
			}
			return Sample{Latency: 0.1}, nil
		})})
		step(t, b, 100)
		b.change(t, "orders", func(r Rollout) (Rollout, error) { return r.Step(1000, time.Now()) })
		b.change(t, "orders", func(r Rollout) (Rollout, error) { return r.Revert(r.Share, "not today", time.Now()) })
		if r := b.get("orders"); r.Next != nil || r.Share != 100 || r.State != Running || r.Baseline[Latency] == 0 {
			t.Fatalf("%+v", r)
		}
		slow.Store(true)
		time.Sleep(DefaultHold + 3*lookEvery)
		if r := b.get("orders"); r.State != Halted || r.Share != 0 {
			t.Errorf("nobody watches what was left in force: %+v", r)
		}
	})
}
