package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"time"

	"go.uber.org/zap"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tidemark/cloud"
	"tidemark/cloud/sums/upkeep"
	"tidemark/internal/fault"
)

// migrations bring a file from the version before to the next; the version is
// in SQLite's user_version. They are only ever added to.
var migrations = []string{firstSchema, summarySchema, invitationSchema, costSchema, reportSchema, controlSchema, tokenSchema, fleetSchema}

//go:embed tokens.sql
var tokenSchema string

//go:embed schema.sql
var firstSchema string

//go:embed summaries.sql
var summarySchema string

// Bounds of one store.
const (
	readers    = 4
	busyTime   = 10 * time.Second // to wait for another process
	dropStep   = 5_000            // rows deleted in one transaction
	checkEvery = 256              // rows between two looks at the context
)

// A Store is a cloud.Store in one file.
type Store struct {
	writer *sql.DB // one connection
	reader *sql.DB
	upkeep *upkeep.Queue
	making chan struct{} // held while a summary is made or folded: one at a time
}

// Options are what a store can be told. Zero values are the defaults.
type Options struct {
	Logger *zap.Logger // of upkeep that failed; nil: none
}

var _ cloud.Store = (*Store)(nil)

// Open opens the store in the file at path, which it makes if it is not there.
func Open(ctx context.Context, path string) (*Store, error) { return Options{}.Open(ctx, path) }

// Open opens a store with options.
func (o Options) Open(ctx context.Context, path string) (*Store, error) {
	op := "open store " + path
	if err := private(path); err != nil {
		return nil, fault.New(op, err, "Check the path, its folder's permissions and the space on its disk.")
	}
	writer, err := open(path, url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(" + fmt.Sprint(busyTime.Milliseconds()) + ")", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"}}, 1)
	if err != nil {
		return nil, fault.New(op, err, "")
	}
	s := &Store{writer: writer, making: make(chan struct{}, 1)}
	s.upkeep = upkeep.New(s.tend, s.lacking, o.Logger)
	if err := s.migrate(ctx); err != nil {
		hint := "Check the path, its folder's permissions and the space on its disk."
		if errors.Is(err, errNewer) {
			hint = "Run that program, or put back a copy of the file from before it."
		}
		return nil, errors.Join(fault.New(op, err, hint), writer.Close())
	}
	s.reader, err = open(path, url.Values{"_pragma": {"busy_timeout(" + fmt.Sprint(busyTime.Milliseconds()) + ")", "query_only(ON)"}}, readers)
	if err != nil {
		return nil, errors.Join(fault.New(op, err, ""), writer.Close())
	}
	return s, nil
}

// private makes the file for its owner alone, if it is not there. SQLite gives
// the files beside it the same permissions. A file that is there is not opened:
// to close it would end the locks that this process has on it ("How To Corrupt
// An SQLite Database File", 2.2).
func private(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func open(path string, options url.Values, connections int) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+options.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// errNewer says that migrations were made that this program does not know.
var errNewer = errors.New("a newer program has used the file")

func (s *Store) migrate(ctx context.Context) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		var version int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		if version > len(migrations) {
			return fmt.Errorf("%w: its schema is %d, this program knows %d", errNewer, version, len(migrations))
		}
		for _, m := range migrations[version:] {
			if _, err := tx.ExecContext(ctx, m); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(migrations)))
		return err
	})
}

// Ready reports whether the file can be read.
func (s *Store) Ready(ctx context.Context) error {
	var one int
	return available(s.reader.QueryRowContext(ctx, "SELECT 1 FROM sqlite_schema LIMIT 1").Scan(&one))
}

// Close waits for what is running and closes the file.
func (s *Store) Close() error {
	s.upkeep.Close()
	return errors.Join(s.reader.Close(), s.writer.Close())
}

// write runs f in a transaction that holds the file's write lock from its
// start, so that what f reads cannot change before it commits.
func (s *Store) write(ctx context.Context, f func(*sql.Tx) error) error {
	return run(ctx, s.writer, f)
}

// read runs f on one state of the file.
func (s *Store) read(ctx context.Context, f func(*sql.Tx) error) error {
	return run(ctx, s.reader, f)
}

// run leaves the end of the transaction to nobody else: with a context that
// can be cancelled, database/sql rolls back in a goroutine of its own, which
// Close would not wait for. The statements of f see the context.
func run(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return available(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return available(err)
	}
	if err := f(tx); err != nil {
		return available(errors.Join(err, tx.Rollback()))
	}
	return available(tx.Commit())
}

// available marks errors of SQLite that pass by themselves, or when somebody
// makes room (https://sqlite.org/rescode.html), with cloud.ErrUnavailable.
func available(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM:
			return fmt.Errorf("%w: %w", cloud.ErrUnavailable, err)
		}
	}
	return err
}
