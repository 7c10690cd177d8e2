// Package scrub holds the summaries of a store against its rows, slowly, for
// as long as a server runs.
package scrub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// A Store is what is scrubbed.
type Store interface {
	ListCustomers(ctx context.Context) ([]cloud.Customer, error)
	Versions(ctx context.Context, customer string) (wire.Versions, error)
	Scrub(ctx context.Context, customer, table string) (wrong int, err error)
}

// A Table is one of a customer.
type Table struct{ Customer, Name string }

// Tables lists the tables of a store whose load is complete, by customer and
// name: those of one customer, or of all when it is "".
func Tables(ctx context.Context, s Store, customer string) ([]Table, error) {
	customers := []cloud.Customer{{ID: customer}}
	if customer == "" {
		var err error
		if customers, err = s.ListCustomers(ctx); err != nil {
			return nil, err
		}
	}
	var all []Table
	for _, c := range customers {
		v, err := s.Versions(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		var names []string
		for name, version := range v.Tables {
			if version.Loaded {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			all = append(all, Table{c.ID, name})
		}
	}
	return all, nil
}

// A Scrubber goes over all tables of a store again and again, one at a time.
// Several servers of one database each do so: one of them is enough.
type Scrubber struct {
	Store Store
	Log   *zap.Logger
	Every time.Duration // for one pass over all tables

	scrubbed, wrong, leaves, failed atomic.Int64
}

// What a pass waits for at least and at most, whatever there is to do.
const (
	leastPause = time.Second
	mostPause  = time.Hour
)

// Run scrubs until ctx ends.
func (s *Scrubber) Run(ctx context.Context) {
	for s.pass(ctx) {
	}
}

// pass goes over all tables once, spread over Every. It is false when ctx has
// ended.
func (s *Scrubber) pass(ctx context.Context) bool {
	tables, err := Tables(ctx, s.Store, "")
	if err != nil && ctx.Err() == nil {
		s.failed.Add(1)
		s.Log.Warn("tables to scrub cannot be listed", zap.Error(err))
	}
	pause := min(max(s.Every/time.Duration(max(len(tables), 1)), leastPause), mostPause)
	for _, t := range tables {
		if !wait(ctx, pause) {
			return false
		}
		s.table(ctx, t)
	}
	return len(tables) > 0 && ctx.Err() == nil || wait(ctx, pause)
}

// wait waits for a while around pause, so that servers do not keep step.
func wait(ctx context.Context, pause time.Duration) bool {
	t := time.NewTimer(pause/2 + rand.N(pause))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (s *Scrubber) table(ctx context.Context, t Table) {
	log := s.Log.With(zap.String("customer", t.Customer), zap.String("table", t.Name))
	begin := time.Now()
	wrong, err := s.Store.Scrub(ctx, t.Customer, t.Name)
	if wrong > 0 {
		s.wrong.Add(1)
		s.leaves.Add(int64(wrong))
		log.Error("alarm: a summary was wrong, and is made anew", zap.Int("leaves", wrong), zap.Error(err))
	}
	switch {
	case err == nil:
		s.scrubbed.Add(1)
		log.Debug("scrubbed", zap.Duration("took", time.Since(begin)))
	case ctx.Err() != nil, errors.As(err, new(*wire.Problem)): // ended; or dropped or loaded anew since
	default:
		s.failed.Add(1)
		log.Warn("a summary cannot be scrubbed", zap.Error(err))
	}
}

// WriteMetrics writes the counters in the text format of Prometheus.
func (s *Scrubber) WriteMetrics(w io.Writer) {
	for _, m := range []struct {
		name, help string
		value      *atomic.Int64
	}{
		{"tidemark_scrubbed_total", "tables whose summary was held against their rows", &s.scrubbed},
		{"tidemark_scrub_wrong_total", "tables whose summary was wrong; an alarm", &s.wrong},
		{"tidemark_scrub_wrong_leaves_total", "leaves that were wrong", &s.leaves},
		{"tidemark_scrub_failed_total", "tables that could not be scrubbed", &s.failed},
	} {
		_, _ = fmt.Fprintf(w, "# HELP %[1]s %[2]s\n# TYPE %[1]s counter\n%[1]s %[3]d\n", m.name, m.help, m.value.Load())
	}
}
