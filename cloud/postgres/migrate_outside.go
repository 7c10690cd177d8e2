package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// migrationTime bounds all migrations together, and the wait for those of
// another process. deploy/linux/tidemark-cloud.service gives the start longer.
const migrationTime = 2 * time.Hour

// errMigrating says that another process migrates the database.
var errMigrating = errors.New("another process migrates the database")

// waitForMigration waits before another try.
func waitForMigration(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errMigrating, ctx.Err())
	case <-time.After(100*time.Millisecond + rand.N(400*time.Millisecond)):
		return nil
	}
}

// outsideMark is the first line of a migration that has no transaction, for
// CREATE INDEX CONCURRENTLY, which holds up nobody who writes. Its statements
// end with a semicolon at the end of a line, and do no harm when they are run
// again: what is there is left alone (IF NOT EXISTS).
const outsideMark = "-- outside of a transaction\n"

// outside is the error of a migration that has no transaction, and what is
// needed to run it.
type outside struct {
	config *pgx.ConnConfig
	number int
	name   string
	sql    string
}

func (o *outside) Error() string { return o.name + " has no transaction" }

// migrate runs the migration on a connection of its own, which holds the lock
// until it ends. Interrupted, it begins again: an index that was left invalid
// by then is dropped and made anew.
func (o *outside) migrate(ctx context.Context) (err error) {
	config := o.config
	config.RuntimeParams["statement_timeout"] = "0" // as long as it takes, up to migrationTime
	config.RuntimeParams["lock_timeout"] = "0"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	var alone bool
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(migrationLock)).Scan(&alone); err != nil {
		return err
	}
	if !alone {
		return waitForMigration(ctx)
	}
	var have int
	if err := conn.QueryRow(ctx, "SELECT max(number) FROM tidemark.migrations").Scan(&have); err != nil || have != o.number-1 {
		return err // somebody else was here first
	}
	if err := dropInvalid(ctx, conn); err != nil {
		return err
	}
	for _, sql := range strings.SplitAfter(strings.TrimPrefix(o.sql, outsideMark), ";\n") {
		if strings.TrimSpace(sql) == "" {
			continue
		}
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
	}
	_, err = conn.Exec(ctx, "INSERT INTO tidemark.migrations (number, name) VALUES ($1, $2)", o.number, o.name)
	return err
}

// dropInvalid drops indexes that an interrupted CREATE INDEX CONCURRENTLY has
// left ("Building Indexes Concurrently" in the PostgreSQL manual).
func dropInvalid(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `SELECT format('%I.%I', n.nspname, c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND n.nspname = 'tidemark'`)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := conn.Exec(ctx, "DROP INDEX CONCURRENTLY IF EXISTS "+name); err != nil {
			return err
		}
	}
	return nil
}
