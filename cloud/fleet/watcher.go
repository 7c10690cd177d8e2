package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/internal/wire"
)

// A Store is what the page reads: the database, or a replica of it.
type Store interface {
	ListCustomers(ctx context.Context) ([]cloud.Customer, error)
	EachReport(ctx context.Context, since time.Time, fn func(cloud.Report) error) error
	Report(ctx context.Context, customer string) (cloud.Report, error)
	Documents(ctx context.Context, known int64) (revision int64, all []cloud.Document, err error)
	Versions(ctx context.Context, customer string) (wire.Versions, error)
	cloud.Recent
	cost.Records
}

// The pace of the snapshot.
const (
	freshFor = 15 * time.Second // a look at an older one has the next made
	staleFor = 2 * time.Minute  // a look at an older one waits for the next
	// overlap is what is read again, for the clocks of several instances and for
	// transactions that take their time.
	overlap = 2 * time.Minute
	readFor = 5 * time.Minute // for one snapshot
)

// A Watcher makes snapshots while somebody looks. Run owns it.
type Watcher struct {
	store       Store
	log         *zap.Logger
	now         func() time.Time
	silentAfter time.Duration
	wake        chan struct{}
	held        *store // Run's

	mu    sync.Mutex
	last  *Snapshot
	err   error         // of the last try
	tried chan struct{} // closed after the next try
}

func newWatcher(c Config) *Watcher {
	return &Watcher{store: c.Store, log: c.Logger, now: c.Now, silentAfter: c.SilentAfter, wake: make(chan struct{}, 1), tried: make(chan struct{}),
		held: newStore()}
}

// Run makes snapshots until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		}
		began := time.Now()
		v, err := w.make(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.Warn("the fleet could not be read", zap.Error(err))
		}
		w.mu.Lock()
		if w.err = err; err == nil {
			v.Took = time.Since(began)
			w.last = v
		}
		close(w.tried)
		w.tried = make(chan struct{})
		w.mu.Unlock()
		// However often somebody looks: at most half of the time is spent reading.
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(time.Second, time.Since(began))):
		}
	}
}

// Look returns the snapshot: at once where there is one that is not too old.
func (w *Watcher) Look(ctx context.Context) (*Snapshot, error) {
	w.mu.Lock()
	v, tried := w.last, w.tried
	w.mu.Unlock()
	if v != nil && w.now().Sub(v.At).Abs() <= freshFor {
		return v, nil
	}
	select {
	case w.wake <- struct{}{}:
	default: // it is asked for already
	}
	if v != nil && w.now().Sub(v.At).Abs() <= staleFor {
		return v, nil
	}
	select {
	case <-ctx.Done():
		if v != nil { // better than nothing: the page tells how old it is
			return v, nil
		}
		return nil, fmt.Errorf("the fleet is being read: %w", ctx.Err())
	case <-tried:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil {
		return nil, w.err
	}
	return w.last, nil
}

// make reads what has changed.
func (w *Watcher) make(ctx context.Context) (*Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, readFor)
	defer cancel()
	now := w.now()
	all, err := w.store.ListCustomers(ctx)
	if err != nil {
		return nil, err
	}
	s := w.held
	s.keep(all)
	newest, n := s.newest, 0
	since := s.newest.Add(-overlap)
	if s.newest.IsZero() {
		since = time.Time{}
	}
	err = w.store.EachReport(ctx, since, func(r cloud.Report) error {
		c := s.customers[r.Customer]
		if c == nil || c.Received.Equal(r.Received) { // removed, added since, or known
			return nil
		}
		doc, err := r.Read()
		if err != nil { // one that cannot be read hides no other
			w.log.Warn("a report could not be read", zap.String("customer", r.Customer), zap.Error(err))
			return nil
		}
		s.read(c, r, doc)
		if n++; r.Received.After(newest) {
			newest = r.Received
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.newest = newest
	if s.rules, err = readRules(ctx, w.store, s.rules); err != nil {
		return nil, err
	}
	v := s.snapshot(now, s.rules, w.silentAfter)
	v.Read = n
	return v, nil
}

func readRules(ctx context.Context, s Store, have *cloud.Rules) (*cloud.Rules, error) {
	known := int64(-1)
	if have != nil {
		known = have.Revision
	}
	revision, all, err := s.Documents(ctx, known)
	switch {
	case err != nil:
		return nil, err
	case revision == known:
		return have, nil
	}
	return cloud.ReadRules(revision, all)
}

// A store is what snapshots are made of.
type store struct {
	customers map[string]*customer
	texts     map[string]string // each once: reasons repeat
	names     []string          // of datasets
	numbers   map[string]int32
	newest    time.Time // report
	rules     *cloud.Rules
}

func newStore() *store {
	return &store{customers: map[string]*customer{}, texts: map[string]string{}, numbers: map[string]int32{}}
}

// mostTexts bounds the texts that are shared: reasons may hold numbers.
const mostTexts = 50_000

func (s *store) text(t string) string {
	if t == "" {
		return ""
	}
	if known, ok := s.texts[t]; ok {
		return known
	}
	if len(s.texts) >= mostTexts {
		clear(s.texts) // those in use live on
	}
	s.texts[t] = t
	return t
}

func (s *store) dataset(name string) int32 {
	n, ok := s.numbers[name]
	if !ok {
		n = int32(len(s.names))
		s.names, s.numbers[name] = append(s.names, name), n
	}
	return n
}

// keep brings the customers in line with those that there are.
func (s *store) keep(all []cloud.Customer) {
	there := make(map[string]bool, len(all))
	for _, c := range all {
		there[c.ID] = true
		if known := s.customers[c.ID]; known != nil && known.Created.Equal(c.Created) {
			known.Name = c.Name
			continue
		}
		s.customers[c.ID] = &customer{ID: c.ID, Name: c.Name, Created: c.Created}
	}
	for id := range s.customers {
		if !there[id] {
			delete(s.customers, id)
		}
	}
}

var errNoCustomer = errors.New("there is no such customer")
