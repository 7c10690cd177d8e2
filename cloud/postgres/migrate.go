package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"tidemark/internal/fault"
)

//go:embed migrations/*.sql
var embedded embed.FS

// migrationFiles are the migrations, which a test adds to.
var migrationFiles fs.FS = embedded

// migrationLock is the advisory lock that one migrating process holds. Others
// try again until they get it, and never wait inside of a statement: that would
// hold a snapshot, which CREATE INDEX CONCURRENTLY waits for in its turn.
const migrationLock = 0x7469_6465_6d61_726b // "tidemark"

// migrate brings the database to the newest of the embedded migrations, each
// in a transaction of its own, forward only. Their number is their place in
// the folder, from 1. A migration whose first line is outsideMark has no
// transaction: see outside.migrate.
func migrate(ctx context.Context, pool *connections) error {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, migrationTime)
	defer cancel()
	for done := false; !done; {
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			done, err = migrateNext(ctx, tx, names)
			return err
		})
		var o *outside
		switch {
		case errors.As(err, &o):
			err = o.migrate(ctx)
		case errors.Is(err, errMigrating):
			err = waitForMigration(ctx)
		case code(err) == codeLock, code(err) == codeDeadlock: // instances in work use what it changes
			pool.o.Logger.Warn("a migration waits for those who use its tables", zap.Error(err))
			err = sleep(ctx, lockPause/2+rand.N(lockPause))
		}
		if err != nil {
			return fault.New("migrate the database", unavailable(err), migrationHint(err))
		}
	}
	return nil
}

// lockPause is between two attempts to lock a table that others use, so that
// they go on meanwhile.
const lockPause = 2 * time.Second

// migrationPatience is in front of a migration: it takes its time, within that
// of all; but who waits for a lock has all others wait behind it.
const migrationPatience = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '" + ddlLockTimeout + "';\n"

func migrationHint(err error) string {
	if code(err) == codePrivilege {
		return "the user needs CREATE on the database the first time, and must own the schemas tidemark and data"
	}
	return "what was done before it stays; the next start goes on from there"
}

// migrateNext applies the first migration that is missing; done says that
// none is.
func migrateNext(ctx context.Context, tx pgx.Tx, names []string) (done bool, err error) {
	var alone bool
	if err := tx.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock($1)", int64(migrationLock)).Scan(&alone); err != nil {
		return false, err
	}
	if !alone {
		return false, errMigrating
	}
	var isNew bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass('tidemark.migrations') IS NULL").Scan(&isNew); err != nil {
		return false, err
	}
	have := 0
	if isNew {
		_, err = tx.Exec(ctx, "CREATE SCHEMA tidemark CREATE TABLE migrations (number integer PRIMARY KEY, name text NOT NULL, applied timestamptz NOT NULL DEFAULT now())")
	} else {
		err = tx.QueryRow(ctx, "SELECT max(number) FROM tidemark.migrations").Scan(&have)
	}
	switch {
	case err != nil:
		return false, err
	case have == len(names):
		return true, nil
	case have > len(names):
		return false, fault.New("read the migrations", fmt.Errorf("the database is at %d, this program knows %d", have, len(names)),
			"a newer version of the program has used this database: run that one")
	}
	sql, err := fs.ReadFile(migrationFiles, names[have])
	if err != nil {
		return false, err
	}
	if strings.HasPrefix(string(sql), outsideMark) {
		return false, &outside{config: tx.Conn().Config(), number: have + 1, name: names[have], sql: string(sql)}
	}
	// The simple protocol takes several statements at once.
	if _, err := tx.Conn().PgConn().Exec(ctx, migrationPatience+string(sql)).ReadAll(); err != nil {
		return false, fmt.Errorf("%s: %w", names[have], err)
	}
	_, err = tx.Exec(ctx, "INSERT INTO tidemark.migrations (number, name) VALUES ($1, $2)", have+1, names[have])
	return false, err
}
