package tds_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"

	"tidemark/internal/mssqltest/tds"
)

// Result sets, counts, messages and an error come in one answer, to a batch
// and to a call alike.
func TestSeveralResults(t *testing.T) {
	f := serve(t, tds.Options{}, func(_ context.Context, _ string, _ []tds.Param, w tds.Writer) error {
		two := []tds.Column{{Name: "a", Type: intType}, {Name: "b", Type: intType, Nullable: true}}
		if err := w.Row(nil); err == nil {
			t.Error("a row without columns was taken")
		}
		err := errors.Join(
			w.Done(7, true),
			w.Columns(two[:1]), w.Row([][]byte{value(intType, int64(1))}), w.Done(1, true),
			w.Info(&tds.Error{Number: 5701, Message: "Ж"}),
			w.Columns(two), w.Done(0, true), // empty
			w.Done(0, false),
			w.Columns(two), w.Row([][]byte{value(intType, int64(2)), value(intType, nil)}))
		if w.Columns(two) == nil || w.Row([][]byte{{0}}) == nil || w.Row([][]byte{{0}, {4, 0}}) == nil {
			t.Error("a wrong order of calls or a wrong row was taken")
		}
		return errors.Join(err, w.Done(1, true), &tds.Error{Number: 547, State: 3, Class: 16, Message: "conflict"})
	})
	db := f.open(t, login)
	for _, args := range [][]any{nil, {1}} {
		sets, found, err := shape(deadline(t), db, args)
		if diff := cmp.Diff([]int{1, 2, 2}, sets); diff != "" {
			t.Error("columns", diff)
		}
		if diff := cmp.Diff([]int{1, 0, 1}, found); diff != "" {
			t.Error("rows", diff)
		}
		var e mssql.Error
		if !errors.As(err, &e) || e.Number != 547 || e.State != 3 || e.Class != 16 || e.Message != "conflict" || e.ServerName != "mssqltest" {
			t.Errorf("error %#v", err)
		}
	}
}

// shape counts the columns and the rows of every result set.
func shape(ctx context.Context, db *sql.DB, args []any) (columns, found []int, err error) {
	rows, err := db.QueryContext(ctx, "select many", args...)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	for ok := true; ok; ok = rows.NextResultSet() {
		cols, err := rows.Columns()
		if err != nil {
			return nil, nil, err
		}
		n := 0
		for rows.Next() {
			n++
		}
		columns, found = append(columns, len(cols)), append(found, n)
	}
	return columns, found, rows.Err()
}

func TestRowsAffected(t *testing.T) {
	f := serve(t, tds.Options{}, func(_ context.Context, _ string, _ []tds.Param, w tds.Writer) error {
		return errors.Join(w.Done(3, true), w.Done(0, false), w.Done(4, true))
	})
	for _, args := range [][]any{nil, {1}} {
		r, err := f.open(t, login).ExecContext(deadline(t), "update t", args...)
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := r.RowsAffected(); n != 7 {
			t.Errorf("%d rows, want 7", n)
		}
	}
}

func TestErrors(t *testing.T) {
	var answer error
	f := serve(t, tds.Options{}, func(context.Context, string, []tds.Param, tds.Writer) error { return answer })
	ctx := deadline(t)
	db := f.open(t, login)
	c, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()

	answer = &tds.Error{Number: 208, State: 1, Class: 16, Message: "Invalid object name 't'."}
	_, err = c.ExecContext(ctx, "select t", 1)
	wantError(t, err, 208, 16, "Invalid object name 't'.")
	answer = &tds.Error{Number: 50000, Class: 16, Message: strings.Repeat("x", 10_000)}
	_, err = c.ExecContext(ctx, "select t")
	wantError(t, err, 50000, 16, strings.Repeat("x", 2047))
	answer = nil
	_, err = c.ExecContext(ctx, "nothing", 1)
	wantError(t, err, 2812, 16, "Could not find stored procedure 'nothing'.")
	var out int
	_, err = c.ExecContext(ctx, "select @a", sql.Named("a", sql.Out{Dest: &out}))
	wantError(t, err, 8009, 16, "output")
	if _, err := c.ExecContext(ctx, "select t"); err != nil {
		t.Errorf("after errors: %v", err)
	}

	// A fatal error reaches the client and ends the connection.
	answer = &tds.Error{Number: 9001, Class: 21, Message: "log unavailable"}
	_, err = c.ExecContext(ctx, "select t")
	wantError(t, err, 9001, 21, "log unavailable")
	answer = nil
	if _, err := c.ExecContext(ctx, "select t"); err == nil {
		t.Error("the connection outlived a fatal error")
	}

	// An error that is no server error ends the connection unsaid.
	broken := errors.New("engine broken")
	answer = broken
	if _, err := db.ExecContext(ctx, "select t"); err == nil {
		t.Error("no error")
	}
	if err := f.ended(t); !errors.Is(err, broken) {
		t.Errorf("ended with %v", err)
	}
}

