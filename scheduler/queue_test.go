package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidemark/scheduler"
)

// A record of when cycles began, on the clock of the test's bubble.
type record struct {
	mu    sync.Mutex
	began map[string][]time.Time
	calls int // cycles, of however many tables
}

func (r *record) add(turns []*scheduler.Turn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.began == nil {
		r.began = map[string][]time.Time{}
	}
	for _, t := range turns {
		r.began[t.Table] = append(r.began[t.Table], time.Now())
	}
}

func (r *record) of(table string) []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.began[table]
}

// run runs the queue in a bubble for so long.
func run(t *testing.T, d time.Duration, q *scheduler.Queue, cycle scheduler.Cycle) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	q.Run(ctx, cycle)
}

func tables(n int, interval time.Duration) []scheduler.Table {
	ts := make([]scheduler.Table, n)
	for i := range ts {
		ts[i] = scheduler.Table{Name: fmt.Sprintf("t%02d", i), Interval: interval}
	}
	return ts
}

func TestTablesOfOneSourceAreDueTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := scheduler.NewQueue(scheduler.Config{Seed: "acme"})
		q.Set([]scheduler.Source{{Name: "main", Tables: tables(50, time.Minute)}})
		var r record
		run(t, time.Hour, q, func(_ context.Context, _ string, turns []*scheduler.Turn) {
			if len(turns) != 50 {
				t.Errorf("%d tables in one cycle", len(turns))
			}
			r.add(turns)
		})
		if n := r.calls; n < 54 || n > 66 {
			t.Errorf("%d cycles in an hour of minutes", n)
		}
		began := r.of("t00")
		for i := 1; i < len(began); i++ {
			if gap := began[i].Sub(began[i-1]); gap < 54*time.Second || gap > 66*time.Second {
				t.Errorf("an interval of %s", gap)
			}
		}
	})
}

func TestSitesAndSourcesAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]int{}
		start := time.Now()
		for i := range 200 {
			q := scheduler.NewQueue(scheduler.Config{Seed: fmt.Sprintf("customer-%03d", i)})
			q.Set([]scheduler.Source{{Name: "main", Tables: tables(1, 5*time.Minute)}})
			due, _ := q.Due("t00")
			if off := due.Sub(start); off < 0 || off > time.Minute {
				t.Errorf("first due after %s", off)
			}
			seen[due.Sub(start).Truncate(10*time.Second)]++
		}
		for slice, n := range seen {
			if n > 70 { // 200 over six slices is 33 each
				t.Errorf("%d of 200 sites begin within the ten seconds after %s", n, slice)
			}
		}
	})
}

// Sites that are slowed down at once, by a policy, do not have their cycles at
// once from then on.
func TestASlowerPaceIsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]int{}
		for i := range 1000 {
			q := scheduler.NewQueue(scheduler.Config{Seed: fmt.Sprintf("customer-%03d", i)})
			table := scheduler.Table{Name: "t", Interval: time.Minute}
			q.Set([]scheduler.Source{{Name: "main", Tables: []scheduler.Table{table}}})
			table.Interval, table.Spread = 10*time.Minute, 10*time.Minute
			for range 2 { // the second time nothing changes
				q.Set([]scheduler.Source{{Name: "main", Tables: []scheduler.Table{table}}})
			}
			due, _ := q.Due("t")
			seen[time.Until(due).Truncate(time.Minute)]++
		}
		for minute := range 10 {
			if n := seen[time.Duration(minute)*time.Minute]; n < 50 || n > 150 {
				t.Errorf("%d of 1,000 sites are due in the minute after %d", n, minute)
			}
		}
	})
}

