package tds_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"tidemark/internal/mssqltest/tds"
)

// count reads a result set to its end.
func count(ctx context.Context, db *sql.DB, query string) (n int, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

func TestCutAfterRows(t *testing.T) {
	f := serve(t, tds.Options{}, numbers(1000))
	db := f.open(t, login)
	for _, cut := range []int64{0, 1, 500, 999} {
		f.Faults().CutAfterRows(cut)
		if n, err := count(deadline(t), db, "select n"); int64(n) != cut || err == nil {
			t.Errorf("cut after %d: %d rows, %v", cut, n, err)
		}
		if n, err := count(deadline(t), db, "select n"); n != 1000 || err != nil {
			t.Errorf("after the cut: %d rows, %v", n, err)
		}
	}
	f.Faults().CutAfterRows(5)
	f.Faults().CutAfterRows(-1)
	if n, err := count(deadline(t), db, "select n"); n != 1000 || err != nil {
		t.Errorf("called off: %d rows, %v", n, err)
	}
}

// A cut by bytes strikes inside of a chunk of a large value.
func TestCutInLargeValue(t *testing.T) {
	f := serve(t, tds.Options{}, blob(make([]byte, 1<<20)))
	db := f.open(t, login+"encrypt=true;TrustServerCertificate=true")
	// The driver keeps a connection that broke inside of a large value and
	// fails once more on it; this test is about the server.
	db.SetMaxIdleConns(0)
	f.Faults().CutAfterBytes(500_001)
	if n, err := count(deadline(t), db, "select b"); n != 0 || err == nil {
		t.Errorf("%d rows, %v", n, err)
	}
	if n, err := count(deadline(t), db, "select b"); n != 1 || err != nil {
		t.Errorf("after the cut: %d rows, %v", n, err)
	}
}

func TestDelays(t *testing.T) {
	asked := make(chan struct{}, 1)
	f := serve(t, tds.Options{}, func(ctx context.Context, sql string, p []tds.Param, w tds.Writer) error {
		signal(asked)
		return numbers(1000)(ctx, sql, p, w)
	})
	db := f.open(t, login+"packet size=512")
	timed := func() time.Duration {
		start := time.Now()
		if n, err := count(deadline(t), db, "select n"); n != 1000 || err != nil {
			t.Fatalf("%d rows, %v", n, err)
		}
		return time.Since(start)
	}
	f.Faults().DelayRows(100, 20*time.Millisecond)
	if d := timed(); d < 200*time.Millisecond {
		t.Errorf("ten delays of 20 ms took %v", d)
	}
	f.Faults().DelayRows(0, 0)
	f.Faults().DelayPackets(20 * time.Millisecond) // 6 bytes a row, 504 a packet
	if d := timed(); d < 240*time.Millisecond {
		t.Errorf("twelve delays of 20 ms took %v", d)
	}
	// An attention is answered in the middle of a delay: else the driver would
	// close the connection after 5 s.
	f.Faults().DelayPackets(time.Hour)
	c, err := db.Conn(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	unsignal(asked)
	ctx, cancel := context.WithCancel(deadline(t))
	defer cancel()
	go func() { <-asked; cancel() }()
	if _, err := c.ExecContext(ctx, "select n"); err == nil {
		t.Error("no error")
	}
	f.Faults().Clear()
	if _, err := c.ExecContext(deadline(t), "select n"); err != nil {
		t.Errorf("on the same connection: %v", err)
	}
}

// signal tells of one event or more.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// unsignal forgets what was told.
func unsignal(c <-chan struct{}) {
	select {
	case <-c:
	default:
	}
}

func TestRefuseLogins(t *testing.T) {
	f := serve(t, tds.Options{}, numbers(1))
	f.Faults().RefuseLogins(&tds.Error{Number: 4060, State: 1, Class: 11, Message: "Cannot open database."})
	db := f.open(t, login)
	wantError(t, db.PingContext(deadline(t)), 4060, 11, "Cannot open database.")
	f.Faults().Clear()
	if err := db.PingContext(deadline(t)); err != nil {
		t.Error(err)
	}
}

func TestDropConnections(t *testing.T) {
	f := serve(t, tds.Options{}, numbers(1))
	f.Faults().DropConnections(true)
	for _, db := range []*sql.DB{f.open(t, login), f.openInMemory(t, login)} {
		if err := db.PingContext(deadline(t)); err == nil {
			t.Error("connected")
		}
	}
	f.Faults().Clear()
	if err := f.open(t, login).PingContext(deadline(t)); err != nil {
		t.Error(err)
	}
}

// The driver gets an error and then waits for the rest of the answer, which
// never comes; not even its cancellation is heard.
func TestHangAfterError(t *testing.T) {
	asked := make(chan struct{}, 1)
	f := serve(t, tds.Options{}, func(context.Context, string, []tds.Param, tds.Writer) error {
		signal(asked)
		return &tds.Error{Number: 1222, State: 51, Class: 16, Message: "Lock request time out period exceeded."}
	})
	db := f.open(t, login)
	if err := db.PingContext(deadline(t)); err != nil {
		t.Fatal(err)
	}
	f.Faults().HangAfterError(true)
	unsignal(asked)
	ctx, cancel := context.WithCancel(deadline(t))
	defer cancel()
	var start time.Time
	go func() { <-asked; start = time.Now(); cancel() }()
	if _, err := db.ExecContext(ctx, "select t"); err == nil {
		t.Error("no error")
	}
	<-ctx.Done()
	if d := time.Since(start); d < 4*time.Second {
		t.Errorf("the driver gave up after %v, so it heard something", d)
	}
	f.Faults().Clear()
	_, err := db.ExecContext(deadline(t), "select t")
	wantError(t, err, 1222, 16, "Lock request time out")
}
