package upkeep_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tidemark/cloud/sums"
	"tidemark/cloud/sums/upkeep"
)

var a, b = upkeep.Table{Customer: "acme", Name: "a"}, upkeep.Table{Customer: "acme", Name: "b"}

// A table that is asked for while it waits is looked after once, and once more
// when it is asked for while that is under way.
func TestAskedForTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tended []upkeep.Table
		enter, leave := make(chan struct{}), make(chan struct{})
		q := upkeep.New(func(ctx context.Context, t upkeep.Table) error {
			tended = append(tended, t)
			enter <- struct{}{}
			<-leave
			return nil
		}, nil)
		q.Ask(a)
		<-enter
		for range 3 {
			q.Ask(a)
			q.Ask(b)
		}
		leave <- struct{}{}
		for range 2 {
			<-enter
			leave <- struct{}{}
		}
		synctest.Wait()
		if len(tended) != 3 || tended[1] != a || tended[2] != b {
			t.Errorf("%v", tended)
		}
		q.Ask(b)
		<-enter
		leave <- struct{}{}
		q.Close()
		q.Ask(a)
		if len(tended) != 4 {
			t.Errorf("%v", tended)
		}
	})
}

// Batches ask when a load is complete, and when the log has grown.
func TestApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		q := upkeep.New(func(context.Context, upkeep.Table) error { n++; return nil }, nil)
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
	core, logs := observer.New(zap.WarnLevel)
	entered := make(chan struct{})
	q := upkeep.New(func(ctx context.Context, t upkeep.Table) error {
		if t == a {
			return errors.New("of the test")
		}
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	}, zap.New(core))
	q.Ask(a)
	q.Ask(b)
	<-entered
	q.Close()
	if logs.Len() != 1 || logs.All()[0].ContextMap()["table"] != "a" {
		t.Errorf("logged %v", logs.All())
	}
}
