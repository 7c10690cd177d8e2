//go:build linux

package main

import "sync"

// A ledger is what the writers have deleted, which is all that may ever
// leave the cloud. A key stays in it when its row comes back.
type ledger struct {
	mu      sync.Mutex
	news    []deletion
	pending map[string]map[string]int // by table and key: deleted by transactions that are open
	count   counts
}

// A deletion is a key that a committed transaction has deleted.
type deletion struct {
	Table string `json:"t"`
	Key   string `json:"k"`
}

// counts are rows of committed transactions.
type counts struct {
	Inserted, Updated, Deleted, Rekeyed, Transactions, RolledBack, Long int64
}

func newLedger() *ledger { return &ledger{pending: map[string]map[string]int{}} }

// expect is told before a delete is sent.
func (l *ledger) expect(table, key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending[table] == nil {
		l.pending[table] = map[string]int{}
	}
	l.pending[table][key]++
}

// settle is told when the transaction of the deletes has ended; one whose end
// is not known counts as committed.
func (l *ledger) settle(gone []deletion, committed bool, c counts) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range gone {
		if l.pending[d.Table][d.Key]--; l.pending[d.Table][d.Key] == 0 {
			delete(l.pending[d.Table], d.Key)
		}
	}
	if !committed {
		l.count.RolledBack++
		return
	}
	l.news = append(l.news, gone...)
	l.count.Inserted += c.Inserted
	l.count.Updated += c.Updated
	l.count.Deleted += c.Deleted
	l.count.Rekeyed += c.Rekeyed
	l.count.Long += c.Long
	l.count.Transactions++
}

// A page is what is new in the ledger.
type page struct {
	Deleted []deletion `json:"deleted,omitempty"`
	Pending []deletion `json:"pending,omitempty"` // may be deleted by now
	Count   counts     `json:"count"`
}

func (l *ledger) take() page {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := page{Deleted: l.news, Count: l.count}
	l.news = nil
	for t, keys := range l.pending {
		for k := range keys {
			p.Pending = append(p.Pending, deletion{t, k})
		}
	}
	return p
}
