package admission

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// entered is one that asked for a place.
type entered struct {
	pass *Pass
	err  error
	at   time.Duration
}

// hall lets tests watch who comes in.
type hall struct {
	*Control
	mu    sync.Mutex
	begun time.Time
	let   []string
	got   map[string]*entered
}

func newHall(c Config) *hall {
	if c.Patience == 0 {
		c.Patience = 10 * time.Second
	}
	return &hall{Control: New(c), begun: time.Now(), got: map[string]*entered{}}
}

// ask asks for a place under a name and returns when it was given, refused, or
// has to wait.
func (h *hall) ask(t *testing.T, name string, class Class, customer string) {
	go func() {
		p, err := h.Enter(t.Context(), class, customer, 1)
		h.mu.Lock()
		defer h.mu.Unlock()
		if err == nil {
			h.let = append(h.let, name)
		}
		h.got[name] = &entered{p, err, time.Since(h.begun)}
	}()
	synctest.Wait()
}

// order is in which order places were given.
func (h *hall) order() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.let)
}

// forget begins the order anew.
func (h *hall) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.let = nil
}

func (h *hall) of(name string) *entered {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.got[name]
}

func (h *hall) inside(name string) bool { e := h.of(name); return e != nil && e.err == nil }
func (h *hall) refused(name string) bool {
	e := h.of(name)
	return e != nil && errors.Is(e.err, ErrRefused)
}

func (h *hall) leave(names ...string) {
	for _, name := range names {
		h.of(name).pass.Leave(false, false)
		synctest.Wait()
	}
}

// leaveOne lets one of those inside go, whichever; false without any.
func (h *hall) leaveOne() bool {
	h.mu.Lock()
	var one *entered
	for name, e := range h.got {
		if e.err == nil {
			one = e
			delete(h.got, name)
			break
		}
	}
	h.mu.Unlock()
	if one == nil {
		return false
	}
	one.pass.Leave(false, false)
	return true
}

func TestClassesHaveTheirPartOfTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(Config{Capacity: fixed(10), Classes: bounds(10, 10, 100)})
		in := func(class Class) (n int) {
			for i := range 11 {
				name := fmt.Sprint(class, i)
				h.ask(t, name, class, name)
				if h.inside(name) {
					n++
				}
			}
			return n
		}
		// Loads get a place though diffs have taken their half, and so on upwards.
		got := []int{in(Diff), in(Load), in(Read), in(Change)}
		if !slices.Equal(got, []int{5, 3, 1, 1}) {
			t.Errorf("inside are %v diffs, loads, reads, changes", got)
		}
		h.forget()
		for len(h.order()) < 12 {
			h.leaveOne()
			synctest.Wait()
		}
		for _, name := range h.order()[:10] {
			if name[:6] != "change" {
				t.Errorf("free places go to %v", h.order())
				break
			}
		}
		if h.order()[10][:4] != "read" {
			t.Errorf("free places go to %v", h.order())
		}
		time.Sleep(time.Minute) // those who wait give up
		for h.leaveOne() {
		}
	})
}

func TestAClassHasOnePlaceAboveItsPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(Config{Capacity: fixed(4), Classes: bounds(4, 4, 10)})
		for _, name := range []string{"a", "b", "c"} {
			h.ask(t, name, Change, name)
		}
		h.ask(t, "d", Diff, "d")
		if !h.inside("d") {
			t.Error("a place is free, and the diff waits")
		}
		h.ask(t, "e", Change, "e")
		h.leave("d")
		if !h.inside("e") {
			t.Error("the change did not get the place")
		}
		h.ask(t, "f", Change, "f")
		h.ask(t, "g", Diff, "g")
		h.leave("a")
		if !h.inside("f") || h.inside("g") {
			t.Error("the diff went before a change")
		}
		h.leave("b", "c", "e", "f", "g")
	})
}

func TestCustomersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(Config{Capacity: fixed(8), Classes: bounds(8, 8, 8)})
		for i := range 6 {
			h.ask(t, fmt.Sprint("greedy", i), Change, "greedy")
		}
		if !h.inside("greedy1") || h.inside("greedy2") {
			t.Error("a customer does not have a quarter")
		}
		for i := range 6 {
			name := fmt.Sprint("other", i)
			if h.ask(t, name, Change, name); !h.inside(name) {
				t.Errorf("%s waits behind the greedy one", name)
			}
		}
		h.ask(t, "late0", Change, "late")
		h.ask(t, "late1", Change, "late")
		h.ask(t, "early", Change, "early")
		h.forget()
		h.leave("greedy0", "other0", "other1", "greedy1", "other2")
		if want := []string{"greedy2", "late0", "early", "greedy3", "late1"}; !slices.Equal(h.order(), want) {
			t.Errorf("let in %v, want %v", h.order(), want)
		}
		h.leave("greedy2", "greedy3", "greedy4", "greedy5", "late0", "late1", "early", "other3", "other4", "other5")
	})
}

