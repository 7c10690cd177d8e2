package tds_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"go.uber.org/goleak"

	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/tds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// batchFunc answers a batch.
type batchFunc func(ctx context.Context, sql string, params []tds.Param, w tds.Writer) error

// A handler is a server's other half, as small as it can be: user sa with
// password pA55, batches answered by a function, transactions counted.
type handler struct {
	batch batchFunc

	mu  sync.Mutex
	log []string // what sessions were asked, but for batches
}

func (h *handler) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log = append(h.log, fmt.Sprintf(format, args...))
}

// taken returns the log and empties it.
func (h *handler) taken() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	log := h.log
	h.log = nil
	return log
}

func (h *handler) Login(_ context.Context, l tds.Login) (tds.Session, error) {
	if l.User != "sa" || l.Password != "pA55 €" {
		return nil, &tds.Error{Number: 18456, State: 1, Class: 14, Message: "Login failed for user '" + l.User + "'."}
	}
	h.note("login database=%s app=%s readonly=%v encrypted=%v", l.Database, l.App, l.ReadOnlyIntent, l.Encrypted)
	return &session{h: h}, nil
}

type session struct {
	h    *handler
	last uint64
	tran uint64
}

func (s *session) Batch(ctx context.Context, sql string, params []tds.Param, w tds.Writer) error {
	switch sql {
	case "select 1;": // the driver's ping
		return w.Done(0, false)
	case "begin tran":
		_, err := s.Begin(ctx, tds.Unspecified)
		return err
	case "abort tran":
		s.tran = 0
		return &tds.Error{Number: 1205, State: 1, Class: 13, Message: "deadlock victim"}
	}
	return s.h.batch(ctx, sql, params, w)
}

func (s *session) Begin(_ context.Context, level tds.Isolation) (uint64, error) {
	s.h.note("begin %d", level)
	s.last++
	s.tran = s.last
	return s.tran, nil
}

func (s *session) Commit(context.Context) error {
	s.h.note("commit %d", s.tran)
	s.tran = 0
	return nil
}

func (s *session) Rollback(context.Context) error {
	s.h.note("rollback %d", s.tran)
	s.tran = 0
	return nil
}

func (s *session) Transaction() uint64 { return s.tran }

func (s *session) Reset(context.Context) error {
	s.h.note("reset")
	s.tran = 0
	return nil
}

func (s *session) Close() { s.h.note("close") }

// A fixture is a server on a TCP port of the loopback interface.
type fixture struct {
	*tds.Server
	h    *handler
	addr string

	mu     sync.Mutex
	errors []error
}

func serve(t testing.TB, o tds.Options, batch batchFunc) *fixture {
	t.Helper()
	f := &fixture{h: &handler{batch: batch}}
	o.OnError = func(err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.errors = append(f.errors, err)
	}
	var err error
	if f.Server, err = tds.NewServer(f.h, o); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- f.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(f.Close(), <-served); err != nil {
			t.Error(err)
		}
	})
	return f
}

// ended waits for the error with which a connection ended.
func (f *fixture) ended(t *testing.T) error {
	t.Helper()
	for range 12_000 { // two minutes
		f.mu.Lock()
		if len(f.errors) > 0 {
			err := f.errors[0]
			f.errors = f.errors[1:]
			f.mu.Unlock()
			return err
		}
		f.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no connection ended with an error")
	return nil
}

const login = "user id=sa;password=pA55 €;"

// open opens a pool with the given settings of go-mssqldb.
func (f *fixture) open(t testing.TB, settings string) *sql.DB {
	t.Helper()
	host, port, err := net.SplitHostPort(f.addr)
	if err != nil {
		t.Fatal(err)
	}
	c, err := mssql.NewConnector("server=" + host + ";port=" + port + ";" + settings)
	if err != nil {
		t.Fatal(err)
	}
	return pool(t, c)
}

// openInMemory is open without a network.
func (f *fixture) openInMemory(t testing.TB, settings string) *sql.DB {
	t.Helper()
	c, err := mssql.NewConnector("server=localhost;port=1433;" + settings)
	if err != nil {
		t.Fatal(err)
	}
	c.Dialer = f.Server
	return pool(t, c)
}

func pool(t testing.TB, c *mssql.Connector) *sql.DB {
	db := mssqltest.OpenDB(c)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// value encodes a value, which must be possible.
func value(t tds.Type, v any) []byte {
	b, err := tds.AppendValue(nil, t, v)
	if err != nil {
		panic(err)
	}
	return b
}

var (
	intType = tds.Type{Kind: tds.Int}
	maxType = tds.Type{Kind: tds.VarBinary, Len: tds.MaxLen}
)

// numbers answers with a result set of the integers from 1 to n.
func numbers(n int) batchFunc {
	return func(_ context.Context, _ string, _ []tds.Param, w tds.Writer) error {
		if err := w.Columns([]tds.Column{{Name: "n", Type: intType}}); err != nil {
			return err
		}
		var buf []byte
		for i := range n {
			buf, _ = tds.AppendValue(buf[:0], intType, int64(i+1))
			if err := w.Row([][]byte{buf}); err != nil {
				return err
			}
		}
		return w.Done(uint64(n), true)
	}
}

// blob answers with one value of varbinary(max).
func blob(b []byte) batchFunc {
	return func(_ context.Context, _ string, _ []tds.Param, w tds.Writer) error {
		return errors.Join(
			w.Columns([]tds.Column{{Name: "b", Type: maxType}}),
			w.Row([][]byte{value(maxType, b)}),
			w.Done(1, true))
	}
}
