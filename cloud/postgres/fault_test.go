package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// saboteur is a RowSource that does something before it gives row at.
type saboteur struct {
	cloud.RowSource
	at int
	do func() error
}

func (s *saboteur) Next() (cloud.Row, error) {
	row, err := s.RowSource.Next()
	if err == nil && row.Index == s.at {
		err = s.do()
	}
	return row, err
}

// endStore ends the store's connections at the server.
func endStore(t *testing.T, conn *pgx.Conn) error {
	t.Helper()
	_, err := conn.Exec(context.Background(), "SELECT pg_terminate_backend(pid, 600000) FROM pg_stat_activity WHERE application_name = 'tidemark-cloud'")
	return err
}

// A backend that dies in the middle of a batch leaves nothing of it, and the
// same batch is applied when it comes again.
func TestBackendEndsInTheMiddleOfABatch(t *testing.T) {
	for _, loaded := range []bool{false, true} { // straight into the table, and by way of the stage
		t.Run(fmt.Sprintf("loaded=%t", loaded), func(t *testing.T) {
			s, conn := open(t, postgres.Options{})
			acme := newSite(t, s, "acme", "dbo.orders", narrow)
			if acme.load(nil, 1); loaded {
				acme.apply(wire.Delta, stringsOf(narrowRows(1, 10, 1))...)
			}
			idle(t, conn)
			before, err := s.Table(t.Context(), "acme", "dbo.orders")
			if err != nil {
				t.Fatal(err)
			}
			b := acme.batch(wire.Delta, narrowRows(5, 20_000, 1000))
			good := b.Rows
			b.Rows = &saboteur{good, 15_000, func() error { return endStore(t, conn) }}
			if _, err := s.Apply(t.Context(), b); !errors.Is(err, cloud.ErrUnavailable) {
				t.Fatalf("the error is %v", err)
			}
			idle(t, conn)
			for s.Ready(t.Context()) != nil { // upkeep may have had connections, too
			}
			after, err := s.Table(t.Context(), "acme", "dbo.orders")
			if err != nil || after.Version != before.Version || len(acme.rows()) != int(before.Version.Rows) {
				t.Errorf("%+v, %v: it was %+v", after, err, before)
			}
			b.Rows = good
			if a, err := s.Apply(t.Context(), b); err != nil || a.Inserted+a.Updated != 20_000 || a.Replayed {
				t.Errorf("%+v, %v", a, err)
			}
			if a, err := s.Apply(t.Context(), b); err != nil || a.Inserted+a.Updated != 20_000 || !a.Replayed {
				t.Errorf("again: %+v, %v", a, err)
			}
		})
	}
}

// A body that turns out bad leaves nothing, and its error comes out.
func TestSourceFailsInTheMiddle(t *testing.T) {
	s, _ := open(t, postgres.Options{Connections: 1})
	acme := newSite(t, s, "acme", "dbo.orders", narrow)
	acme.load(nil, 1)
	bad := errors.New("the body ends here")
	b := acme.batch(wire.Delta, narrowRows(1, 5000, 1))
	good := b.Rows
	b.Rows = &saboteur{good, 4000, func() error { return bad }}
	if _, err := s.Apply(t.Context(), b); !errors.Is(err, bad) || errors.Is(err, cloud.ErrUnavailable) {
		t.Fatalf("the error is %v", err)
	}
	b.Rows = good
	if a, err := s.Apply(t.Context(), b); err != nil || a.Inserted != 5000 {
		t.Errorf("%+v, %v", a, err)
	}
}

// What Postgres cannot store in a version is the sender's mistake.
func TestHeaderWithNUL(t *testing.T) {
	s, _ := open(t, postgres.Options{})
	acme := newSite(t, s, "acme", "t", "id int")
	b := acme.batch(wire.Load, nil)
	cursor := "a\x00b"
	b.Header.Start, b.Header.Cursor = true, &cursor
	_, err := s.Apply(t.Context(), b)
	var p *wire.Problem
	if !errors.As(err, &p) || p.Code != wire.Malformed {
		t.Errorf("the error is %v", err)
	}
}

