package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud/postgres"
)

// dsnOf is the URL of the database of conn.
func dsnOf(conn *pgx.Conn) string {
	c := conn.Config()
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s", c.User, c.Port, c.Database)
}

// withoutAutovacuum has nobody but the test read the tables from now on: how
// much autovacuum reads, and when, depends on the machine.
func withoutAutovacuum(t testing.TB, conn *pgx.Conn) {
	t.Helper()
	exec(t, conn, "ALTER SYSTEM SET autovacuum = off")
	exec(t, conn, "SELECT pg_reload_conf()")
	t.Cleanup(func() {
		for _, sql := range []string{"ALTER SYSTEM RESET autovacuum", "SELECT pg_reload_conf()"} {
			if _, err := conn.Exec(context.Background(), sql); err != nil {
				t.Error(err)
			}
		}
	})
}

// counted are the blocks that the server has counted, read or found, of the
// rows and of the store's own tables. A session hands on what it has counted
// up to ten seconds late, but before it leaves the list: so all others are
// ended, and conn hands on its own.
func counted(t testing.TB, conn *pgx.Conn) (rows, others int64) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var sessions int
		err := conn.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&sessions)
		if err != nil {
			t.Fatal(err)
		}
		if sessions == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d sessions do not end", sessions)
		}
	}
	if conn.PgConn().ParameterStatus("server_version") < "15" { // another process collects what they have handed on
		time.Sleep(2 * time.Second)
	} else {
		exec(t, conn, "SELECT pg_stat_force_next_flush()")
	}
	exec(t, conn, "SELECT pg_stat_clear_snapshot()")
	err := conn.QueryRow(t.Context(), `SELECT coalesce(sum(n) FILTER (WHERE schemaname = 'data'), 0), coalesce(sum(n) FILTER (WHERE schemaname = 'tidemark'), 0)
		FROM (SELECT schemaname, coalesce(heap_blks_read, 0) + coalesce(heap_blks_hit, 0) + coalesce(idx_blks_read, 0) + coalesce(idx_blks_hit, 0)
			+ coalesce(toast_blks_read, 0) + coalesce(toast_blks_hit, 0) + coalesce(tidx_blks_read, 0) + coalesce(tidx_blks_hit, 0) AS n
			FROM pg_statio_user_tables WHERE relname <> 'migrations') s`).Scan(&rows, &others)
	if err != nil {
		t.Fatal(err)
	}
	return rows, others
}

// touched runs f with a store of its own and returns how many blocks it
// touched, of the rows and of the store's own tables. Stores that were open
// before have lost their sessions.
func touched(t testing.TB, conn *pgx.Conn, f func(s *postgres.Store)) (rows, others int64) {
	t.Helper()
	rowsBefore, othersBefore := counted(t, conn)
	s, err := postgres.Open(t.Context(), dsnOf(conn), postgres.Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	f(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rows, others = counted(t, conn)
	return rows - rowsBefore, others - othersBefore
}
