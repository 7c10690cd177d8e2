package main

import (
	"encoding/json"
	"sync"
	"time"

	"tidemark/agent/journal"
	"tidemark/scheduler"
)

// A ledger knows, from outside of the agent, what the cloud should have: what
// the writer has committed, and since when a cycle of the agent has covered
// it. That is the true lag; the agent itself only knows of changes that it has
// seen.
type ledger struct {
	mu     sync.Mutex
	tables map[string]*account
}

type account struct {
	rows    int   // at the source
	changed int64 // rows inserted, changed and deleted by the writer
	open    []commit
}

// A commit is one that no cycle has covered yet.
type commit struct {
	at      time.Time
	version uint64 // nothing of it has a higher row version; 0: rows were deleted, or the table has none
}

// maxOpen bounds the commits remembered of a table; beyond, the newest become
// one.
const maxOpen = 1000

func newLedger() *ledger {
	l := &ledger{tables: map[string]*account{}}
	for _, t := range tables {
		l.tables[t.name] = &account{rows: t.rows, open: []commit{{at: time.Now()}}} // the first load
	}
	return l
}

// committed books a commit, after it was.
func (l *ledger) committed(table string, c change, version uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.tables[table]
	a.rows += c.inserted - c.deleted
	a.changed += int64(c.inserted + c.updated + c.deleted)
	if c.deleted > 0 && c.inserted+c.updated == 0 {
		version = 0
	}
	if len(a.open) == maxOpen {
		version = max(version, a.open[maxOpen-1].version)
		a.open = a.open[:maxOpen-1]
	}
	a.open = append(a.open, commit{time.Now(), version})
}

// decided takes an entry of the agent's journal: what was committed before
// the cycle began, at or below its ceiling, is in the cloud when the cycle
// found both sides equal or made them so.
func (l *ledger) decided(e journal.Entry) {
	var in scheduler.Input
	if e.Outcome.Error != "" || json.Unmarshal(e.Input, &in) != nil {
		return
	}
	deletes := false
	switch compared := e.Action == string(scheduler.Diff); {
	case compared:
		deletes = e.Outcome.Note == "" // else something is left to the next one
		if in.Content && !deletes {
			return
		}
	case in.Content && e.Upload == string(scheduler.FirstLoad): // every row was read after the cycle began
		deletes = true
	case in.Content: // counts tell nothing of what is in the rows
		return
	case e.Rule == 3 && e.Action == string(scheduler.Skip), e.Rule == 11:
		deletes = true
	case e.Action == string(scheduler.Upload):
	default:
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.tables[e.Table]
	open := a.open[:0]
	for _, c := range a.open {
		if c.at.Before(in.Now) && c.version <= in.Ceiling && (c.version > 0 || deletes) {
			continue
		}
		open = append(open, c)
	}
	a.open = open
}

// look tells the rows at the source, the rows that the writer has changed, and
// for how long the oldest commit has waited; 0 when none does.
func (l *ledger) look(table string, now time.Time) (rows int, changed int64, lag time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.tables[table]
	if len(a.open) > 0 {
		lag = max(now.Sub(a.open[0].at), time.Millisecond)
	}
	return a.rows, a.changed, lag
}

// covered tells whether cycles have covered every commit.
func (l *ledger) covered() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.tables {
		if len(a.open) > 0 {
			return false
		}
	}
	return true
}
