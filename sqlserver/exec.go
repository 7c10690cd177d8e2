package sqlserver

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// A statement is constant text with the parameters of one call. Parameters
// are named and of few fixed types (see arg), so that the server's plan cache
// holds one plan for each text.
type statement struct {
	text   string
	args   []driver.NamedValue
	limits Limits
	level  isolation
}

// param makes a named parameter; its name goes without the @.
func param(name string, value driver.Value) driver.NamedValue {
	return driver.NamedValue{Name: name, Value: value}
}

// rows is one running batch: go-mssqldb's rows, without database/sql between,
// which would copy and convert every value.
type rows struct {
	driver.Rows
	values []driver.Value // of the current row; its slices are valid until the next
	read   int            // rows read so far
}

// begin makes room for the rows of the current result set.
func (r *rows) begin() {
	n := len(r.Columns())
	if cap(r.values) < n {
		r.values = make([]driver.Value, n)
	}
	r.values = r.values[:n]
}

// next reads a row into r.values. It returns io.EOF at the end of a result
// set.
func (r *rows) next() error {
	err := r.Next(r.values)
	if err == nil {
		r.read++
	}
	return err
}

// nextSet moves to the next result set and returns io.EOF behind the last.
func (r *rows) nextSet() error {
	set, ok := r.Rows.(driver.RowsNextResultSet)
	if !ok || !set.HasNextResultSet() {
		return io.EOF
	}
	if err := set.NextResultSet(); err != nil {
		return err
	}
	r.begin()
	return nil
}

// errStop is returned by a reader of rows that has enough. The rest of the
// answer is cancelled and the connection kept.
var errStop = errors.New("enough rows")

// run sends st and gives its answer to read, under the statement's deadline.
// A connection that saw an error is closed, not used again: the driver cannot
// always find back to the beginning of the next answer. A broken connection
// is replaced once more than the pool can hold, as long as no row was read:
// the pool may be full of connections that a restart of the server broke.
func (s *Source) run(ctx context.Context, st statement, read func(*rows) error) error {
	text := s.settings(st.limits, st.level) + st.text
	for attempt := 0; ; attempt++ {
		n, err := s.runOnce(ctx, text, st, read)
		if err == nil || n > 0 || ctx.Err() != nil || attempt > s.db.Stats().MaxOpenConnections || !isBroken(err) {
			return err
		}
	}
}

func (s *Source) runOnce(ctx context.Context, text string, st statement, read func(*rows) error) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, st.limits.StatementTimeout)
	defer cancel()
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	var failure error
	raw := conn.Raw(func(c any) error {
		n, failure = query(ctx, c, text, st.args, read)
		if failure != nil {
			return driver.ErrBadConn // makes database/sql close it
		}
		return nil
	})
	_ = conn.Close() // gives it back; a bad one is closed already
	switch {
	case failure != nil && ctx.Err() != nil && !errors.Is(failure, ctx.Err()):
		return n, fmt.Errorf("%w: %w", ctx.Err(), failure)
	case failure != nil:
		return n, failure
	}
	return n, raw
}

func query(ctx context.Context, conn any, text string, args []driver.NamedValue, read func(*rows) error) (n int, err error) {
	prepared, err := conn.(driver.Conn).Prepare(text) // local: nothing is sent
	if err != nil {
		return 0, err
	}
	q, ok := prepared.(driver.StmtQueryContext)
	if !ok {
		return 0, fmt.Errorf("%T cannot be given a context", prepared)
	}
	answer, err := q.QueryContext(ctx, args)
	if err != nil {
		return 0, err
	}
	r := &rows{Rows: answer}
	r.begin()
	err = read(r)
	if err == nil {
		err = drain(r)
	}
	closed := answer.Close()
	if errors.Is(err, errStop) {
		err = nil
	}
	if err == nil {
		err = closed
	}
	return r.read, err
}

// drain reads what read left, because an error may come behind the rows.
func drain(r *rows) error {
	for {
		err := r.next()
		for err == nil {
			err = r.next()
		}
		if !errors.Is(err, io.EOF) {
			return err
		}
		if err = r.nextSet(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// eachRow calls f for every row of the current result set.
func (r *rows) eachRow(f func([]driver.Value) error) error {
	for {
		err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err = f(r.values); err != nil {
			return err
		}
	}
}
