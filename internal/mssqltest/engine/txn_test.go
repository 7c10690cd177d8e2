package engine_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"tidemark/internal/mssqltest/engine"
	"tidemark/internal/mssqltest/tds"
)

const table = "CREATE TABLE t (id int PRIMARY KEY, x int NULL, rv rowversion, INDEX ix (x))"

// later runs f and gives its result; the test goes on only when f waits for a
// lock, which nobody else does at that time.
func (s *server) later(f func() error) (wait func() error) {
	done := make(chan error, 1)
	go func() { done <- f() }()
	for s.db.Waiting() == 0 {
		select {
		case err := <-done:
			return func() error { return errors.Join(errors.New("it did not wait"), err) }
		case <-time.After(time.Millisecond):
		}
	}
	return func() error { return <-done }
}

func TestReadCommittedWaits(t *testing.T) {
	srv := newServer(t, engine.DatabaseOptions{})
	a, b := srv.session(t), srv.session(t)
	a.exec(table, "INSERT INTO t (id, x) VALUES (1, 1), (2, 2), (3, 3)", "BEGIN TRAN; UPDATE t SET x = 20 WHERE id = 2")
	if got := b.query("SELECT x FROM t WHERE id = 3"); got != "3" {
		t.Errorf("a row that nobody holds: %s", got)
	}
	for _, q := range []string{"SELECT x FROM t", "SELECT id FROM t WHERE x = 20", "SELECT id FROM t WHERE x = 2", "SELECT id FROM t ORDER BY id DESC"} {
		if _, err := b.try("SET LOCK_TIMEOUT 10; " + q); number(err) != 1222 {
			t.Errorf("%s: %v", q, err)
		}
	}
	if got := b.query("SELECT id FROM t WITH (READPAST)"); got != "1 3" {
		t.Errorf("READPAST: %s", got)
	}
	b.exec("SET LOCK_TIMEOUT -1")
	var got string
	wait := srv.later(func() error { got = b.query("SELECT x FROM t"); return nil })
	a.exec("COMMIT")
	if err := wait(); err != nil || got != "1 20 3" {
		t.Error(got, err)
	}
	a.exec("BEGIN TRAN; DELETE FROM t WHERE id = 1; INSERT INTO t (id) VALUES (0)")
	wait = srv.later(func() error { got = b.query("SELECT id FROM t"); return nil })
	a.exec("ROLLBACK")
	if err := wait(); err != nil || got != "1 2 3" {
		t.Error(got, err)
	}
}

func TestReadCommittedSnapshot(t *testing.T) {
	srv := newServer(t, engine.DatabaseOptions{ReadCommittedSnapshot: true})
	a, b := srv.session(t), srv.session(t)
	a.exec(table, "INSERT INTO t (id, x) VALUES (1, 1), (2, 2)", "BEGIN TRAN; UPDATE t SET x = 20 WHERE id = 2; DELETE FROM t WHERE id = 1; INSERT INTO t (id, x) VALUES (3, 3)")
	for q, want := range map[string]string{
		"SELECT id, x FROM t":                 "1|1 2|2",
		"SELECT id FROM t WHERE x = 2":        "2",
		"SELECT COUNT(*) FROM t WHERE x = 20": "0",
	} {
		if got := b.query(q); got != want {
			t.Errorf("%s: %s, want %s", q, got, want)
		}
	}
	if _, err := b.try("SET LOCK_TIMEOUT 10; SELECT id FROM t WITH (READCOMMITTEDLOCK)"); number(err) != 1222 {
		t.Error(err)
	}
	if _, err := b.try("SET LOCK_TIMEOUT 10; UPDATE t SET x = 0 WHERE id = 2"); number(err) != 1222 {
		t.Error(err)
	}
	a.exec("COMMIT")
	if got := b.query("SELECT id, x FROM t"); got != "2|20 3|3" {
		t.Error(got)
	}
}

