package agent

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"tidemark/agent/state"
	"tidemark/scheduler"
	"tidemark/sqlserver"
)

// catalogEvery is how often the catalog is read again of itself: a column that
// was added shows in no error. tooLong is when a ceiling that stands still is
// told.
const (
	catalogEvery = 10 * time.Minute
	tooLong      = 5 * time.Minute
)

// A source is one source at run time, with an epoch and problems of its own.
type source struct {
	a    *Agent
	name string
	sql  Source
	log  *zap.Logger

	tables []*table

	preparing baton // one look at the server at a time

	mu       sync.Mutex
	rec      state.Source
	server   *sqlserver.Server
	catalog  time.Time // when it was read; zero: to be read
	problem  *Problem
	last     *probe
	holder   string
	failures int
}

// A probe is what one statement told about a source.
type probe struct {
	sqlserver.Probe
	at    time.Time
	epoch string
}

func (p *probe) rows(t *table) int64 {
	if s := t.table(); s != nil {
		if n, ok := p.Rows[s.ObjectID]; ok {
			return n
		}
	}
	return -1
}

// cycle is one cycle of the tables that are due together.
func (s *source) cycle(ctx context.Context, turns []*scheduler.Turn) {
	var cycles []*cycle
	look := false
	for _, turn := range turns {
		if t := s.byName(turn.Table); t != nil {
			c := t.newCycle(turn)
			look = look || scheduler.Decide(c.in).Action != scheduler.Skip
			cycles = append(cycles, c)
		}
	}
	var p *probe
	var err error
	if look { // else all of them skip, whatever the source says
		fresh := false
		for _, c := range cycles {
			fresh = fresh || c.req != nil
		}
		p, err = s.prepare(ctx, fresh)
	}
	if err != nil {
		s.fail(ctx, err, cycles)
		return
	}
	if look {
		s.works()
	}
	var running sync.WaitGroup
	defer running.Wait()
	for _, c := range cycles {
		c.probe = p
		running.Go(func() {
			defer c.turn.Done()
			c.t.work(ctx, c)
		})
	}
}

func (s *source) byName(dataset string) *table {
	for _, t := range s.tables {
		if t.site.Dataset == dataset {
			return t
		}
	}
	return nil
}

// prepare reads the catalog where that is due, and looks at the source.
func (s *source) prepare(ctx context.Context, fresh bool) (*probe, error) {
	if err := s.preparing.take(ctx); err != nil {
		return nil, err
	}
	defer s.preparing.give()
	s.mu.Lock()
	inspected, read := s.server != nil, s.catalog
	s.mu.Unlock()
	if !inspected {
		server, err := s.sql.Inspect(ctx)
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.server = &server
		s.mu.Unlock()
	}
	if fresh || read.IsZero() || time.Since(read) > catalogEvery {
		if err := s.readCatalog(ctx); err != nil {
			return nil, err
		}
	}
	return s.look(ctx)
}

// probeNow looks at the source again, in the middle of a cycle.
func (s *source) probeNow(ctx context.Context) (*probe, error) {
	if err := s.preparing.take(ctx); err != nil {
		return nil, err
	}
	defer s.preparing.give()
	return s.look(ctx)
}

func (s *source) look(ctx context.Context) (*probe, error) {
	var tables []*sqlserver.Table
	for _, t := range s.tables { // all, so that the statement's text is always the same
		if sql := t.table(); sql != nil && sql.Refused == "" {
			tables = append(tables, sql)
		}
	}
	got, err := s.sql.Probe(ctx, tables)
	if err != nil {
		return nil, err
	}
	p := &probe{Probe: got, at: s.a.now()}
	if err := s.observe(ctx, p); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.last = p
	s.mu.Unlock()
	return p, nil
}

// readCatalog gives every table what the catalog says of it now.
func (s *source) readCatalog(ctx context.Context) error {
	all, err := s.sql.Catalog(ctx)
	if err != nil {
		return err
	}
	for _, t := range s.tables {
		found, err := t.find(all)
		if err != nil {
			t.fail(err)
		}
		t.setCatalog(found)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catalog = time.Now()
	return nil
}

// stale has the catalog read again before the next cycle.
func (s *source) stale() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catalog = time.Time{}
}

// find finds the table in the catalog, nil when it is not there. Names are
// compared exactly first, then as most collations would.
func (t *table) find(all []*sqlserver.Table) (*sqlserver.Table, error) {
	var found *sqlserver.Table
	for _, s := range all {
		if s.Schema == t.site.Schema && s.Name == t.site.Name {
			found = s
			break
		}
		if strings.EqualFold(s.Schema, t.site.Schema) && strings.EqualFold(s.Name, t.site.Name) {
			found = s
		}
	}
	if found == nil || found.Refused != "" {
		return found, nil
	}
	exclude, hash := t.site.Exclude, t.site.Hash
	if t.site.Group {
		exclude = found.Having(exclude)
	}
	less, err := found.Without(exclude)
	if err != nil {
		return nil, err
	}
	if t.site.Group {
		hash = less.Having(hash)
	}
	return less.Hashed(hash, t.site.HashKey)
}

// record returns a copy of what is remembered.
func (s *source) record() state.Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rec
}

func (s *source) epoch() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rec.Epoch
}

func (s *source) ceiling() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rec.Ceiling
}

// held tells whether the ceiling has stood still behind the counter for too
// long.
func (s *source) held(p *probe) {
	s.mu.Lock()
	still := p.InFlight && p.Ceiling == s.rec.Ceiling
	switch {
	case !still:
		s.rec.Held, s.holder = time.Time{}, ""
		if p.InFlight {
			s.rec.Held = p.at
		}
	case s.rec.Held.IsZero():
		s.rec.Held = p.at
	}
	s.mu.Unlock()
}

// findHolder asks who holds the ceiling, where that is worth a statement.
func (s *source) findHolder(ctx context.Context) {
	s.mu.Lock()
	since := s.rec.Held
	s.mu.Unlock()
	if since.IsZero() || s.a.now().Sub(since) < tooLong {
		return
	}
	holder, err := s.sql.Holder(ctx)
	if err != nil {
		return // a right that is not needed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holder = holder
}

// fail books that the source could not be looked at. Nobody's cycle but its
// own tables' ends with it.
func (s *source) fail(ctx context.Context, err error, cycles []*cycle) {
	if ctx.Err() == nil {
		p := classify(err)
		p.Scope, p.Name = "source", s.name
		s.mu.Lock()
		s.failures++
		rest := s.a.backoff(s.failures)
		s.problem = p.since(s.problem, s.a.now(), rest)
		s.server, s.catalog = nil, time.Time{} // another server may answer next
		first := s.failures == 1
		s.mu.Unlock()
		for _, c := range cycles {
			c.turn.Rest(rest)
		}
		if first {
			s.log.Warn("source.failed", zap.Error(err), zap.String("hint", p.Hint))
		}
	}
	for _, c := range cycles {
		c.done(outcome{err: fmt.Errorf("source %s: %w", s.name, err)})
	}
}

func (s *source) works() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.problem != nil {
		s.log.Info("source.works", zap.Duration("after", s.a.now().Sub(s.problem.Since)))
	}
	s.problem, s.failures = nil, 0
}
