package postgres

import (
	"context"
	"slices"
	"sync"
)

// places are a number of connections that can change. Who waits for one gets
// it in turn.
type places struct {
	mu    sync.Mutex
	size  int
	taken int
	queue []chan struct{}
}

// take waits for a place until ctx ends. Ahead goes before all others.
func (p *places) take(ctx context.Context, ahead bool) error {
	p.mu.Lock()
	if len(p.queue) == 0 && p.taken < p.size {
		p.taken++
		p.mu.Unlock()
		return nil
	}
	ready := make(chan struct{})
	if ahead {
		p.queue = slices.Insert(p.queue, 0, ready)
	} else {
		p.queue = append(p.queue, ready)
	}
	p.mu.Unlock()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.queue, ready)
	if i < 0 {
		return nil // it was given one meanwhile
	}
	p.queue = slices.Delete(p.queue, i, i+1)
	return ctx.Err()
}

func (p *places) give() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	p.serve()
}

// resize changes how many there are. When more are taken, nobody gets one
// until enough are given back. It returns how many there were.
func (p *places) resize(n int) (before int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, p.size = p.size, n
	p.serve()
	return before
}

func (p *places) serve() {
	for len(p.queue) > 0 && p.taken < p.size {
		p.taken++
		close(p.queue[0])
		p.queue = p.queue[1:]
	}
}

func (p *places) number() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size
}
