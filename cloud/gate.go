package cloud

import (
	"context"
	"strconv"
	"sync"
	"time"

	"tidemark/internal/wire"
)

// A gate admits work up to a capacity, first come first served, and lets a
// bounded number wait. It is the one place that limits a class of requests.
type gate struct {
	name     string
	capacity int64
	waiting  int
	patience time.Duration

	mu     sync.Mutex
	inside int64
	queue  []*turn
	turned uint64 // away
}

// A turn is one that waits; ready is closed when it is let in.
type turn struct {
	weight int64
	ready  chan struct{}
}

func newGate(name string, capacity int64, waiting int, patience time.Duration) *gate {
	return &gate{name: name, capacity: capacity, waiting: waiting, patience: patience}
}

// enter waits for a turn and returns what ends it. A weight over the capacity
// counts as the capacity.
func (g *gate) enter(ctx context.Context, weight int64) (leave func(), err error) {
	weight = min(weight, g.capacity)
	leave = sync.OnceFunc(func() { g.leave(weight) })
	g.mu.Lock()
	if len(g.queue) == 0 && g.inside+weight <= g.capacity {
		g.inside += weight
		g.mu.Unlock()
		return leave, nil
	}
	if len(g.queue) >= g.waiting {
		g.turned++
		g.mu.Unlock()
		return nil, g.overloaded("no place to wait for " + g.name)
	}
	t := &turn{weight: weight, ready: make(chan struct{})}
	g.queue = append(g.queue, t)
	g.mu.Unlock()

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

// abandon takes t out of the queue; false when it is no longer there.
func (g *gate) abandon(t *turn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, other := range g.queue {
		if other == t {
			g.queue = append(g.queue[:i], g.queue[i+1:]...)
			g.turned++
			g.admit() // a heavy one at the head may have kept others out
			return true
		}
	}
	return false
}

func (g *gate) leave(weight int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside -= weight
	g.admit()
}

func (g *gate) admit() {
	for len(g.queue) > 0 && g.inside+g.queue[0].weight <= g.capacity {
		t := g.queue[0]
		g.queue = g.queue[1:]
		g.inside += t.weight
		close(t.ready)
	}
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
