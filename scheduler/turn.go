package scheduler

import (
	"context"
	"sync"
	"time"
)

// A Turn is one table's part of a cycle.
type Turn struct {
	Table string
	Asked bool // by Now

	queue  *Queue
	entry  *entry
	source string
	due    time.Time
	once   sync.Once
}

// Slot waits for one of the places in which tables are worked on: those that
// were due first come first, within the limits of all and of the source. The
// error is ctx's. The slot must be released.
func (t *Turn) Slot(ctx context.Context) (*Slot, error) {
	s := &Slot{slots: t.queue.slots, source: t.source}
	if err := s.slots.acquire(ctx, s.source, t.due); err != nil {
		return nil, err
	}
	return s, nil
}

// Rest lets no cycle of the table begin for so long from now, unless a person
// asks for one: see [Rest] for how long.
func (t *Turn) Rest(d time.Duration) {
	t.queue.mu.Lock()
	defer t.queue.mu.Unlock()
	if until := time.Now().Add(d); until.After(t.entry.rest) {
		t.entry.rest = until
	}
}

// Done ends the turn. It may be called more than once.
func (t *Turn) Done() {
	t.once.Do(func() {
		t.queue.mu.Lock()
		defer t.queue.mu.Unlock()
		t.entry.running = false
		switch {
		case t.entry.gone:
			delete(t.queue.tables, t.entry.Name)
		case t.entry.asked: // while it ran
			t.queue.changed()
		}
	})
}
