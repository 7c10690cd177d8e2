package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// A long transaction holds row versions that nobody else may see yet: what
// others commit meanwhile has higher ones, and an agent that went by the
// highest would never see these.
type long struct {
	tx      *sql.Tx
	cancel  context.CancelFunc
	began   time.Time
	until   time.Time
	ids     []int
	version uint64
}

// Between two long transactions, and in one.
const (
	longEvery = 9 * time.Second
	longTime  = 4 * time.Second
)

func (w *writer) beginLong(ctx context.Context) (int, error) {
	now := time.Now()
	l := &long{began: now, until: now.Add(longTime)}
	var err error
	// The transaction outlives this act; its own context ends it for good.
	held, cancel := context.WithTimeout(context.WithoutCancel(ctx), longTime+2*actTime)
	l.cancel = cancel
	if l.tx, err = w.db.BeginTx(held, nil); err != nil {
		cancel()
		return 0, fmt.Errorf("writer: %w", err)
	}
	if l.ids, err = w.insertOrders(ctx, l.tx, min(8, w.rate)); err == nil {
		l.version, err = dbts(ctx, l.tx, "orders")
	}
	if err != nil {
		defer cancel()
		_ = l.tx.Rollback()
		return 0, fmt.Errorf("writer: orders: %w", err)
	}
	w.long = l
	w.feed.add("writer", fmt.Sprintf("opened a transaction with %s, for %s", count(len(l.ids), "new order"), longTime))
	return len(l.ids), nil
}

func (w *writer) endLong(ctx context.Context, undo bool) (int, error) {
	l := w.long
	w.long, w.next = nil, time.Now().Add(longEvery-longTime)
	defer l.cancel()
	held := time.Since(l.began).Round(100 * time.Millisecond)
	if undo {
		if err := l.tx.Rollback(); err != nil {
			return 0, fmt.Errorf("writer: %w", err)
		}
		w.feed.add("writer", fmt.Sprintf("rolled that transaction back after %s", held))
		return len(l.ids), nil
	}
	if err := l.tx.Commit(); err != nil {
		return 0, fmt.Errorf("writer: %w", err)
	}
	w.goods.orders = append(w.goods.orders, l.ids...)
	w.ledger.committed("orders", change{inserted: len(l.ids)}, l.version)
	w.feed.add("writer", fmt.Sprintf("committed that transaction after %s", held))
	return len(l.ids), nil
}
