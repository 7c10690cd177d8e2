package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"

	"tidemark/internal/wire"
)

// A registry remembers datasets and plans as they were when last read. A
// transaction that finds a dataset in another shape forgets it and begins
// anew, so that nothing else has to keep registries of several processes
// equal.
type registry struct {
	mu     sync.Mutex
	shared map[string]*shared
	plans  map[planKey]*plan
}

type planKey struct{ dataset, schema string }

// The most that a registry remembers; beyond, it begins anew.
const (
	maxShared = 4096
	maxPlans  = 4096
)

// dataset returns the dataset of a name, read through c where it is not
// remembered; nil when there is none.
func (r *registry) dataset(ctx context.Context, c *session, name string) (*shared, error) {
	r.mu.Lock()
	d := r.shared[name]
	r.mu.Unlock()
	if d != nil {
		return d, nil
	}
	d, err := c.readDataset(ctx, name, "")
	if d == nil || err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shared == nil || len(r.shared) >= maxShared {
		r.shared = make(map[string]*shared)
	}
	r.shared[name] = d
	return d, nil
}

// plan returns the plan of a schema and its fingerprint.
func (r *registry) plan(d *shared, schema wire.Schema, fingerprint string) (*plan, error) {
	key := planKey{d.Name, fingerprint}
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.plans[key]; p != nil && p.shared == d {
		return p, nil
	}
	p, err := newPlan(d, schema)
	if err != nil {
		return nil, err
	}
	if r.plans == nil || len(r.plans) >= maxPlans {
		r.plans = make(map[planKey]*plan)
	}
	r.plans[key] = p
	return p, nil
}

// forget lets the dataset be read anew.
func (r *registry) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.shared, name)
}

// readDataset reads a dataset, nil when there is none; lock is a locking
// clause or "".
func (c *session) readDataset(ctx context.Context, name, lock string) (*shared, error) {
	var document []byte
	var d shared
	err := c.QueryRow(ctx, "SELECT document, shape FROM tidemark.datasets WHERE name = $1 "+lock, name).Scan(&document, &d.shape)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &d, json.Unmarshal(document, &d.Dataset)
}
