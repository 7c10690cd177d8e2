package mssqltest

import (
	"context"
	"fmt"

	"tidemark/internal/mssqltest/engine"
	"tidemark/internal/mssqltest/tds"
)

// A DB is a database of a Server.
type DB struct {
	*engine.Database
	server *Server
}

// Exec runs batches with all rights, each in a session of its own and past
// the statement log and all faults.
func (db *DB) Exec(ctx context.Context, batches ...string) error {
	for _, b := range batches {
		tx := db.session()
		err := tx.Exec(ctx, b)
		tx.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// Query runs a batch and gives the rows of its result sets as the Go values
// of tds.AppendValue.
func (db *DB) Query(ctx context.Context, batch string) ([][]any, error) {
	tx := db.session()
	defer tx.close()
	return tx.Query(ctx, batch)
}

func (db *DB) session() *Tx { return &Tx{db.server.engine.Open(db.Database)} }

// A Tx is a transaction held from Go. It is for one goroutine; Commit or
// Rollback must be called.
type Tx struct{ s *engine.Session }

// Begin opens a transaction; Unspecified is READ COMMITTED.
func (db *DB) Begin(ctx context.Context, level tds.Isolation) (*Tx, error) {
	tx := db.session()
	if _, err := tx.s.Begin(ctx, level); err != nil {
		tx.close()
		return nil, err
	}
	return tx, nil
}

// Exec runs a batch in the transaction.
func (tx *Tx) Exec(ctx context.Context, batch string) error {
	_, err := tx.Query(ctx, batch)
	return err
}

// Query is like that of DB, in the transaction.
func (tx *Tx) Query(ctx context.Context, batch string) ([][]any, error) {
	var c collector
	if err := tx.s.Batch(ctx, batch, nil, &c); err != nil {
		return nil, fmt.Errorf("mssqltest: %w", err)
	}
	return c.rows, nil
}

// Commit makes the transaction's changes visible.
func (tx *Tx) Commit(ctx context.Context) error {
	defer tx.close()
	return tx.s.Commit(ctx)
}

// Rollback undoes them.
func (tx *Tx) Rollback(ctx context.Context) error {
	defer tx.close()
	return tx.s.Rollback(ctx)
}

func (tx *Tx) close() { tx.s.Close() }

// A collector keeps all rows of a batch.
type collector struct {
	cols []tds.Column
	rows [][]any
}

func (c *collector) Columns(cols []tds.Column) error { c.cols = cols; return nil }

func (c *collector) Row(values [][]byte) error {
	row := make([]any, len(values))
	for i, b := range values {
		var err error
		if row[i], err = tds.DecodeValue(c.cols[i].Type, b); err != nil {
			return err
		}
	}
	c.rows = append(c.rows, row)
	return nil
}

func (*collector) Done(uint64, bool) error { return nil }
func (*collector) Info(*tds.Error) error   { return nil }
