package cloud

import (
	"context"
	"sync"
	"time"
)

// maxCached bounds the entries of a cache; beyond, it is emptied.
const maxCached = 10_000

// A cache keeps what a store returned, by customer. The age that get takes is
// how soon other instances notice what one has changed.
type cache[T any] struct {
	load func(ctx context.Context, customer string) (T, error)

	mu      sync.Mutex
	entries map[string]cached[T]
}

type cached[T any] struct {
	value  T
	loaded time.Time
}

// get returns the value for a customer, loaded at most maxAge ago.
func (c *cache[T]) get(ctx context.Context, customer string, now time.Time, maxAge time.Duration) (T, error) {
	c.mu.Lock()
	e, ok := c.entries[customer]
	c.mu.Unlock()
	if age := now.Sub(e.loaded); ok && age >= 0 && age <= maxAge {
		return e.value, nil
	}
	value, err := c.load(ctx, customer)
	if err != nil {
		return value, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || len(c.entries) >= maxCached {
		c.entries = make(map[string]cached[T])
	}
	c.entries[customer] = cached[T]{value, now}
	return value, nil
}

// forget has the next get look again.
func (c *cache[T]) forget(customer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, customer)
}
