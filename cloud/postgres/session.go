package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// A session is one connection while it is in use. What it keeps between uses
// is in its stages.
type session struct {
	*pgx.Conn
	meter *meter // nil: nobody wants to know what is read
}

// Transactions that lost against another are run again.
const (
	maxTries  = 5
	firstWait = 20 * time.Millisecond // doubled for every try, with full jitter
)

// errStale says that the dataset changed while a transaction was prepared for
// its shape before.
var errStale = errors.New("the dataset has changed")

// run gives f a session. F begins and commits its own transactions, so that
// it can send the first and the last statement along with others; one that it
// leaves open is rolled back. F is called again when it lost a deadlock, a
// lock or a race.
func (s *Store) run(ctx context.Context, f func(c *session) error) error {
	wait := firstWait
	for try := 1; ; try++ {
		err := s.runOnce(ctx, f)
		if try == maxTries || !isTransient(err) {
			return unavailable(err)
		}
		select {
		case <-ctx.Done():
			return unavailable(err)
		case <-time.After(rand.N(wait)):
			wait *= 2
		}
	}
}

func (s *Store) runOnce(ctx context.Context, f func(c *session) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // closes it, unless it is idle
	c := &session{Conn: conn.Conn()}
	err = f(c)
	if !c.IsClosed() && c.PgConn().TxStatus() != 'I' {
		c.rollback(ctx)
	}
	return err
}

// rollback keeps the connection and its staging tables for the next use. It
// must work though ctx has ended.
func (c *session) rollback(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if _, err := c.Exec(ctx, "ROLLBACK"); err != nil {
		_ = c.Close(ctx) // it is broken already
	}
}

// How transactions begin and end.
const (
	begin  = "BEGIN"
	commit = "COMMIT"
)

// commit ends the transaction.
func (c *session) commit(ctx context.Context) error {
	if c.meter == nil {
		_, err := c.Exec(ctx, commit)
		return err
	}
	return c.pipeline(ctx, statement{sql: commit})
}

// A statement is one of a pipeline.
type statement struct {
	sql  string
	args []any
	scan []any // destinations of its one row; nil: it has none
}

// pipeline sends the statements at once and takes their results in one round
// trip. Those behind the first that fails are not run.
func (c *session) pipeline(ctx context.Context, statements ...statement) (err error) {
	statements = c.meter.around(statements)
	defer func() {
		if err == nil {
			c.meter.done(statements)
		}
	}()
	var b pgx.Batch
	for _, s := range statements {
		b.Queue(s.sql, s.args...)
	}
	results := c.SendBatch(ctx, &b)
	defer func() {
		if closed := results.Close(); err == nil {
			err = closed
		}
	}()
	for _, s := range statements {
		if s.scan != nil {
			err = results.QueryRow().Scan(s.scan...)
		} else {
			_, err = results.Exec()
		}
		if err != nil {
			return err
		}
	}
	return nil
}
