package cloud

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"tidemark/internal/wire"
)

// A gate admits work up to a capacity, first come first served, and lets a
// bounded number wait. It is the one place that limits a class of requests.
// With parts, no customer has more than such a part of either: those of one
// that has it are passed by.
type gate struct {
	name     string
	capacity int64
	waiting  int
	patience time.Duration
	parts    int // 0: one customer may have all

	mu     sync.Mutex
	inside int64
	has    map[string]int64 // of inside, by customer
	queue  []*turn
	turned uint64 // away
}

// A turn is one that waits; ready is closed when it is let in.
type turn struct {
	customer string // "": nobody who is known
	weight   int64
	ready    chan struct{}
}

func newGate(name string, capacity int64, waiting int, patience time.Duration) *gate {
	return &gate{name: name, capacity: capacity, waiting: waiting, patience: patience, has: make(map[string]int64)}
}

// enter waits for a turn and returns what ends it. A weight over the capacity
// counts as the capacity.
func (g *gate) enter(ctx context.Context, customer string, weight int64) (leave func(), err error) {
	t := &turn{customer: customer, weight: min(weight, g.capacity), ready: make(chan struct{})}
	leave = sync.OnceFunc(func() { g.leave(t) })
	switch in, err := g.join(t); {
	case err != nil:
		return nil, err
	case in:
		return leave, nil
	}
	patience := time.NewTimer(g.patience)
	defer patience.Stop()
	select {
	case <-t.ready:
		return leave, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-patience.C:
		err = g.overloaded("no turn for " + g.name + " in " + g.patience.String())
	}
	if !g.abandon(t) { // it was let in meanwhile
		return leave, nil
	}
	return nil, err
}

// join puts t into the queue, which may let it in at once.
func (g *gate) join(t *turn) (in bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := len(g.queue)
	g.queue = append(g.queue, t)
	g.admit()
	if len(g.queue) == before {
		return true, nil
	}
	switch {
	case before >= g.waiting:
		err = g.overloaded("no place to wait for " + g.name)
	case g.parts > 0 && g.waits(t.customer) > (g.waiting+g.parts-1)/g.parts:
		err = g.overloaded("too many requests of the customer wait for " + g.name)
	default:
		return false, nil
	}
	g.queue = g.queue[:before]
	g.turned++
	return false, err
}

// waits is how many turns of a customer are in the queue.
func (g *gate) waits(customer string) (n int) {
	for _, t := range g.queue {
		if t.customer == customer {
			n++
		}
	}
	return n
}

// abandon takes t out of the queue; false when it is no longer there.
func (g *gate) abandon(t *turn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.queue, t)
	if i < 0 {
		return false
	}
	g.queue = slices.Delete(g.queue, i, i+1)
	g.turned++
	g.admit() // a heavy one at the head may have kept others out
	return true
}

func (g *gate) leave(t *turn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside -= t.weight
	if g.has[t.customer] -= t.weight; g.has[t.customer] == 0 {
		delete(g.has, t.customer)
	}
	g.admit()
}

// admit lets in who fits, in turn. One whose customer has its part is passed
// by; one that is only too heavy for what is free is not overtaken.
func (g *gate) admit() {
	for i := 0; i < len(g.queue); {
		t := g.queue[i]
		switch {
		case !g.may(t):
			i++
			continue
		case g.inside+t.weight > g.capacity:
			return
		}
		g.queue = slices.Delete(g.queue, i, i+1)
		g.inside += t.weight
		g.has[t.customer] += t.weight
		close(t.ready)
	}
}

// may tells whether the customer of t has less than its part. One that has
// nothing may have what it asks for.
func (g *gate) may(t *turn) bool {
	has := g.has[t.customer]
	return g.parts == 0 || has == 0 || has+t.weight <= g.capacity/int64(g.parts)
}

// figures returns what is inside, waiting, and was turned away so far.
func (g *gate) figures() (inside int64, waiting int, turned uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside, len(g.queue), g.turned
}

// retryAfter is a number of seconds, spread so that those turned away together
// do not come back together.
func (s *Server) retryAfter() string { return strconv.Itoa(2 + int(9*s.rand())) }

func (g *gate) overloaded(detail string) error {
	return wire.NewProblem(wire.Overloaded, detail, "Try again after the seconds in Retry-After.")
}
