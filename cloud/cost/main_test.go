package cost_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tidemark/cloud/cost"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a store of records in memory.
type memory struct {
	mu      sync.Mutex
	records []cost.Record
	fail    error
}

func (m *memory) KeepCosts(_ context.Context, records []cost.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	for _, r := range records {
		i := slices.IndexFunc(m.records, func(o cost.Record) bool {
			return o.Span == r.Span && o.At.Equal(r.At) && o.Instance == r.Instance
		})
		switch {
		case i < 0:
			m.records = append(m.records, r)
		case r.Instance != "":
			m.records[i] = r
		}
	}
	slices.SortStableFunc(m.records, func(a, b cost.Record) int { return a.At.Compare(b.At) })
	return nil
}

func (m *memory) Costs(_ context.Context, span time.Duration, since, until time.Time, counters bool) ([]cost.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []cost.Record
	for _, r := range m.records {
		if r.Span == span && !r.At.Before(since) && r.At.Before(until) && (r.Instance == "" || !counters) {
			all = append(all, r)
		}
	}
	return all, nil
}

func (m *memory) DropCosts(_ context.Context, span time.Duration, before time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = slices.DeleteFunc(m.records, func(r cost.Record) bool { return r.Span == span && r.At.Before(before) })
	return nil
}

func (m *memory) failWith(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

func (m *memory) count(span time.Duration) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, r := range m.records {
		if r.Span == span {
			n++
		}
	}
	return n
}

func add(m *cost.Meter, endpoint, dataset, customer string, s cost.Sums) {
	m.Add(cost.Charge{Endpoint: endpoint, Dataset: dataset, Customer: customer, Sums: s})
}