func TestSnapshotIsolation(t *testing.T) {
	srv := newServer(t, engine.DatabaseOptions{AllowSnapshot: true})
	a, b := srv.session(t), srv.session(t)
	a.exec(table, "INSERT INTO t (id, x) VALUES (1, 1), (2, 2)")
	b.exec("SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN")
	a.exec("INSERT INTO t (id, x) VALUES (3, 3)")
	if got := b.query("SELECT COUNT(*) FROM t"); got != "3" {
		t.Errorf("the snapshot is of the first read, not of BEGIN: %s", got)
	}
	a.exec("UPDATE t SET x = x + 10", "DELETE FROM t WHERE id = 1", "INSERT INTO t (id) VALUES (4)", "UPDATE t SET id = 5 WHERE id = 2")
	for q, want := range map[string]string{
		"SELECT id, x FROM t":                      "1|1 2|2 3|3",
		"SELECT id FROM t WHERE x = 2":             "2",
		"SELECT id FROM t WHERE x > 5":             "",
		"SELECT id FROM t WHERE x >= 1 ORDER BY x": "1 2 3",
	} {
		if got := b.query(q); got != want {
			t.Errorf("%s: %s, want %s", q, got, want)
		}
	}
	b.exec("INSERT INTO t (id, x) VALUES (6, 6)")
	if _, err := b.try("UPDATE t SET x = 0 WHERE id = 3"); number(err) != 3960 || b.Transaction() != 0 {
		t.Error(err, b.Transaction())
	}
	if got := b.query("SELECT id, x FROM t"); got != "3|13 4|NULL 5|12" {
		t.Error(got)
	}
	c := newServer(t, engine.DatabaseOptions{}).session(t)
	c.exec(table)
	if _, err := c.try("SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN; SELECT id FROM t"); number(err) != 3952 {
		t.Error(err)
	}
}

func TestDefinitionsAndSnapshots(t *testing.T) {
	srv := newServer(t, engine.DatabaseOptions{AllowSnapshot: true})
	a, b := srv.session(t), srv.session(t)
	a.exec(table, "INSERT INTO t (id) VALUES (1)", "CREATE TABLE u (id int)")
	b.exec("SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN; SELECT id FROM u")
	a.exec("ALTER TABLE t ADD y int NULL")
	if _, err := b.try("SELECT id FROM t"); number(err) != 3961 {
		t.Error(err)
	}
}

func TestDefinitionsWait(t *testing.T) {
	srv := newServer(t, engine.DatabaseOptions{})
	a, b, c := srv.session(t), srv.session(t), srv.session(t)
	a.exec(table, "INSERT INTO t (id) VALUES (1), (2)", "BEGIN TRAN; UPDATE t SET x = 1 WHERE id = 1")
	wait := srv.later(func() error { _, err := b.try("ALTER TABLE t ADD y int NULL"); return err })
	if _, err := c.try("SET LOCK_TIMEOUT 10; SELECT id FROM t WHERE id = 2"); number(err) != 1222 {
		t.Errorf("a reader passed a change that waits: %v", err)
	}
	a.exec("COMMIT")
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if got := c.query("SELECT id, y FROM t"); got != "1|NULL 2|NULL" {
		t.Error(got)
	}
	// A reader that has begun keeps its table until its end.
	r := &recorder{}
	started, resume := make(chan struct{}), make(chan struct{})
	var once sync.Once
	r.onRow = func() { once.Do(func() { close(started); <-resume }) }
	done := make(chan error, 1)
	go func() { done <- a.Batch(context.Background(), "SELECT id FROM t", nil, r) }()
	<-started
	wait = srv.later(func() error { _, err := b.try("DROP TABLE t"); return err })
	close(resume)
	if err := errors.Join(<-done, wait()); err != nil || len(r.rows) != 2 {
		t.Error(err, r.rows)
	}
	if _, err := a.try("SELECT id FROM t"); number(err) != 208 {
		t.Error(err)
	}
}

func TestDeadlock(t *testing.T) {
	for _, c := range []struct {
		name         string
		a, b         string // SET before
		extra        string // more work of a
		victimIsLast bool
	}{
		{"same work: who closes the circle", "", "", "", true},
		{"less work", "", "", "INSERT INTO t (id) VALUES (7), (8), (9);", true},
		{"priority", "SET DEADLOCK_PRIORITY LOW", "", "INSERT INTO t (id) VALUES (7), (8), (9);", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := newServer(t, engine.DatabaseOptions{})
			a, b := srv.session(t), srv.session(t)
			a.exec(table, "INSERT INTO t (id, x) VALUES (1, 1), (2, 2)")
			if c.a != "" {
				a.exec(c.a)
			}
			a.exec("BEGIN TRAN; UPDATE t SET x = 10 WHERE id = 1; " + c.extra)
			b.exec("BEGIN TRAN; UPDATE t SET x = 20 WHERE id = 2")
			wait := srv.later(func() error { _, err := a.try("UPDATE t SET x = 11 WHERE id = 2"); return err })
			_, errB := b.try("UPDATE t SET x = 21 WHERE id = 1")
			victim, other, errV := b, a, errB
			var errO error
			if c.victimIsLast {
				errO = wait()
			} else {
				victim, other, errV, errO = a, b, wait(), errB
			}
			if number(errV) != 1205 || errO != nil || victim.Transaction() != 0 || other.Transaction() == 0 {
				t.Errorf("victim %v, other %v", errV, errO)
			}
			other.exec("COMMIT")
		})
	}
}

