package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"
)

// actTime bounds one act of the writer; what the demo's end interrupts is
// finished.
const actTime = 30 * time.Second

// A writer is a program that works with the database and knows nothing of
// Tidemark: it inserts, updates and deletes, and now and then leaves a
// transaction open for a while. It is for one goroutine.
type writer struct {
	db     *sql.DB
	rand   *rand.Rand
	rate   int
	ledger *ledger
	feed   *feed
	goods  goods

	deck []act // acts in the order to come
	long *long // open transaction; nil: none
	next time.Time
}

// A change is how many rows an act has changed.
type change struct{ inserted, updated, deleted int }

func (c change) rows() int { return c.inserted + c.updated + c.deleted }

func newWriter(db *sql.DB, r *rand.Rand, rate int, l *ledger, f *feed) *writer {
	return &writer{db: db, rand: r, rate: rate, ledger: l, feed: f, goods: newGoods(), next: time.Now().Add(2 * time.Second)}
}

// run writes until ctx ends, which is no error. What is open then is
// committed.
func (w *writer) run(ctx context.Context) error {
	for {
		rows, err := w.work(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
		if !pause(ctx, time.Duration(rows)*time.Second/time.Duration(w.rate)) {
			return w.finish(context.WithoutCancel(ctx))
		}
	}
}

// work does the next thing and tells how many rows it was.
func (w *writer) work(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, actTime)
	defer cancel()
	switch now := time.Now(); {
	case w.long != nil && now.After(w.long.until):
		return w.endLong(ctx, w.rand.IntN(4) == 0)
	case w.long == nil && now.After(w.next):
		return w.beginLong(ctx)
	}
	if len(w.deck) == 0 {
		w.deck = shuffled(w.rand)
	}
	a := w.deck[0]
	w.deck = w.deck[1:]
	return w.act(ctx, a, 1+w.rate/2+w.rand.IntN(w.rate))
}

// act runs one act in a transaction of its own.
func (w *writer) act(ctx context.Context, a act, n int) (int, error) {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("writer: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing, once it is committed
	c, text, err := a.do(ctx, w, tx, n)
	if err != nil {
		return 0, fmt.Errorf("writer: %s: %w", a.table, err)
	}
	version, err := dbts(ctx, tx, a.table)
	if err != nil {
		return 0, fmt.Errorf("writer: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return 0, fmt.Errorf("writer: %w", err)
	}
	w.ledger.committed(a.table, c, version)
	w.feed.add("writer", text)
	return max(1, c.rows()), nil
}

// finish leaves nothing open.
func (w *writer) finish(ctx context.Context) error {
	if w.long == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, actTime)
	defer cancel()
	_, err := w.endLong(ctx, false)
	return err
}

// dbts is a row version that nothing the transaction has done lies above; 0
// for a table that has none.
func dbts(ctx context.Context, tx *sql.Tx, table string) (uint64, error) {
	if table == "settings" {
		return 0, nil
	}
	var rv int64
	err := tx.QueryRowContext(ctx, "SELECT CONVERT(bigint, @@DBTS)").Scan(&rv)
	return uint64(rv), err
}

// pause waits, or returns false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
