package main

import (
	"sync"
	"time"

	"tidemark/agent/journal"
)

// lingers is how long an upload or a diff stays in sight: the decision that
// nothing is left to do follows at once.
const lingers = interval * 9 / 10

// acted remembers what the agent did last to each table, and how many rows
// it has sent.
type acted struct {
	mu   sync.Mutex
	last map[string]journal.Entry
	rows map[string]int64
}

func newActed() *acted {
	return &acted{last: map[string]journal.Entry{}, rows: map[string]int64{}}
}

func (a *acted) put(e journal.Entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last[e.Table] = e
	o := e.Outcome
	a.rows[e.Table] += o.Inserted + o.Updated + o.Unchanged + o.Deleted
}

// lately returns what was done to the table just now.
func (a *acted) lately(table string, now time.Time) (journal.Entry, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.last[table]
	return e, ok && now.Sub(e.Time) < lingers
}

// sent is how many rows were sent of a table.
func (a *acted) sent(table string) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rows[table]
}