func TestFailedStatementsLeaveNothing(t *testing.T) {
	srv := newServer(t, engine.DatabaseOptions{})
	s := srv.session(t)
	s.exec(table, "CREATE UNIQUE INDEX ux ON t (x)", "INSERT INTO t (id, x) VALUES (5, 5)", "BEGIN TRAN; INSERT INTO t (id, x) VALUES (1, 1)")
	if _, err := s.try("INSERT INTO t (id, x) VALUES (2, 2), (3, 3), (5, 6)"); number(err) != 2627 {
		t.Error(err)
	}
	if _, err := s.try("INSERT INTO t (id, x) VALUES (2, 2), (3, 5)"); number(err) != 2601 {
		t.Error(err)
	}
	if _, err := s.try("UPDATE t SET x = 5"); number(err) != 2601 {
		t.Error(err)
	}
	s.exec("UPDATE t SET x = 6 - x") // 5 and 1 change places
	if got := s.query("SELECT id, x, @@TRANCOUNT FROM t"); got != "1|5|1 5|1|1" {
		t.Error(got)
	}
	s.exec("SET XACT_ABORT ON")
	if _, err := s.try("INSERT INTO t (id) VALUES (1)"); number(err) != 2627 || s.Transaction() != 0 {
		t.Error(err, s.Transaction())
	}
	if got := s.query("SELECT id, x FROM t"); got != "5|5" {
		t.Error(got)
	}
}

func TestSettingsOfParameterizedBatchesRevert(t *testing.T) {
	s := newServer(t, engine.DatabaseOptions{}).session(t)
	p := param(t, "@a", tds.Type{Kind: tds.Int}, int64(1))
	if got := s.query("SET LOCK_TIMEOUT 5; SELECT @@LOCK_TIMEOUT", p); got != "5" {
		t.Error(got)
	}
	if got := s.query("SELECT @@LOCK_TIMEOUT"); got != "-1" {
		t.Error(got)
	}
	if _, err := s.try("BEGIN TRAN; SELECT @a", p); number(err) != 266 || s.Transaction() == 0 {
		t.Error(err)
	}
	if err := s.Reset(context.Background()); err != nil || s.Transaction() != 0 {
		t.Error(err)
	}
}

func TestKill(t *testing.T) {
	srv := newServer(t, engine.DatabaseOptions{})
	a, b := srv.session(t), srv.session(t)
	a.exec(table, "INSERT INTO t (id) VALUES (1)", "BEGIN TRAN; DELETE FROM t")
	wait := srv.later(func() error { _, err := b.try("SELECT id FROM t"); return err })
	if !srv.e.Kill(51) {
		t.Fatal("no session 51")
	}
	if err := wait(); err != nil {
		t.Error(err)
	}
	if _, err := a.try("SELECT 1"); number(err) != 596 {
		t.Error(err)
	}
	if got := b.query("SELECT id FROM t"); got != "1" {
		t.Error(got)
	}
}

func TestCancel(t *testing.T) {
	srv := newServer(t, engine.DatabaseOptions{})
	a, b := srv.session(t), srv.session(t)
	a.exec(table, "BEGIN TRAN; INSERT INTO t (id) VALUES (1)")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := b.Batch(ctx, "SELECT id FROM t", nil, &recorder{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	ctx2, cancel2 := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel2()
	if err := b.Batch(ctx2, "WAITFOR DELAY '01:00:00'", nil, &recorder{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// Versions that a snapshot kept alive go with it. Where it ends while another
// transaction has the row in hand, they go when that rolls back.
func TestRollbackPrunesWhatASnapshotLeft(t *testing.T) {
	srv := newServer(t, engine.DatabaseOptions{AllowSnapshot: true})
	a, b, snap := srv.session(t), srv.session(t), srv.session(t)
	a.exec(table)
	snap.exec("SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN; SELECT id FROM t")
	a.exec("INSERT INTO t (id, x) VALUES (1, 0), (2, 0)", "UPDATE t SET x = 1")
	b.exec("BEGIN TRAN; UPDATE t SET x = 5; UPDATE t SET x = 6 WHERE id = 1")
	snap.exec("COMMIT")
	b.exec("ROLLBACK")
	if rows, versions, entries := srv.db.Held("dbo.t"); rows != 2 || versions != 2 || entries != 2 {
		t.Errorf("%d rows, %d versions, %d entries left for 2 rows", rows, versions, entries)
	}
}
