package sqlserver

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"
)

// A statement is constant text with the parameters of one call. Parameters
// are named and of few fixed types (see arg), so that the server's plan cache
// holds one plan for each text.
type statement struct {
	text   string
	args   []driver.NamedValue
	limits Limits
	level  isolation
	// dialect is nil for that of the source's facts.
	dialect *dialect
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

// next reads a row into r.values; more is false at the end of a result set.
// The driver says that by a bare io.EOF; one within another error is that of
// the network.
func (r *rows) next() (more bool, err error) {
	err = r.Next(r.values)
	if err == nil {
		r.read++
		return true, nil
	}
	if err == io.EOF { //nolint:errorlint // see above
		return false, nil
	}
	return false, driverError(err)
}

// nextSet moves to the next result set; more is false behind the last.
func (r *rows) nextSet() (more bool, err error) {
	set, ok := r.Rows.(driver.RowsNextResultSet)
	if !ok || !set.HasNextResultSet() {
		return false, nil
	}
	if err := set.NextResultSet(); err != nil {
		return false, driverError(err)
	}
	r.begin()
	return true, nil
}

// needSet is nextSet where another result set was asked for.
func (r *rows) needSet() error {
	more, err := r.nextSet()
	if err == nil && !more {
		err = errShort
	}
	return err
}

// errShort is the error for an answer with fewer parts than asked for.
var errShort = fmt.Errorf("the answer has fewer parts than were asked for: %w", io.ErrUnexpectedEOF)

// errStop is returned by a reader of rows that has enough. The rest of the
// answer is cancelled and the connection kept.
var errStop = errors.New("enough rows")

// run sends st and gives its answer to read, all under the statement's
// deadline. A connection that saw an error is closed, not used again: the
// driver cannot always find back to the beginning of the next answer. A broken
// connection is replaced once more than the pool can hold, as long as no row
// was read: the pool may be full of connections that a restart of the server
// broke.
func (s *Source) run(ctx context.Context, st statement, read func(*rows) error) error {
	ctx, cancel := context.WithTimeout(ctx, st.limits.StatementTimeout)
	defer cancel()
	d := st.dialect
	if d == nil {
		d = s.dialect()
	}
	text := d.head(st.limits, st.level) + d.body(st.text)
	for attempt := 0; ; attempt++ {
		n, err := s.runOnce(ctx, text, st.args, read)
		if err == nil || n > 0 || ctx.Err() != nil || attempt > s.db.Stats().MaxOpenConnections || !isBroken(err) {
			return err
		}
	}
}

func (s *Source) runOnce(ctx context.Context, text string, args []driver.NamedValue, read func(*rows) error) (n int, err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	var failure error
	raw := conn.Raw(func(c any) error {
		var clean bool
		n, clean, failure = query(ctx, c.(*session), text, args, read)
		if !clean {
			return driver.ErrBadConn // makes database/sql close the session
		}
		return nil
	})
	_ = conn.Close() // gives it back; a bad one is closed already
	switch {
	case failure != nil && ctx.Err() != nil && !errors.Is(failure, ctx.Err()):
		return n, fmt.Errorf("%w: %w", ctx.Err(), failure)
	case failure != nil:
		return n, failure
	case errors.Is(raw, driver.ErrBadConn):
		return n, nil
	}
	return n, raw
}

// query runs one batch on a connection. clean tells that the connection can be
// used again: nothing went wrong on it, and nothing of the answer is left.
func query(ctx context.Context, conn *session, text string, args []driver.NamedValue, read func(*rows) error) (n int, clean bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer conn.net.guard(ctx)()
	prepared, err := conn.Prepare(text) // local: nothing is sent
	if err != nil {
		return 0, false, err
	}
	q, ok := prepared.(driver.StmtQueryContext)
	if !ok {
		return 0, false, fmt.Errorf("%T cannot be given a context", prepared)
	}
	answer, err := ask(ctx, q, args)
	if err != nil {
		return 0, false, driverError(err)
	}
	r := &rows{Rows: answer}
	r.begin()
	err = r.all(read)
	if errors.Is(err, errStop) { // what was read is good, whatever becomes of the rest
		cancel()
		return r.read, conn.end(answer) == nil, nil
	}
	closed := conn.end(answer)
	if err == nil {
		err = driverError(closed)
	}
	return r.read, err == nil, err
}

// all gives the answer to read, and reads what it leaves.
func (r *rows) all(read func(*rows) error) (err error) {
	defer panicked(&err)
	if err := read(r); err != nil {
		return err
	}
	return drain(r)
}

func ask(ctx context.Context, q driver.StmtQueryContext, args []driver.NamedValue) (answer driver.Rows, err error) {
	defer panicked(&err)
	return q.QueryContext(ctx, args)
}

func closeAnswer(answer driver.Rows) (err error) {
	defer panicked(&err)
	return answer.Close()
}

// end closes an answer. Where its rest cannot be read, the network is closed,
// and the driver's reader is waited for: it would wait for ever for somebody
// to take what it has.
func (s *session) end(answer driver.Rows) error {
	err := closeAnswer(answer)
	if err == nil {
		return nil
	}
	s.net.close()
	patience := time.NewTicker(time.Millisecond)
	defer patience.Stop()
	for range 100 {
		if closeAnswer(answer) == nil {
			break
		}
		<-patience.C
	}
	return err
}

// drain reads what read left, because an error may come behind the rows.
func drain(r *rows) error {
	for {
		if err := r.eachRow(func([]driver.Value) error { return nil }); err != nil {
			return err
		}
		if more, err := r.nextSet(); err != nil || !more {
			return err
		}
	}
}

// eachRow calls f for every row of the current result set.
func (r *rows) eachRow(f func([]driver.Value) error) error {
	for {
		more, err := r.next()
		if err != nil || !more {
			return err
		}
		if err := f(r.values); err != nil {
			return err
		}
	}
}
