package postgres_test

import (
	"errors"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/fault"
	"tidemark/internal/pgtest"
)

// An index is made without holding up who writes, by one of those that start
// at once, and after an attempt that was interrupted.
func TestMigrationOutsideOfATransaction(t *testing.T) {
	dsn := pgtest.Start(t)
	s, conn := openAt(t, dsn)
	newSite(t, s, "acme", "t", narrow)
	exec(t, conn, "INSERT INTO tidemark.log VALUES ('acme', 't', 1, ''), ('acme', 't', 2, '')")
	postgres.AddMigration(t, `-- outside of a transaction
-- An index that nobody needs.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS log_entry ON tidemark.log (customer, entry);
CREATE INDEX CONCURRENTLY IF NOT EXISTS log_seq ON tidemark.log (customer, seq);
`)
	if bad, err := postgres.Open(t.Context(), dsn, postgres.Options{Connections: 2}); err == nil {
		bad.Close()
		t.Fatal("two equal entries have a unique index")
	}
	var invalid int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_index WHERE NOT indisvalid").Scan(&invalid); err != nil || invalid != 1 {
		t.Fatalf("%d invalid indexes are left, %v", invalid, err)
	}
	exec(t, conn, "DELETE FROM tidemark.log")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := postgres.Open(t.Context(), dsn, postgres.Options{Connections: 2})
			if err != nil {
				t.Error(err)
				return
			}
			s.Close()
		})
	}
	wg.Wait()
	var valid, last int
	err := conn.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE indisvalid), (SELECT count(*) FROM tidemark.migrations WHERE name LIKE '%9999_added.sql')
		FROM pg_index WHERE indexrelid IN (to_regclass('tidemark.log_entry'), to_regclass('tidemark.log_seq'))`).Scan(&valid, &last)
	if err != nil || valid != 2 || last != 1 {
		t.Errorf("%d indexes, recorded %d times, %v", valid, last, err)
	}
}

// A migration that finds its table in use lets those who use it go on, and
// tries again; one without the right to it is told from one that may not be now.
func TestMigrationOfATableInUse(t *testing.T) {
	dsn := pgtest.Start(t)
	s, conn := openAt(t, dsn)
	newSite(t, s, "acme", "t", narrow)
	postgres.AddMigration(t, "ALTER TABLE tidemark.log ADD COLUMN added integer;")
	exec(t, conn, "BEGIN")
	exec(t, conn, "LOCK TABLE tidemark.log IN ACCESS SHARE MODE")
	core, logs := observer.New(zapcore.WarnLevel)
	opened := make(chan error, 1)
	go func() {
		next, err := postgres.Open(t.Context(), dsn, postgres.Options{Connections: 2, Logger: zap.New(core)})
		if err == nil {
			err = next.Close()
		}
		opened <- err
	}()
	waitFor(t, func() bool { return logs.FilterMessageSnippet("a migration waits").Len() > 0 })
	exec(t, conn, "COMMIT")
	if err := <-opened; err != nil {
		t.Error(err)
	}
	if _, err := conn.Exec(t.Context(), "SELECT added FROM tidemark.log"); err != nil {
		t.Error(err)
	}
}

// What a person has to do is said where it is that, and nowhere else.
func TestMigrationThatFails(t *testing.T) {
	dsn := pgtest.Start(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	exec(t, conn, "CREATE ROLE powerless LOGIN")
	defer exec(t, conn, "DROP ROLE powerless")
	fails := func(dsn, says, hint string, passes bool) {
		t.Helper()
		s, err := postgres.Open(t.Context(), dsn, postgres.Options{Connections: 2})
		if err == nil {
			s.Close()
			t.Fatal("it opened")
		}
		if !strings.Contains(err.Error(), says) || !strings.Contains(fault.Hint(err), hint) || errors.Is(err, cloud.ErrUnavailable) != passes {
			t.Errorf("%v (%s)", err, fault.Hint(err))
		}
	}
	fails(strings.Replace(dsn, "tidemark@", "powerless@", 1), "permission denied", "CREATE on the database", false)
	postgres.AddMigration(t, "SELECT pg_terminate_backend(pg_backend_pid());") // the server stops
	fails(dsn, "terminating connection", "the next start goes on", true)
}

// The service manager does not end a start that migrates.
func TestServiceWaitsForMigrations(t *testing.T) {
	unit, err := os.ReadFile("../../deploy/linux/tidemark-cloud.service")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^TimeoutStartSec=(\d+)min$`).FindSubmatch(unit)
	if m == nil {
		t.Fatal("the unit bounds no start")
	}
	if minutes, err := strconv.Atoi(string(m[1])); err != nil || time.Duration(minutes)*time.Minute <= postgres.MigrationTime {
		t.Errorf("%s minutes, and migrations have %v: %v", m[1], postgres.MigrationTime, err)
	}
}