// Of two batches with one number one is applied; the other is its replay or a
// conflict.
func TestTwoBatchesAtOnce(t *testing.T) {
	s, _ := open(t, postgres.Options{})
	acme := newSite(t, s, "acme", "dbo.orders", narrow)
	acme.load(narrowRows(1, 100, 1), 100)
	for round := range 10 {
		one := acme.batch(wire.Delta, narrowRows(1, 100, uint64(1000*(round+1))))
		other := one
		other.Rows = &lines{types: one.Rows.(*lines).types, text: one.Rows.(*lines).text}
		if round%2 == 1 {
			other.Header.ID = fmt.Sprintf("%032x", 1<<40)
		}
		var wg sync.WaitGroup
		answers, errs := make([]wire.Answer, 2), make([]error, 2)
		for i, b := range []cloud.Batch{one, other} {
			wg.Go(func() { answers[i], errs[i] = s.Apply(t.Context(), b) })
		}
		wg.Wait()
		var problem *wire.Problem
		switch err := errors.Join(errs...); {
		case round%2 == 0 && (err != nil || answers[0].Replayed == answers[1].Replayed || answers[0].Updated != 100 || answers[1].Updated != 100):
			t.Errorf("same batch: %+v, %v", answers, err)
		case round%2 == 1 && (!errors.As(err, &problem) || problem.Code != wire.WrongSequence || answers[0].Updated+answers[1].Updated != 100):
			t.Errorf("two batches: %+v, %v", answers, err)
		}
	}
}

// Many customers share tables and few connections.
func TestManyCustomersAtOnce(t *testing.T) {
	s, _ := open(t, postgres.Options{Connections: 4})
	var wg sync.WaitGroup
	for i := range 16 {
		at := newSite(t, s, fmt.Sprint("c", i), fmt.Sprint("table ", i%12), "id int; v int") // more tables than a connection stages
		wg.Go(func() {
			at.load(nil, 1)
			for round := range 10 {
				var rows []string
				for id := range 50 {
					rows = append(rows, fmt.Sprintf(`["%d",%d,%d]`, 1000*(round+1)+id, id+round, round))
				}
				a := at.apply(wire.Delta, rows...)
				if want := int64(50 + round); a.Version.Rows != want {
					t.Errorf("customer %d, round %d: %d rows, not %d", i, round, a.Version.Rows, want)
				}
			}
		})
	}
	wg.Wait()
}

// A lock that somebody holds for a moment is waited for; one that is held for
// long makes the store unavailable.
func TestLocks(t *testing.T) {
	s, conn := open(t, postgres.Options{})
	acme := newSite(t, s, "acme", "t", "id int; v int")
	acme.load([][]byte{[]byte(`["1",1,1]`)}, 1)
	hurried, err := postgres.Open(t.Context(), dsnOf(conn), patient(postgres.Options{Connections: 2, LockTimeout: 50 * time.Millisecond}))
	if err != nil {
		t.Fatal(err)
	}
	defer hurried.Close()
	idle(t, conn) // what upkeep waits for is not looked at
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "UPDATE data.t SET v = v"); err != nil {
		t.Fatal(err)
	}
	b := acme.batch(wire.Delta, [][]byte{[]byte(`["2",1,2]`)})
	if _, err := hurried.Apply(t.Context(), b); !errors.Is(err, cloud.ErrUnavailable) {
		t.Errorf("the error is %v", err)
	}
	var answer wire.Answer
	var applying sync.WaitGroup
	applying.Go(func() { answer, err = s.Apply(t.Context(), b) })
	for waiting := 0; waiting == 0; time.Sleep(5 * time.Millisecond) {
		if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'").Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if applying.Wait(); err != nil || answer.Updated != 1 {
		t.Errorf("%+v, %v", answer, err)
	}
}
