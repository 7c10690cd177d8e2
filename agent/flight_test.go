package agent_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"tidemark/agent"
	"tidemark/internal/mssqltest/engine"
)

// TestTransactionsInFlight commits transactions in another order than their
// row versions were given out: what a watermark of MAX(rv) loses.
func TestTransactionsInFlight(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL); CREATE INDEX ix ON {s}.t (rv)")
	r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES (1, 1), (2, 2)")
	r.sync("t").start()
	r.settles("t")

	slow, err := r.db.SQL.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Rollback() }() // after the commit it does nothing
	if _, err := slow.ExecContext(t.Context(), r.db.Expand("INSERT INTO {s}.t (id, v) VALUES (3, 3)")); err != nil {
		t.Fatal(err)
	}
	r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES (4, 4)") // above, committed first
	r.forget()
	r.until("some cycles", func() bool { return len(r.decisions("t")) > 8 })
	if w := r.version("t").Watermark; w >= r.highest("t") {
		t.Fatalf("the watermark %d has passed an open transaction: the row committed above it has %d", w, r.highest("t"))
	}
	if err := slow.Commit(); err != nil {
		t.Fatal(err)
	}
	r.settles("t")
	r.quiet("t")
}

// highest is the highest committed row version of a table.
func (r *rig) highest(name string) uint64 {
	r.t.Helper()
	var high int64
	err := r.db.SQL.QueryRowContext(r.t.Context(), r.db.Expand("SELECT CONVERT(bigint, MAX(rv)) FROM {s}."+name)).Scan(&high)
	if err != nil {
		r.t.Fatal(err)
	}
	return uint64(high)
}

// TestConcurrentWriters has several sessions write for a while, in
// transactions that take their time, and ends with both sides equal.
func TestConcurrentWriters(t *testing.T) {
	onStores(t, func(t *testing.T, r *rig) {
		r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL); CREATE INDEX ix ON {s}.t (rv)")
		r.db.Exec(t, "CREATE TABLE {s}.u (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)")
		r.sync("t", "u").start()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		var writers sync.WaitGroup
		for w := range 4 {
			writers.Go(func() { r.write(ctx, w) })
		}
		writers.Wait()
		r.settles("t", "u")
		r.quiet("t")
		r.quiet("u")
	})
}

// write changes random rows of {s}.t and {s}.u, a few in each transaction.
func (r *rig) write(ctx context.Context, writer int) {
	random := rand.New(rand.NewPCG(uint64(writer), 1))
	for n := 0; ctx.Err() == nil; n++ {
		tx, err := r.db.SQL.BeginTx(context.WithoutCancel(ctx), nil)
		if err != nil {
			r.t.Error(err)
			return
		}
		for range 1 + random.IntN(4) {
			table, id := []string{"t", "u"}[random.IntN(2)], random.IntN(200)*4+writer // a writer's own rows: no deadlocks
			text := fmt.Sprintf("UPDATE {s}.%[1]s SET v = %[3]d WHERE id = %[2]d; IF @@ROWCOUNT = 0 INSERT INTO {s}.%[1]s (id, v) VALUES (%[2]d, %[3]d)", table, id, n)
			if random.IntN(4) == 0 {
				text = fmt.Sprintf("DELETE FROM {s}.%s WHERE id = %d", table, id)
			}
			if _, err := tx.ExecContext(context.WithoutCancel(ctx), r.db.Expand(text)); err != nil {
				r.t.Errorf("%s: %v", text, err)
			}
			time.Sleep(time.Duration(random.IntN(3)) * time.Millisecond)
		}
		end := tx.Commit
		if random.IntN(5) == 0 {
			end = tx.Rollback
		}
		if err := end(); err != nil {
			r.t.Error(err)
		}
	}
}

// TestOneLargeTransaction writes a hundred thousand rows in one transaction:
// their row versions are dense, and, where a server gives all rows of a
// statement the same one, equal.
func TestOneLargeTransaction(t *testing.T) {
	for _, index := range []bool{true, false} {
		t.Run(fmt.Sprintf("index %v", index), func(t *testing.T) {
			r := newRig(t)
			r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)")
			if index {
				r.db.Exec(t, "CREATE INDEX ix ON {s}.t (rv)")
			}
			r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES (0, 0)")
			r.sync("t").table(func(s *agent.TableSite) { s.Limits.ChunkRows = 20_000 }).start()
			r.settles("t")
			tx, err := r.db.SQL.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			for n := 1; n < 100_000; n *= 2 { // doubles the table
				text := fmt.Sprintf("INSERT INTO {s}.t (id, v) SELECT id + %d, v + 1 FROM {s}.t WHERE id < %d", n, 100_000-n)
				if _, err := tx.ExecContext(t.Context(), r.db.Expand(text)); err != nil {
					t.Fatal(err)
				}
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			r.until("all rows are there", func() bool { return r.version("t").Rows == 100_000 })
			r.settles("t")
		})
	}
}

// TestEqualRowVersions has all rows of a transaction share one row version, as
// SELECT INTO, bulk loads and compatible servers make them, across the ends of
// chunks.
func TestEqualRowVersions(t *testing.T) {
	for _, index := range []string{"", "; CREATE INDEX ix ON {s}.t (rv)"} {
		t.Run("index"+index, func(t *testing.T) {
			r := newRig(t)
			stand := r.db.StandIn(t, "give all rows of a transaction the same row version")
			stand.DB().SetOptions(engine.DatabaseOptions{AllowSnapshot: true, EqualRowVersions: engine.PerTransaction})
			r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)"+index)
			r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES (0, 0)")
			r.sync("t").table(func(s *agent.TableSite) { s.Limits.ChunkRows = 64 }).start()
			r.settles("t")
			for n := 1; n < 1000; n *= 2 {
				r.db.Exec(t, fmt.Sprintf("INSERT INTO {s}.t (id, v) SELECT id + %d, v FROM {s}.t", n))
			}
			r.settles("t")
			r.db.Exec(t, "UPDATE {s}.t SET v = v + 1")
			r.settles("t")
			r.quiet("t")
		})
	}
}
