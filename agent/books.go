package agent

import (
	"sync"
	"time"

	"tidemark/agent/journal"
	"tidemark/agent/state"
)

// lazy is how long what can be lost waits for company before it is written:
// every write is a sync of the disk. pending bounds the entries that wait
// while the disk is full; the oldest go.
const (
	lazy    = time.Minute
	pending = 2_000
)

// books gather what the next write of the state holds.
type books struct {
	mu      sync.Mutex
	tables  map[string]bool
	sources map[string]bool
	site    bool
	entries []journal.Entry
	soon    bool
	since   time.Time // the first that waits
	failed  error     // of the last write
	told    bool      // the log was told of it
	failure time.Time // the first in a row

	writing sync.Mutex
}

func (b *books) enter(table string, e journal.Entry, soon bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dirty(now, soon)
	if b.tables == nil {
		b.tables = map[string]bool{}
	}
	b.tables[table] = true
	b.entries = append(b.entries, e)
	if n := len(b.entries) - pending; n > 0 {
		b.entries = append([]journal.Entry(nil), b.entries[n:]...)
	}
}

func (b *books) touchTable(name string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dirty(now, true)
	if b.tables == nil {
		b.tables = map[string]bool{}
	}
	b.tables[name] = true
}

func (b *books) touchSource(name string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dirty(now, false)
	if b.sources == nil {
		b.sources = map[string]bool{}
	}
	b.sources[name] = true
}

func (b *books) touchSite(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dirty(now, true)
	b.site = true
}

func (b *books) dirty(now time.Time, soon bool) {
	if b.since.IsZero() {
		b.since = now
	}
	b.soon = b.soon || soon
}

// due tells whether something waits that should wait no longer. After a
// failed write everything waits for a while.
func (b *books) due(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	waited := now.Sub(b.since).Abs() // clocks jump
	return !b.since.IsZero() && (waited >= lazy || b.soon && b.failed == nil)
}

func (b *books) firstFailure() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := b.failed != nil && !b.told
	b.told = b.failed != nil
	return first
}

// problem is the last write's, nil when it went well.
func (b *books) problem() (since time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failure, b.failed
}

// touch has a source's record written.
func (a *Agent) touch(s *source) { a.books.touchSource(s.name, a.now()) }

// writeSite writes the record of the whole at once. No flush comes between,
// which would write an older one behind it.
func (a *Agent) writeSite() error {
	a.books.writing.Lock()
	defer a.books.writing.Unlock()
	a.mu.Lock()
	rec := a.siteRecord()
	a.mu.Unlock()
	return a.db.Write(state.Change{Site: rec})
}

// flush writes everything that waits.
func (a *Agent) flush() error {
	b := &a.books
	b.writing.Lock()
	defer b.writing.Unlock()
	a.mu.Lock()
	sources := a.sources
	a.mu.Unlock()
	b.mu.Lock()
	tables, dirty, site, entries := b.tables, b.sources, b.site, b.entries
	b.tables, b.sources, b.site, b.entries, b.soon, b.since = nil, nil, false, nil, false, time.Time{}
	b.mu.Unlock()
	c := state.Change{Sources: map[string]state.Source{}, Tables: map[string]state.Table{}, Journal: entries}
	if site {
		a.mu.Lock()
		c.Site = a.siteRecord()
		a.mu.Unlock()
	}
	for _, s := range sources {
		if dirty[s.name] {
			c.Sources[s.name] = s.record()
		}
		for _, t := range s.tables {
			if tables[t.site.Dataset] {
				c.Tables[t.site.Dataset] = t.record()
			}
		}
	}
	err := a.db.Write(c)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.failed, b.failure, b.told = nil, time.Time{}, false
		return nil
	}
	now := a.now()
	b.dirty(now, true)
	b.entries = append(entries, b.entries...)
	b.tables, b.sources, b.site = merge(b.tables, tables), merge(b.sources, dirty), b.site || site
	if b.failed == nil {
		b.failure = now
	}
	b.failed = err
	return err
}

func merge(a, b map[string]bool) map[string]bool {
	if a == nil {
		return b
	}
	for name := range b {
		a[name] = true
	}
	return a
}
