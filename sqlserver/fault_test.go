package sqlserver_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"tidemark/internal/mssqltest"
	"tidemark/internal/wire"
	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
)

// Whatever ends a statement early, the caller gets an error of the right kind
// in time and no row, and the next call works.
func TestFaults(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "fail on purpose")
	db.Exec(t, "CREATE TABLE {s}.f (id int NOT NULL PRIMARY KEY, v nvarchar(max) NULL, rv rowversion NOT NULL)")
	fill(t, db, "f", "id, v", 200, func(i int) string { return fmt.Sprintf("%d, REPLICATE(CONVERT(nvarchar(max), N'x'), 10000)", i) })
	rows := regexp.MustCompile(`FROM \[tm_\w+\]\.\[f\]`)
	var undo func()
	inject := func(f mssqltest.Fault) func() {
		return func() {
			f.Match = rows
			undo = stand.Inject(f)
		}
	}
	network := stand.Network()
	tests := []struct {
		name string
		do   func()
		want sqlserver.Class
	}{
		{"lock time-out", inject(mssqltest.Fault{Err: mssqltest.LockTimeout}), sqlserver.ClassLocked},
		{"deadlock victim after rows", inject(mssqltest.Fault{Err: mssqltest.Deadlock, Rows: 5}), sqlserver.ClassLocked},
		{"restoring", inject(mssqltest.Fault{Err: mssqltest.Restoring}), sqlserver.ClassDatabase},
		{"severe error after rows", inject(mssqltest.Fault{Err: mssqltest.Severe, Rows: 5}), sqlserver.ClassUnreached},
		{"slow", inject(mssqltest.Fault{Delay: time.Minute}), sqlserver.ClassTimeout},
		{"cut between rows", func() { network.CutAfterRows(20) }, sqlserver.ClassUnreached},
		{"cut in a large value", func() { network.CutAfterBytes(100_000) }, sqlserver.ClassUnreached},
		{"hang after an error", func() {
			network.HangAfterError(true)
			undo = stand.Inject(mssqltest.Fault{Match: rows, Err: mssqltest.LockTimeout})
		}, sqlserver.ClassTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := db.Source(t, func(c *sqlserver.Config) { c.Limits.StatementTimeout = 300 * time.Millisecond })
			table := db.Table(t, s, "f")
			probe(t, s)
			r := s.Reader(table, sqlserver.Limits{StatementTimeout: 300 * time.Millisecond})
			undo = func() {}
			tt.do()
			out := wire.Lines{Buf: []byte("before\n"), N: 1}
			start := time.Now()
			_, err := r.Load(t.Context(), "", &out)
			took := time.Since(start)
			network.Clear()
			undo()
			if class, _ := sqlserver.Classify(err); class != tt.want {
				t.Errorf("%s: %v", class, err)
			}
			if string(out.Buf) != "before\n" || out.N != 1 {
				t.Errorf("%d lines after the error", out.N)
			}
			if took > 12*time.Second {
				t.Errorf("took %v", took)
			}
			limits := sqlserver.Limits{StatementTimeout: 10 * time.Second}
			if lines := all(t, s.Reader(table, limits).Load); len(lines) != 200 {
				t.Errorf("%d rows afterwards", len(lines))
			}
		})
	}
}

// A server that was restarted breaks idle connections: nobody notices.
func TestIdleConnectionsBreak(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "kill sessions")
	s := db.Source(t)
	for range 3 {
		probe(t, s)
		for _, id := range []int{51, 52, 53, 54, 55, 56, 57, 58, 59, 60} {
			stand.Kill(id)
		}
	}
	probe(t, s)
}
