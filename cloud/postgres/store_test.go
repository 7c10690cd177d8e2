package postgres_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/cloud/storetest"
	"tidemark/internal/pgtest"
	"tidemark/internal/wire"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := pgtest.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.Exit(code)
	}))
}

// patient has what does not say otherwise wait as long as it must: how long
// statements and locks take depends on the machine.
func patient(o postgres.Options) postgres.Options {
	const long = 10 * time.Minute
	o.StatementTimeout, o.LockTimeout, o.IdleTimeout = cmp.Or(o.StatementTimeout, long), cmp.Or(o.LockTimeout, long), cmp.Or(o.IdleTimeout, long)
	return o
}

// open returns a store in a database whose own settings would change the text
// form of nearly every value, and a plain connection to look behind it.
func open(t testing.TB, o postgres.Options) (*postgres.Store, *pgx.Conn) {
	t.Helper()
	dsn := pgtest.Start(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	for _, setting := range []string{"timezone = 'Asia/Kathmandu'", "datestyle = 'German, DMY'", "bytea_output = 'escape'", "extra_float_digits = -3",
		"default_transaction_isolation = 'serializable'", "search_path = 'nowhere'"} {
		exec(t, conn, "ALTER DATABASE "+conn.Config().Database+" SET "+setting)
	}
	s, err := postgres.Open(t.Context(), dsn, patient(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		conn.Close(context.Background())
	})
	return s, conn
}

// openAt returns a store in a database, and a plain connection.
func openAt(t testing.TB, dsn string) (*postgres.Store, *pgx.Conn) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	s, err := postgres.Open(t.Context(), dsn, patient(postgres.Options{Connections: 2}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		conn.Close(context.Background())
	})
	return s, conn
}

func exec(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestSuite(t *testing.T) { suite(t, func(*postgres.Store) {}) }

// Batches as small as the suite's go along with their statement: here they do
// as the large ones do.
func TestSuiteByStages(t *testing.T) { suite(t, postgres.AlwaysStage) }

func suite(t *testing.T, prepare func(*postgres.Store)) {
	storetest.Run(t, storetest.Options{
		Open: func(t *testing.T) cloud.Store {
			s, _ := open(t, postgres.Options{Connections: 8})
			prepare(s)
			return s
		},
		Stored: stored,
	})
}

// stored is what the documented types make of a value: six digits after the
// seconds, and moments in UTC.
func stored(c wire.Column, key bool, raw string) string {
	if key || raw == "null" {
		return raw
	}
	switch c.Type.Kind {
	case wire.Time, wire.DateTime2:
		if c.Type.Scale == 7 {
			return raw[:len(raw)-2] + `0"`
		}
	case wire.DateTimeOffset:
		return utc(c.Type.Scale, raw)
	}
	return raw
}

func utc(scale uint8, raw string) string {
	at, err := time.Parse(time.RFC3339Nano, strings.Trim(raw, `"`))
	if err != nil {
		panic(err)
	}
	layout := "2006-01-02T15:04:05"
	if scale > 0 {
		layout += "." + strings.Repeat("0", int(scale))
	}
	return `"` + at.UTC().Truncate(1000).Format(layout) + `+00:00"`
}
