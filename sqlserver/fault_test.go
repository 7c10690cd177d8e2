package sqlserver_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
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
	t.Parallel() // it waits, mostly
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
	line := &spoiler{}
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
		{"silence between rows", func() { network.DelayRows(50, time.Minute) }, sqlserver.ClassTimeout},
		{"packets too slow", func() { network.DelayPackets(100 * time.Millisecond) }, sqlserver.ClassTimeout},
		{"cut between rows", func() { network.CutAfterRows(20) }, sqlserver.ClassUnreached},
		{"cut in a large value", func() { network.CutAfterBytes(100_000) }, sqlserver.ClassUnreached},
		{"garbage", func() { line.spoil(100_000) }, sqlserver.ClassUnreached},
		{"hang after an error", func() {
			network.HangAfterError(true)
			undo = stand.Inject(mssqltest.Fault{Match: rows, Err: mssqltest.LockTimeout})
		}, sqlserver.ClassTimeout},
	}
	for _, encrypt := range []sqlserver.Encrypt{sqlserver.EncryptAll, sqlserver.EncryptOff} {
		for _, tt := range tests {
			t.Run(tt.name+", encrypt "+string(encrypt), func(t *testing.T) {
				s := db.Source(t, func(c *sqlserver.Config) { c.Encrypt, c.Dialer = encrypt, line })
				table := db.Table(t, s, "f")
				probe(t, s)
				limits := sqlserver.Limits{StatementTimeout: time.Minute}
				if tt.want == sqlserver.ClassTimeout {
					limits.StatementTimeout = 300 * time.Millisecond
				}
				r := s.Reader(table, limits)
				inTime(t, func() (took time.Duration) {
					undo = func() {}
					tt.do()
					out := wire.Lines{Buf: []byte("before\n"), N: 1}
					start := time.Now()
					_, err := r.Load(t.Context(), "", &out)
					took = time.Since(start)
					network.Clear()
					line.spoil(0)
					undo()
					if class, _ := sqlserver.Classify(err); class != tt.want {
						t.Errorf("%s: %v", class, err)
					}
					if string(out.Buf) != "before\n" || out.N != 1 {
						t.Errorf("%d lines after the error", out.N)
					}
					return took
				})
				limits.StatementTimeout = time.Minute
				if lines := all(t, s.Reader(table, limits).Load); len(lines) != 200 {
					t.Errorf("%d rows afterwards", len(lines))
				}
			})
		}
	}
}

// inTime holds that nobody waits for the driver, which gives up on a server
// after 5 s at the earliest. A machine that stalls gets more tries.
func inTime(t *testing.T, try func() (took time.Duration)) {
	t.Helper()
	var took time.Duration
	for range 5 {
		if took = try(); took < 4*time.Second || t.Failed() {
			return
		}
	}
	t.Errorf("took %v, and no less before", took)
}

// A server that does not hear a cancellation holds nobody: neither a caller
// who gives up, nor one whose chunk is full, and that one keeps its rows.
func TestUnheardCancellation(t *testing.T) {
	t.Parallel() // it waits, mostly
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "fall silent")
	db.Exec(t, "CREATE TABLE {s}.f (id int NOT NULL PRIMARY KEY, v nvarchar(100) NULL, rv rowversion NOT NULL)")
	fill(t, db, "f", "id, v", 3000, func(i int) string { return fmt.Sprintf("%d, N'%0100d'", i, i) })
	line := &spoiler{}
	s := db.Source(t, func(c *sqlserver.Config) { c.Dialer = line })
	table := db.Table(t, s, "f")
	t.Run("caller", func(t *testing.T) {
		stand.Network().HangAfterError(true)
		defer stand.Network().Clear()
		defer stand.Inject(mssqltest.Fault{Match: regexp.MustCompile("ORDER BY"), Err: mssqltest.LockTimeout})()
		inTime(t, func() time.Duration {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			start := time.Now()
			var out lines
			if _, err := s.Reader(table, sqlserver.Limits{}).Load(ctx, "", &out.Lines); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			return time.Since(start)
		})
	})
	t.Run("full chunk", func(t *testing.T) {
		r := s.Reader(table, sqlserver.Limits{ChunkBytes: 2000})
		inTime(t, func() time.Duration {
			probe(t, s)        // connects
			line.deaf.Store(2) // behind the query and the attention
			start := time.Now()
			var out lines
			c, err := r.Load(t.Context(), "", &out.Lines)
			took := time.Since(start)
			if err != nil || c.Rows < 10 || c.Done {
				t.Errorf("%+v, %v", c, err)
			}
			if took < time.Second {
				t.Errorf("took %v: it was heard", took)
			}
			return took
		})
		if got := all(t, r.Load); len(got) != 3000 {
			t.Errorf("%d rows afterwards", len(got))
		}
	})
}

// A spoiler dials connections that can be made to bring garbage behind so many
// bytes from now on, or nothing any more behind so many writes.
type spoiler struct {
	net.Dialer
	garbage, deaf atomic.Int64
}

func (s *spoiler) spoil(behind int64) { s.garbage.Store(behind) }

func (s *spoiler) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := s.Dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &spoilt{Conn: c, by: s, closed: make(chan struct{})}, nil
}

type spoilt struct {
	net.Conn
	by     *spoiler
	deaf   atomic.Bool
	close  sync.Once
	closed chan struct{}
}

func (c *spoilt) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.deaf.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	if left := c.by.garbage.Load(); left > 0 {
		if left = c.by.garbage.Add(int64(-n)); left <= 0 {
			c.by.garbage.Store(1)
			for i := range b[:n] {
				b[i] ^= 0x5a
			}
		}
	}
	return n, err
}

func (c *spoilt) Write(b []byte) (int, error) {
	if c.by.deaf.Load() > 0 && c.by.deaf.Add(-1) == 0 {
		c.deaf.Store(true)
	}
	return c.Conn.Write(b)
}

func (c *spoilt) Close() error {
	c.close.Do(func() { close(c.closed) })
	return c.Conn.Close()
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
