package sqlservertest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"tidemark/internal/mssqltest"
	"tidemark/sqlserver"
)

// Env names the environment variable with the connection string of a real
// server. Its login must be allowed to create schemas.
const Env = "TIDEMARK_TEST_SQLSERVER"

// A DB is one test's part of a database: a schema that is dropped with all
// its tables when the test ends.
type DB struct {
	SQL    *sql.DB          // as a login that may do everything
	Schema string           // made for this test
	Config sqlserver.Config // reaches the same database
	stand  *mssqltest.Server
}

// Open gives t a schema of its own.
func Open(t testing.TB) *DB {
	t.Helper()
	db := &DB{Schema: "tm_" + randomHex(6)}
	if dsn := os.Getenv(Env); dsn != "" {
		db.Config = sqlserver.Config{DSN: dsn}
	} else {
		db.stand = startStandIn(t)
		db.Config = standInConfig(t, db.stand)
	}
	c, err := mssql.NewConnector(db.DSN())
	if err != nil {
		t.Fatal(err)
	}
	db.SQL = mssqltest.OpenDB(c)
	t.Cleanup(func() {
		db.SQL.SetMaxIdleConns(0) // the test may have broken what is idle
		db.drop(t)
		if err := db.SQL.Close(); err != nil {
			t.Error(err)
		}
	})
	db.Exec(t, "CREATE SCHEMA "+db.Schema)
	return db
}

// DSN is a connection string of go-mssqldb for the same database.
func (db *DB) DSN() string {
	if db.stand != nil {
		return db.stand.DSN(user)
	}
	return db.Config.DSN
}

// Real tells whether the test runs against a real server.
func (db *DB) Real() bool { return db.stand == nil }

// StandIn gives the stand-in, and skips a test that runs against a real
// server: why says what only the stand-in can do.
func (db *DB) StandIn(t testing.TB, why string) *mssqltest.Server {
	t.Helper()
	if db.stand == nil {
		t.Skip("only the stand-in can " + why)
	}
	return db.stand
}

// Exec runs a batch. Every "{s}" in it becomes the test's schema.
func (db *DB) Exec(t testing.TB, query string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if _, err := db.SQL.ExecContext(ctx, db.Expand(query), args...); err != nil {
		t.Fatalf("%v\nin %.500s", err, db.Expand(query))
	}
}

// Expand replaces "{s}" by the test's schema.
func (db *DB) Expand(query string) string { return strings.ReplaceAll(query, "{s}", db.Schema) }

// Source opens the database as the code under test does; change may alter its
// configuration.
func (db *DB) Source(t testing.TB, change ...func(*sqlserver.Config)) *sqlserver.Source {
	t.Helper()
	c := db.Config
	for _, f := range change {
		f(&c)
	}
	s, err := sqlserver.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Table finds a table of the test's schema in the catalog.
func (db *DB) Table(t testing.TB, s *sqlserver.Source, name string) *sqlserver.Table {
	t.Helper()
	tables, err := s.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if table.Schema == db.Schema && table.Name == name {
			return table
		}
	}
	t.Fatalf("the catalog has no table %s.%s", db.Schema, name)
	return nil
}

// drop removes the schema's tables and types, and the schema.
func (db *DB) drop(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	for _, list := range []struct{ query, drop string }{
		{"SELECT t.name FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id WHERE s.name = @p1", "DROP TABLE "},
		{"SELECT t.name FROM sys.types AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id WHERE s.name = @p1", "DROP TYPE "},
	} {
		names, err := db.names(ctx, list.query)
		if err != nil {
			t.Errorf("drop the test's schema: %v", err)
			return
		}
		for _, name := range names {
			if _, err := db.SQL.ExecContext(ctx, list.drop+db.Schema+".["+strings.ReplaceAll(name, "]", "]]")+"]"); err != nil {
				t.Errorf("drop %s: %v", name, err)
			}
		}
	}
	if _, err := db.SQL.ExecContext(ctx, "DROP SCHEMA "+db.Schema); err != nil {
		t.Errorf("drop the test's schema: %v", err)
	}
}

func (db *DB) names(ctx context.Context, query string) (names []string, err error) {
	rows, err := db.SQL.QueryContext(ctx, query, db.Schema)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
