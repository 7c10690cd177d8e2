//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A guard looks all along that no key leaves the cloud which no writer has
// deleted.
type guard struct {
	cloud  func(context.Context, table) (map[string]string, error) // the rows of a table there, by key
	ledger func() (page, error)                                    // what is new in the writers'
	tables []table

	mu      sync.Mutex
	seen    map[string]map[string]bool // by table: keys that were in the cloud
	deleted map[string]map[string]bool // and that writers have deleted
	wrong   []string
	looks   int // of a table
	count   counts
}

func newGuard(cloud func(context.Context, table) (map[string]string, error), ledger func() (page, error), tables []table) *guard {
	g := &guard{cloud: cloud, ledger: ledger, tables: tables, seen: map[string]map[string]bool{}, deleted: map[string]map[string]bool{}}
	for _, t := range tables {
		g.seen[t.name], g.deleted[t.name] = map[string]bool{}, map[string]bool{}
	}
	return g
}

// run looks until ctx ends. That the cloud cannot be read now and then is in
// the nature of things.
func (g *guard) run(ctx context.Context, every time.Duration) error {
	for {
		for _, t := range g.tables {
			if err := g.look(ctx, t); err != nil {
				return err
			}
		}
		if !pause(ctx, every) {
			return nil
		}
	}
}

// look looks at a table once. An error is the source's.
func (g *guard) look(ctx context.Context, t table) error {
	there, err := g.cloud(ctx, t)
	if err != nil {
		return nil //nolint:nilerr // it is asked again
	}
	// Asked behind the cloud, the ledger has all that can have left it.
	p, err := g.ledger()
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.looks++
	pending := g.book(p)
	seen, deleted := g.seen[t.name], g.deleted[t.name]
	for key := range seen {
		if _, ok := there[key]; ok || pending[deletion{t.name, key}] {
			continue // it is there, or the next look will tell
		}
		if !deleted[key] {
			g.wrong = append(g.wrong, fmt.Sprintf("%s %s has left the cloud at %s, and nobody deleted it", t.name, key, time.Now().Format(time.TimeOnly)))
		}
		delete(seen, key)
	}
	for key := range there {
		seen[key] = true
	}
	return nil
}

// book takes over what is new in the ledger and returns what may be deleted
// by now.
func (g *guard) book(p page) (pending map[deletion]bool) {
	for _, d := range p.Deleted {
		if keys := g.deleted[d.Table]; keys != nil {
			keys[d.Key] = true
		}
	}
	pending = map[deletion]bool{}
	for _, d := range p.Pending {
		pending[d] = true
	}
	g.count = p.Count
	return pending
}

// found are the wrong deletes so far.
func (g *guard) found() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.wrong
}

// written is what the writers have done, as far as the guard knows.
func (g *guard) written() (c counts, looks int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.count, g.looks
}

// finish takes over what the writers did last.
func (g *guard) finish(p page) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.book(p)
}
