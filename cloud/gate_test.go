package cloud

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidemark/internal/wire"
)

func overloaded(err error) bool {
	var p *wire.Problem
	return errors.As(err, &p) && p.Code == wire.Overloaded
}

func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate("test", 3, 2, time.Minute)
		enter := func(weight int64) func() {
			t.Helper()
			leave, err := g.enter(t.Context(), "", weight)
			if err != nil {
				t.Fatal(err)
			}
			return leave
		}
		one, two := enter(1), enter(2)
		let := make(chan string, 2)
		waitFor := func(name string, weight int64) {
			go func() {
				leave, err := g.enter(t.Context(), "", weight)
				if err != nil {
					t.Error(err)
					return
				}
				let <- name
				leave()
			}()
			synctest.Wait()
		}
		waitFor("heavy", 9) // as much as there is
		waitFor("light", 1)
		if _, err := g.enter(t.Context(), "", 1); !overloaded(err) {
			t.Errorf("a third one waits: %v", err)
		}
		one()
		one() // a second time is nothing
		synctest.Wait()
		if len(let) != 0 {
			t.Error("the light one overtook the heavy one")
		}
		two()
		if first, second := <-let, <-let; first != "heavy" || second != "light" {
			t.Errorf("let in: %s, %s", first, second)
		}
		synctest.Wait()
		if inside, waiting, turned := g.figures(); inside != 0 || waiting != 0 || turned != 1 {
			t.Errorf("inside %d, waiting %d, turned away %d", inside, waiting, turned)
		}
	})
}

// A customer has its part of what may be inside and of the queue; beyond,
// others go before it.
func TestGateHasPartsForCustomers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate("test", 100, 8, time.Minute)
		g.parts = 4
		var mu sync.Mutex
		leaves, refused := map[string]func(){}, 0
		ask := func(name, customer string, weight int64) {
			go func() {
				leave, err := g.enter(t.Context(), customer, weight)
				mu.Lock()
				defer mu.Unlock()
				if overloaded(err) {
					refused++
					return
				}
				leaves[name] = leave
			}()
			synctest.Wait()
		}
		let := func() string {
			synctest.Wait()
			return strings.Join(slices.Sorted(maps.Keys(leaves)), "")
		}
		ask("a", "greedy", 90) // alone, it may be as heavy as it is
		leaves["a"]()
		ask("b", "greedy", 20)
		for _, name := range []string{"c", "d", "e"} {
			ask(name, "greedy", 10) // of which two may wait
		}
		ask("f", "modest", 60)
		ask("g", "modest", 10) // has its part
		ask("h", "other", 20)
		if let() != "abfh" || refused != 1 {
			t.Errorf("let in %q, and %d are refused", let(), refused)
		}
		if leaves["b"](); let() != "abcdfh" { // the two that wait, one after the other
			t.Errorf("let in %q", let())
		}
		if leaves["f"](); let() != "abcdfgh" {
			t.Errorf("let in %q", let())
		}
		for _, name := range []string{"c", "d", "g", "h"} {
			leaves[name]()
		}
		if inside, waiting, turned := g.figures(); inside != 0 || waiting != 0 || turned != 1 || len(g.has) != 0 {
			t.Errorf("inside %d, waiting %d, turned away %d, %v", inside, waiting, turned, g.has)
		}
	})
}

func TestGateGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate("test", 1, 5, 10*time.Second)
		leave, err := g.enter(t.Context(), "", 1)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if _, err := g.enter(t.Context(), "", 1); !overloaded(err) || time.Since(begin) != 10*time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.enter(ctx, "", 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		leave()
		if leave, err = g.enter(t.Context(), "", 1); err != nil {
			t.Errorf("those who gave up keep their place: %v", err)
		}
		leave()
	})
}