func TestAFullQueueRefusesTheGreediest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(Config{Capacity: fixed(1), Classes: bounds(1, 1, 3)})
		h.ask(t, "inside", Change, "x")
		for i := range 4 {
			h.ask(t, fmt.Sprint("greedy", i), Change, "greedy")
		}
		if !h.refused("greedy3") || h.of("greedy2") != nil {
			t.Error("the queue is not as long as it may be")
		}
		if h.ask(t, "modest", Change, "modest"); h.of("modest") != nil || !h.refused("greedy2") {
			t.Error("the modest one had to go")
		}
		h.leave("inside", "greedy0", "modest", "greedy1")
		if f := h.Figures()[Change]; f != (Figures{Limit: 1, Refused: 2}) {
			t.Errorf("%+v", f)
		}
	})
}

func TestNobodyWaitsLongerThanItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(Config{Capacity: fixed(1), Classes: bounds(1, 1, 9)})
		h.ask(t, "inside", Diff, "x")
		h.ask(t, "patient", Diff, "y")
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if _, err := h.Enter(ctx, Diff, "z", 1); !errors.Is(err, context.DeadlineExceeded) || time.Since(h.begun) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(h.begun), err)
		}
		time.Sleep(8 * time.Second)
		if e := h.of("patient"); e == nil || !errors.Is(e.err, ErrRefused) || e.at != 10*time.Second {
			t.Errorf("%+v", e)
		}
		if _, err := h.Enter(ctx, Change, "z", 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one whose time is over came in: %v", err)
		}
		h.leave("inside", "inside")
		if f := h.Figures()[Diff]; f.Inside != 0 || f.Waiting != 0 || f.Refused != 2 {
			t.Errorf("%+v", f)
		}
	})
}

// Under overload with all classes, what comes through is in their order, and
// each refusal says when to come back.
func TestOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Config{Capacity: fixed(8), Classes: bounds(2, 8, 16), Patience: 2 * time.Second})
		var mu sync.Mutex
		var served, asked [Classes]int
		var wg sync.WaitGroup
		for class := range Classes {
			for i := range 600 { // 10 a second for a minute: 40 places' worth
				wg.Go(func() {
					time.Sleep(time.Duration(i) * 100 * time.Millisecond)
					p, err := c.Enter(t.Context(), class, fmt.Sprint(i%40), 1)
					mu.Lock()
					defer mu.Unlock()
					asked[class]++
					if err != nil {
						if after := c.RetryAfter(class); after < soonest[class] || after > soonest[class]+latest[class] {
							t.Errorf("a refused %s may come back after %v", class, after)
						}
						return
					}
					served[class]++
					wg.Go(func() {
						time.Sleep(500 * time.Millisecond)
						p.Leave(false, false)
					})
				})
			}
		}
		wg.Wait()
		if served[Change] < 550 || served[Diff] == 0 || !slices.IsSortedFunc(served[:], func(a, b int) int { return b - a }) {
			t.Errorf("of %v were served %v", asked, served)
		}
	})
}

// Whatever happens, no limit is passed, nobody is forgotten, and all ends empty.
func TestNoLimitIsPassed(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		synctest.Test(t, func(t *testing.T) {
			var capacity atomic.Int64
			capacity.Store(int64(rapid.IntRange(1, 12).Draw(r, "capacity")))
			c := New(Config{Capacity: func() int { return int(capacity.Load()) }, Classes: bounds(1, 6, 4), Patience: time.Second})
			var wg sync.WaitGroup
			n := rapid.IntRange(1, 60).Draw(r, "requests")
			for i := range n {
				class := Class(rapid.IntRange(0, int(Classes)-1).Draw(r, "class"))
				customer := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "customer")
				at := time.Duration(rapid.IntRange(0, 3000).Draw(r, "at")) * time.Millisecond
				took := time.Duration(rapid.IntRange(0, 900).Draw(r, "took")) * time.Millisecond
				deadline := time.Duration(rapid.IntRange(1, 2000).Draw(r, "deadline")) * time.Millisecond
				overload := rapid.IntRange(0, 9).Draw(r, "overload") == 0
				change := rapid.IntRange(0, 9).Draw(r, "change") == 0
				wg.Go(func() {
					time.Sleep(at)
					if change {
						capacity.Store(int64(1 + i%12))
					}
					ctx, cancel := context.WithTimeout(t.Context(), deadline)
					defer cancel()
					begun := time.Now()
					p, err := c.Enter(ctx, class, customer, i)
					if waited := time.Since(begun); waited > min(deadline, time.Second) {
						r.Errorf("waited %v, at most %v", waited, deadline)
					}
					if err != nil {
						return
					}
					c.mu.Lock()
					if s := &c.classes[class]; c.inside > 12 || s.inside > s.limit.Most || s.customers[customer] > shareOf(s.limit.Most) {
						r.Errorf("%d inside, %d of the class, %d of the customer", c.inside, s.inside, s.customers[customer])
					}
					c.mu.Unlock()
					time.Sleep(took)
					p.Leave(overload, overload)
				})
			}
			wg.Wait()
			for class, f := range c.Figures() {
				if f.Inside != 0 || f.Waiting != 0 {
					r.Errorf("%s: %+v is left", Class(class), f)
				}
			}
			if len(c.customers) != 0 || c.inside != 0 {
				r.Errorf("%d, %v", c.inside, c.customers)
			}
		})
	})
}
