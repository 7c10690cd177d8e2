//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// superuser owns the server and all its databases.
const superuser = "tidemark"

// settings make a server that starts fast, does not sync, and still plans,
// vacuums and logs like one in production.
const settings = `
fsync = off
full_page_writes = off
max_connections = 100
shared_buffers = 256MB
max_wal_size = 4GB
logging_collector = off
`

// waits is for how many seconds pg_ctl waits for a server to start or stop;
// its own minute is short on a machine that does much else.
const waits = "600"

// A Server is a private Postgres server.
type Server struct {
	dir   string
	port  int
	bin   programs
	watch *watcher
	next  atomic.Int64
}

// Launch starts a server in a new temporary directory. ErrMissing says that
// the machine has no Postgres server programs.
func Launch(ctx context.Context) (*Server, error) { return launch(ctx, (*Server).launch) }

// launch makes a server in a new temporary directory with how.
func launch(ctx context.Context, how func(*Server, context.Context) error) (*Server, error) {
	bin, err := findPrograms()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin}
	if err := how(s, ctx); err != nil {
		log, _ := os.ReadFile(s.path("log"))
		return nil, errors.Join(fmt.Errorf("private Postgres server: %w\n%s", err, log), s.Close())
	}
	return s, nil
}

func (s *Server) launch(ctx context.Context) error {
	if err := s.bin.own(s.dir); err != nil {
		return err
	}
	var err error
	if s.watch, err = s.bin.startWatcher(ctx, s.dir); err != nil {
		return err
	}
	if err := s.bin.run(ctx, s.dir, "initdb", "--pgdata", s.path("data"), "--username", superuser,
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"); err != nil {
		return err
	}
	return s.run(ctx, settings)
}

// run starts the server on a free port, with settings beside those of its
// place.
func (s *Server) run(ctx context.Context, settings string) (err error) {
	// Between finding a free port and using it another process can take it.
	for range 5 {
		if s.port, err = freePort(ctx); err != nil {
			return err
		}
		conf := settings + fmt.Sprintf("listen_addresses = '127.0.0.1'\nport = %d\nunix_socket_directories = '%s'\n", s.port, s.dir)
		if err = os.WriteFile(s.path("data", "postgresql.auto.conf"), []byte(conf), 0o600); err != nil {
			return err
		}
		if err = s.bin.run(ctx, s.dir, "pg_ctl", "start", "--pgdata", s.path("data"), "--wait", "--timeout", waits, "--silent", "--log", s.path("log")); err == nil {
			return nil
		}
	}
	return err
}

func (s *Server) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// DSN is the connection string of a database of the server.
func (s *Server) DSN(database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", superuser, s.port, database)
}

// CreateDatabase creates an empty database under a new name.
func (s *Server) CreateDatabase(ctx context.Context) (name string, err error) {
	name = "test" + strconv.FormatInt(s.next.Add(1), 10)
	return name, s.exec(ctx, "CREATE DATABASE "+name)
}

// DropDatabase drops a database and ends its connections.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	return s.exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
}

func (s *Server) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for {
		_, err = conn.Exec(ctx, sql)
		// The server gives sessions that end five seconds to be gone, which on a
		// machine that does much else they may not be.
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != codeInUse {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// codeInUse is object_in_use: sessions are in a database that is to be dropped
// or copied.
const codeInUse = "55006"

// Close stops the server, removes its directory and waits for both.
func (s *Server) Close() error {
	if s.watch == nil {
		return os.RemoveAll(s.dir)
	}
	if err := s.watch.end(); err != nil {
		return fmt.Errorf("stop the private Postgres server in %s: %w", s.dir, err)
	}
	return nil
}

func freePort(ctx context.Context) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