// A cancelled context stops the handler, is acknowledged, and leaves the
// connection good, wherever in the answer it strikes.
func TestAttention(t *testing.T) {
	for _, sent := range []int{0, 1, 10_000} {
		var cancel context.CancelFunc
		stopped := make(chan error, 1)
		f := serve(t, tds.Options{}, func(ctx context.Context, sql string, p []tds.Param, w tds.Writer) error {
			if sql != "select wait" {
				return numbers(1)(ctx, sql, p, w)
			}
			if sent > 0 {
				if err := numbers(sent)(ctx, sql, p, w); err != nil {
					return err
				}
			}
			cancel()
			<-ctx.Done()
			stopped <- w.Done(1, true)
			return ctx.Err()
		})
		for _, db := range []*sql.DB{f.open(t, login), f.openInMemory(t, login+"encrypt=true;TrustServerCertificate=true")} {
			c, err := db.Conn(deadline(t))
			if err != nil {
				t.Fatal(err)
			}
			var ctx context.Context
			ctx, cancel = context.WithCancel(deadline(t))
			_, err = c.ExecContext(ctx, "select wait")
			if !errors.Is(err, context.Canceled) {
				t.Errorf("after %d rows: %v", sent, err)
			}
			if err := <-stopped; !errors.Is(err, context.Canceled) {
				t.Errorf("the handler could go on: %v", err)
			}
			// After 5 s without an answer the driver would have closed the connection.
			var n int
			if err := c.QueryRowContext(deadline(t), "select n").Scan(&n); err != nil || n != 1 {
				t.Errorf("afterwards: %d, %v", n, err)
			}
			cancel()
			_ = c.Close()
		}
	}
}

// An attention that crosses the end of the answer is acknowledged on its own.
func TestLateAttention(t *testing.T) {
	f := serve(t, tds.Options{}, numbers(100))
	c, err := f.open(t, login).Conn(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for range 50 {
		if err := leave(deadline(t), c); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if err := c.PingContext(deadline(t)); err != nil {
		t.Error(err)
	}
}

// leave reads one row and cancels.
func leave(ctx context.Context, c *sql.Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows, err := c.QueryContext(ctx, "select n")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	rows.Next()
	cancel()
	for rows.Next() {
	}
	return rows.Err()
}

// A slow reader holds the handler back instead of filling memory.
func TestBackPressure(t *testing.T) {
	var written int
	f := serve(t, tds.Options{}, func(_ context.Context, _ string, _ []tds.Param, w tds.Writer) error {
		if err := w.Columns([]tds.Column{{Name: "b", Type: maxType}}); err != nil {
			return err
		}
		v := value(maxType, make([]byte, 1<<20))
		for ; written < 1000; written++ {
			if err := w.Row([][]byte{v}); err != nil {
				return err
			}
		}
		return w.Done(1000, true)
	})
	rows, err := f.openInMemory(t, login+"encrypt=disable").QueryContext(deadline(t), "select b")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	time.Sleep(50 * time.Millisecond)
	if err := f.Close(); err != nil { // ends the handler, so written may be read
		t.Fatal(err)
	}
	if written > 20 {
		t.Errorf("%d rows of 1 MiB left the handler for a client that read one", written)
	}
}
