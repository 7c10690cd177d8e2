package scheduler

import (
	"context"
	"slices"
	"sync"
	"time"
)

// slots bound how many tables are worked on at once, and serve those that
// wait by when they were due.
type slots struct {
	mu      sync.Mutex
	free    int
	limits  map[string]int // by source; 0 means 1
	taken   map[string]int // by source
	waiting []*waiter      // by due time, then by arrival
}

type waiter struct {
	source string
	due    time.Time
	ready  chan struct{} // closed when it has its place
}

func newSlots(n int) *slots {
	return &slots{free: n, limits: map[string]int{}, taken: map[string]int{}}
}

func (s *slots) limit(limits map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = limits
	s.serve()
}

func (s *slots) acquire(ctx context.Context, source string, due time.Time) error {
	w := &waiter{source: source, due: due, ready: make(chan struct{})}
	s.mu.Lock()
	s.insert(w)
	s.serve()
	s.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, w); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	} else { // it has its place already
		s.give(source)
	}
	return ctx.Err()
}

func (s *slots) insert(w *waiter) {
	i, _ := slices.BinarySearchFunc(s.waiting, w.due, func(o *waiter, due time.Time) int {
		if o.due.After(due) {
			return 1
		}
		return -1
	})
	s.waiting = slices.Insert(s.waiting, i, w)
}

// give takes a place back.
func (s *slots) give(source string) {
	s.free++
	if s.taken[source]--; s.taken[source] == 0 {
		delete(s.taken, source)
	}
	s.serve()
}

// serve gives the free places to those that wait longest and may have one.
func (s *slots) serve() {
	s.waiting = slices.DeleteFunc(s.waiting, func(w *waiter) bool {
		if s.free == 0 || s.taken[w.source] >= max(s.limits[w.source], 1) {
			return false
		}
		s.free--
		s.taken[w.source]++
		close(w.ready)
		return true
	})
}

// A Slot is a place in which a table is worked on.
type Slot struct {
	slots  *slots
	source string
	once   sync.Once
	lost   bool
}

// Yield makes room for those that wait, and waits behind them: call it
// between batches. When nobody waits for this place it returns at once. After
// an error, which is ctx's, the slot is released.
func (s *Slot) Yield(ctx context.Context) error {
	s.slots.mu.Lock()
	wanted := slices.ContainsFunc(s.slots.waiting, func(w *waiter) bool {
		return w.source == s.source || s.slots.taken[w.source] < max(s.slots.limits[w.source], 1)
	})
	if wanted {
		s.slots.give(s.source)
	}
	s.slots.mu.Unlock()
	if !wanted {
		return nil
	}
	err := s.slots.acquire(ctx, s.source, time.Now())
	s.lost = err != nil
	return err
}

// Release gives the place back. It may be called more than once, and not
// while Yield runs.
func (s *Slot) Release() {
	s.once.Do(func() {
		if s.lost {
			return
		}
		s.slots.mu.Lock()
		defer s.slots.mu.Unlock()
		s.slots.give(s.source)
	})
}
