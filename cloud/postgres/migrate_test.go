package postgres_test

import (
	"sync"
	"testing"

	"tidemark/cloud/postgres"
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
