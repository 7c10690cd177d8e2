package upkeep_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tidemark/cloud/sums"
	"tidemark/cloud/sums/upkeep"
)

var a, b = upkeep.Table{Customer: "acme", Name: "a"}, upkeep.Table{Customer: "acme", Name: "b"}

// A table that is asked for while it is looked after is so once more, behind;
// another does not wait for it.
func TestAskedForTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, times := map[upkeep.Table]int{}, map[upkeep.Table]int{}
		leave := make(chan struct{})
		q := upkeep.New(func(ctx context.Context, table upkeep.Table) error {
			table.Soon = false
			mu.Lock()
			times[table]++
			if now[table]++; now[table] > 1 {
				t.Errorf("%v is looked after twice at the same time", table)
			}
			mu.Unlock()
			<-leave
			mu.Lock()
			now[table]--
			mu.Unlock()
			return nil
		}, nil, nil)
		q.Ask(a)
		synctest.Wait()
		for range 3 {
			q.Ask(a)
		}
		q.Ask(upkeep.Table{Customer: a.Customer, Name: a.Name, Soon: true})
		q.Ask(b)
		synctest.Wait()
		if now[a] != 1 || now[b] != 1 || times[a] != 1 {
			t.Errorf("looked after now: %v", now)
		}
		close(leave)
		synctest.Wait()
		if times[a] != 3 || times[b] != 1 {
			t.Errorf("looked after: %v", times)
		}
		q.Ask(b)
		synctest.Wait()
		q.Close()
		q.Ask(a)
		synctest.Wait()
		if times[a] != 3 || times[b] != 2 {
			t.Errorf("looked after: %v", times)
		}
	})
}

// Batches ask when a load is complete, and when the log has grown.
func TestApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		q := upkeep.New(func(context.Context, upkeep.Table) error { n++; return nil }, nil, nil)
		defer q.Close()
		for i, step := range []struct {
			mark     sums.Mark
			complete bool
			want     int
		}{
			{sums.Mark{}, false, 0},
			{sums.Mark{}, true, 1},
			{sums.Mark{Number: 1, Logged: 100}, false, 1},
			{sums.Mark{Number: 1, Logged: sums.LookEvery}, false, 2},
			{sums.Mark{Number: 1, Logged: sums.LookEvery + 1}, false, 2},
			{sums.Mark{Number: 2, Logged: 1}, false, 3}, // another layout's log
		} {
			q.Applied(a, step.mark, step.complete)
			synctest.Wait()
			if n != step.want {
				t.Errorf("%d: looked after %d times, want %d", i, n, step.want)
			}
		}
	})
}

// Close interrupts, and what fails is told.
func TestCloseAndFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		interrupted := false
		q := upkeep.New(func(ctx context.Context, t upkeep.Table) error {
			if t == a {
				return errors.New("of the test")
			}
			<-ctx.Done()
			interrupted = true
			return ctx.Err()
		}, nil, zap.New(core))
		q.Ask(a)
		q.Ask(b)
		synctest.Wait()
		q.Close()
		if !interrupted || logs.Len() != 1 || logs.All()[0].ContextMap()["table"] != "a" {
			t.Errorf("interrupted %t, logged %v", interrupted, logs.All())
		}
	})
}
