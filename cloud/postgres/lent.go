package postgres

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// lent is a connection that is given back with Release, once.
type lent struct {
	conn *pgxpool.Conn
	of   *connections
}

func (l *lent) Conn() *pgx.Conn { return l.conn.Conn() }

// Release gives it back, and ends it unless it is idle.
func (l *lent) Release() {
	l.of.put(l.conn)
	l.of.places.give()
}

// Acquire waits for a connection, in turn.
func (c *connections) Acquire(ctx context.Context) (*lent, error) { return c.acquire(ctx, false) }

// Ping tells whether a connection is free and the server answers.
func (c *connections) Ping(ctx context.Context) error {
	l, err := c.Acquire(ctx)
	if err != nil {
		return err
	}
	defer l.Release()
	return l.conn.Ping(ctx)
}

// Exec, Query, QueryRow and Begin are those of the pool.

func (c *connections) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	l, err := c.Acquire(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	defer l.Release()
	return l.conn.Exec(ctx, sql, args...)
}

func (c *connections) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	l, err := c.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := l.conn.Query(ctx, sql, args...)
	if err != nil {
		l.Release()
		return nil, err
	}
	return &lentRows{Rows: rows, release: sync.OnceFunc(l.Release)}, nil
}

func (c *connections) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := c.Query(ctx, sql, args...)
	return lentRow{rows, err}
}

func (c *connections) Begin(ctx context.Context) (pgx.Tx, error) {
	l, err := c.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := l.conn.Begin(ctx)
	if err != nil {
		l.Release()
		return nil, err
	}
	return &lentTx{Tx: tx, release: sync.OnceFunc(l.Release)}, nil
}

// lentRows give their connection back at their end.
type lentRows struct {
	pgx.Rows
	release func()
}

func (r *lentRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *lentRows) Close() {
	r.Rows.Close()
	r.release()
}

// lentRow is the first of them, as pgx.Row.
type lentRow struct {
	rows pgx.Rows
	err  error
}

func (r lentRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// lentTx gives its connection back when it ends.
type lentTx struct {
	pgx.Tx
	release func()
}

func (t *lentTx) Commit(ctx context.Context) error {
	defer t.release()
	return t.Tx.Commit(ctx)
}

func (t *lentTx) Rollback(ctx context.Context) error {
	defer t.release()
	return t.Tx.Rollback(ctx)
}
