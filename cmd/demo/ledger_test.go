package main

import (
	"encoding/json"
	"testing"
	"time"

	"tidemark/agent/journal"
	"tidemark/scheduler"
)

// Lag ends with a cycle that began after the commit, could see it, and left
// both sides equal; with nothing else.
func TestLedger(t *testing.T) {
	insert, remove := change{inserted: 1}, change{deleted: 1}
	for _, tt := range []struct {
		name    string
		change  change
		version uint64
		early   bool // the cycle began before the commit
		action  scheduler.Action
		rule    int
		content bool
		err     string
		note    string
		ends    bool
	}{
		{name: "uploaded", change: insert, version: 10, action: scheduler.Upload, rule: 7, ends: true},
		{name: "failed", change: insert, version: 10, action: scheduler.Upload, rule: 7, err: "no"},
		{name: "began before", change: insert, version: 10, early: true, action: scheduler.Upload, rule: 7},
		{name: "above the ceiling", change: insert, version: 11, action: scheduler.Upload, rule: 7},
		{name: "skipped although changed", change: insert, version: 10, action: scheduler.Skip, rule: 2},
		{name: "found equal", change: insert, version: 10, action: scheduler.Nothing, rule: 11, ends: true},
		{name: "rows differ, to be seen later", change: remove, version: 10, action: scheduler.Nothing, rule: 9},
		{name: "deleted, uploaded", change: remove, version: 10, action: scheduler.Upload, rule: 7},
		{name: "deleted, compared", change: remove, version: 11, action: scheduler.Diff, rule: 9, ends: true},
		{name: "deleted, compared, not all found", change: remove, version: 11, action: scheduler.Diff, rule: 9, note: "left to the next diff: 1 deletes"},
		{name: "without row versions, counted", change: insert, action: scheduler.Nothing, rule: 11, content: true},
		{name: "without row versions, skipped", change: insert, action: scheduler.Skip, rule: 3, content: true},
		{name: "without row versions, compared", change: insert, action: scheduler.Diff, rule: 10, content: true, ends: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLedger()
			l.tables["orders"].open = nil // its first load
			began := time.Now().Add(-time.Second)
			l.committed("orders", tt.change, tt.version)
			if !tt.early {
				began = time.Now().Add(time.Second)
			}
			in, err := json.Marshal(scheduler.Input{Now: began, Ceiling: 10, Content: tt.content})
			if err != nil {
				t.Fatal(err)
			}
			l.decided(journal.Entry{Table: "orders", Action: string(tt.action), Rule: tt.rule, Input: in, Outcome: journal.Outcome{Error: tt.err, Note: tt.note}})
			_, changed, lag := l.look("orders", time.Now())
			if ended := lag == 0; ended != tt.ends {
				t.Errorf("lag %s, to end: %t", lag, tt.ends)
			}
			if changed != 1 {
				t.Errorf("%d rows changed", changed)
			}
		})
	}
}

// The oldest commit tells the lag, however many have come since.
func TestLedgerIsBounded(t *testing.T) {
	l := newLedger()
	for range 3 * maxOpen {
		l.committed("orders", change{updated: 1}, 5)
	}
	first := l.tables["orders"].open[0].at
	if n := len(l.tables["orders"].open); n > maxOpen {
		t.Errorf("%d commits are remembered", n)
	}
	if _, _, lag := l.look("orders", first.Add(time.Hour)); lag != time.Hour {
		t.Errorf("lag %s", lag)
	}
}