func TestNoTwoCyclesOfOneTableAndNoStarving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := scheduler.NewQueue(scheduler.Config{Seed: "acme", Running: 1})
		q.Set([]scheduler.Source{{Name: "main", Running: 1, Tables: tables(3, time.Minute)}})
		var r record
		var slow sync.Mutex
		run(t, 3*time.Hour, q, func(ctx context.Context, _ string, turns []*scheduler.Turn) {
			var all sync.WaitGroup
			defer all.Wait()
			for _, turn := range turns {
				all.Go(func() {
					defer turn.Done()
					slot, err := turn.Slot(ctx)
					if err != nil {
						return
					}
					defer slot.Release()
					r.add([]*scheduler.Turn{turn})
					if turn.Table != "t00" {
						time.Sleep(time.Second)
						return
					}
					if !slow.TryLock() {
						t.Error("two cycles of one table at once")
						return
					}
					defer slow.Unlock()
					for range 3600 { // an hour of batches
						select {
						case <-time.After(time.Second):
						case <-ctx.Done():
							return
						}
						if slot.Yield(ctx) != nil {
							return
						}
					}
				})
			}
		})
		for _, name := range []string{"t01", "t02"} {
			if n := len(r.of(name)); n < 160 {
				t.Errorf("%s had %d cycles in three hours of minutes beside a slow table", name, n)
			}
		}
		if n := len(r.of("t00")); n < 2 || n > 3 {
			t.Errorf("the slow table had %d cycles of an hour in three", n)
		}
	})
}

func TestSlotsAreBoundedAndServedByDueTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := scheduler.NewQueue(scheduler.Config{Seed: "acme", Running: 3, Spread: time.Nanosecond})
		q.Set([]scheduler.Source{
			{Name: "a", Running: 2, Tables: []scheduler.Table{{Name: "a1", Interval: time.Hour}, {Name: "a2", Interval: time.Hour}, {Name: "a3", Interval: time.Hour}}},
			{Name: "b", Running: 2, Tables: []scheduler.Table{{Name: "b1", Interval: time.Hour}, {Name: "b2", Interval: time.Hour}, {Name: "b3", Interval: time.Hour}}},
		})
		var mu sync.Mutex
		inside, most := map[string]int{}, map[string]int{}
		count := func(source string, n int) {
			mu.Lock()
			defer mu.Unlock()
			for _, k := range []string{source, "all"} {
				inside[k] += n
				most[k] = max(most[k], inside[k])
			}
		}
		run(t, 30*time.Minute, q, func(ctx context.Context, source string, turns []*scheduler.Turn) {
			var all sync.WaitGroup
			defer all.Wait()
			for _, turn := range turns {
				all.Go(func() {
					slot, err := turn.Slot(ctx)
					if err != nil {
						t.Error(err)
						return
					}
					defer slot.Release()
					count(source, 1)
					time.Sleep(time.Minute)
					count(source, -1)
				})
			}
		})
		if most["a"] > 2 || most["b"] > 2 || most["all"] != 3 {
			t.Errorf("worked on at once: %v", most)
		}
		if inside["all"] != 0 {
			t.Errorf("still inside: %v", inside)
		}
	})
}

// Whoever was due first comes first, however late it asks; one that yields
// goes behind all who wait.
func TestSlotsGoByDueTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := scheduler.NewQueue(scheduler.Config{Seed: "acme", Running: 1})
		q.Set([]scheduler.Source{{Name: "main", Tables: tables(3, 24*time.Hour)}}) // t00 works, t01 was due early, t02 late
		q.Pause("t02")
		var order []string
		work := func(ctx context.Context, turn *scheduler.Turn) {
			if turn.Table == "t01" {
				time.Sleep(10 * time.Minute) // before it finds that it has much to do
			}
			slot, err := turn.Slot(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			defer slot.Release()
			order = append(order, turn.Table)
			if turn.Table != "t00" {
				return
			}
			time.Sleep(20 * time.Minute)
			if err := slot.Yield(ctx); err != nil {
				t.Error(err)
			}
			order = append(order, "t00 again")
		}
		cycle := func(ctx context.Context, _ string, turns []*scheduler.Turn) {
			var all sync.WaitGroup
			for _, turn := range turns {
				all.Go(func() { work(ctx, turn) })
			}
			all.Wait()
		}
		var both sync.WaitGroup
		both.Go(func() { q.Once(t.Context(), cycle) })
		time.Sleep(5 * time.Minute)
		q.Resume("t02")
		q.Once(t.Context(), cycle)
		both.Wait()
		if diff := cmp.Diff([]string{"t00", "t01", "t02", "t00 again"}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

// Ticks that passed while nobody looked (the machine slept) are not made up
// for.
func TestASleepIsNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := scheduler.NewQueue(scheduler.Config{Seed: "acme"})
		q.Set([]scheduler.Source{{Name: "main", Tables: tables(1, time.Minute)}})
		time.Sleep(10 * time.Hour)
		var r record
		run(t, 10*time.Minute, q, func(_ context.Context, _ string, turns []*scheduler.Turn) { r.add(turns) })
		if n := len(r.of("t00")); n < 9 || n > 13 {
			t.Errorf("%d cycles in ten minutes after a sleep", n)
		}
	})
}

func TestSlotIsGivenUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := scheduler.NewQueue(scheduler.Config{Seed: "acme", Running: 1})
		q.Set([]scheduler.Source{{Name: "main", Tables: tables(2, time.Minute)}})
		q.Once(t.Context(), func(ctx context.Context, _ string, turns []*scheduler.Turn) {
			held, err := turns[0].Slot(ctx)
			if err != nil {
				t.Fatal(err)
			}
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if _, err := turns[1].Slot(short); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("waiting ended with %v", err)
			}
			held.Release()
			held.Release()
			again, err := turns[1].Slot(ctx)
			if err != nil {
				t.Fatal(err)
			}
			again.Release()
		})
	})
}

func TestRestAndNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := scheduler.NewQueue(scheduler.Config{Seed: "acme"})
		q.Set([]scheduler.Source{{Name: "main", Tables: tables(1, time.Minute)}})
		var r record
		var asked int
		go func() {
			time.Sleep(30 * time.Minute)
			if err := q.Now("t00"); err != nil {
				t.Error(err)
			}
			if err := q.Now("unknown"); !errors.Is(err, scheduler.ErrUnknown) {
				t.Errorf("unknown table: %v", err)
			}
		}()
		run(t, 75*time.Minute, q, func(_ context.Context, _ string, turns []*scheduler.Turn) {
			r.add(turns)
			if turns[0].Asked {
				asked++
			}
			turns[0].Rest(scheduler.Rest(2 * time.Minute)) // a scan of two minutes
		})
		began := r.of("t00")
		if len(began) != 3 || asked != 1 { // the first, the one asked for, the first after the rest
			t.Fatalf("cycles at %v, %d asked for", began, asked)
		}
		if asked := began[1].Sub(began[0]); asked >= 30*time.Minute {
			t.Errorf("asked for %s after the first: the rest was not passed over", asked)
		}
		if rest := began[2].Sub(began[1]); rest < 40*time.Minute || rest > 40*time.Minute+66*time.Second {
			t.Errorf("rested %s", rest)
		}
	})
}

func TestNowWhileRunningRunsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := scheduler.NewQueue(scheduler.Config{Seed: "acme"})
		q.Set([]scheduler.Source{{Name: "main", Tables: tables(1, time.Hour)}})
		var r record
		run(t, 30*time.Minute, q, func(_ context.Context, _ string, turns []*scheduler.Turn) {
			r.add(turns)
			if len(r.of("t00")) == 1 {
				if err := q.Now("t00"); err != nil {
					t.Error(err)
				}
				time.Sleep(5 * time.Minute)
			}
		})
		if began := r.of("t00"); len(began) != 2 || began[1].Sub(began[0]) != 5*time.Minute {
			t.Errorf("cycles at %v", began)
		}
	})
}

func TestPauseAndResume(t *testing.T) {
	for _, scope := range []string{"t00", ""} {
		t.Run(scope, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := scheduler.NewQueue(scheduler.Config{Seed: "acme"})
				q.Set([]scheduler.Source{{Name: "main", Tables: tables(1, time.Minute)}})
				q.Pause(scope)
				if err := q.Now("t00"); !errors.Is(err, scheduler.ErrPaused) {
					t.Errorf("asked for while paused: %v", err)
				}
				start := time.Now()
				go func() {
					time.Sleep(time.Hour)
					q.Resume(scope)
				}()
				var r record
				run(t, 70*time.Minute, q, func(_ context.Context, _ string, turns []*scheduler.Turn) { r.add(turns) })
				began := r.of("t00")
				if len(began) < 8 || began[0].Sub(start) != time.Hour {
					t.Errorf("cycles at %v", began)
				}
			})
		})
	}
}

func TestWindowsAndDaysApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nights := scheduler.Windows{{Days: [7]bool{true, true, true, true, true, true, true}, From: 2 * time.Hour, To: 3 * time.Hour, Zone: time.UTC}}
		q := scheduler.NewQueue(scheduler.Config{Seed: "acme"})
		q.Set([]scheduler.Source{{Name: "main", Tables: []scheduler.Table{{Name: "daily", Interval: 24 * time.Hour, Open: nights.Contain}}}})
		var r record
		run(t, 10*24*time.Hour, q, func(_ context.Context, _ string, turns []*scheduler.Turn) { r.add(turns) })
		if n := len(r.of("daily")); n < 8 || n > 10 {
			t.Errorf("%d cycles in ten days", n)
		}
		for _, at := range r.of("daily") {
			if !nights.Contain(at) {
				t.Errorf("a cycle at %s, outside of its window", at)
			}
		}
	})
}

func TestClockJumpsNeitherStallNorStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wall := time.Now
		always := func(time.Time) bool { return true }
		q := scheduler.NewQueue(scheduler.Config{Seed: "acme", Wall: func() time.Time { return wall() }})
		q.Set([]scheduler.Source{{Name: "main", Tables: []scheduler.Table{{Name: "t", Interval: time.Minute, Open: always}}}})
		var r record
		run(t, time.Hour, q, func(_ context.Context, _ string, turns []*scheduler.Turn) {
			r.add(turns)
			years := []int{9, -9, 0}[len(r.of("t"))%3]
			wall = func() time.Time { return time.Now().AddDate(years, 0, 0) }
		})
		if n := len(r.of("t")); n < 54 || n > 66 {
			t.Errorf("%d cycles in an hour of minutes", n)
		}
	})
}

func TestReloadKeepsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := scheduler.NewQueue(scheduler.Config{Seed: "acme"})
		both := []scheduler.Source{{Name: "main", Tables: tables(2, time.Minute)}}
		q.Set(both)
		var r record
		var inside sync.Mutex
		go func() {
			time.Sleep(5 * time.Minute)
			q.Set([]scheduler.Source{{Name: "main", Tables: tables(1, time.Minute)}}) // t01 goes
			time.Sleep(time.Minute)
			q.Set(both) // and comes back, while its cycle runs
		}()
		run(t, 30*time.Minute, q, func(_ context.Context, _ string, turns []*scheduler.Turn) {
			r.add(turns)
			for _, turn := range turns {
				if turn.Table != "t01" {
					turn.Done()
				}
			}
			for _, turn := range turns {
				if turn.Table == "t01" {
					if !inside.TryLock() {
						t.Error("two cycles of one table at once")
						continue
					}
					time.Sleep(10 * time.Minute)
					inside.Unlock()
				}
			}
		})
		if n := len(r.of("t01")); n < 2 || n > 3 {
			t.Errorf("t01 had %d cycles", n)
		}
		if n := len(r.of("t00")); n < 25 {
			t.Errorf("t00 had %d cycles", n)
		}
	})
}

func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := scheduler.NewQueue(scheduler.Config{Seed: "acme"})
		q.Set([]scheduler.Source{{Name: "a", Tables: tables(3, time.Hour)}, {Name: "b", Tables: []scheduler.Table{{Name: "z", Interval: time.Hour}}}})
		q.Pause("t01")
		var r record
		q.Once(t.Context(), func(_ context.Context, _ string, turns []*scheduler.Turn) { r.add(turns) })
		for table, want := range map[string]int{"t00": 1, "t01": 0, "t02": 1, "z": 1} {
			if n := len(r.of(table)); n != want {
				t.Errorf("%s had %d cycles, want %d", table, n, want)
			}
		}
	})
}
