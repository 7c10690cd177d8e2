package postgres_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// TestVersionReadTouchesFiveBuffers counts what a version read touches as the
// table grows and its version row is updated: 5 buffers at most.
func TestVersionReadTouchesFiveBuffers(t *testing.T) {
	s, conn := open(t, postgres.Options{Connections: 1}) // upkeep's snapshots keep no version of a row alive while batches come
	withoutAutovacuum(t, conn)                           // nor do those of ANALYZE
	acme := newSite(t, s, "acme", "dbo.counters", "id int")
	rows := make([][]byte, 10_000)
	for i := range rows {
		rows[i] = fmt.Appendf(nil, `["%d",%d]`, i+1, i)
	}
	acme.load(rows, 1000)
	if n := buffers(t, conn, "acme"); n > 5 {
		t.Errorf("%d buffers at 10,000 rows", n)
	}
	// Made in the database, because that is quicker: no version is read from them.
	exec(t, conn, "INSERT INTO data.dbo_counters (customer_id, id, _tm_rv, _tm_epoch) SELECT 'acme', i, i + 1, 1 FROM generate_series(10000, 999999) i")
	exec(t, conn, "UPDATE tidemark.versions SET rows = 1000000")
	for i := range 100 { // small batches with a cursor and marks, as an agent sends them
		b := acme.batch(wire.Delta, [][]byte{fmt.Appendf(nil, `["%d",1]`, 2_000_000+i)})
		cursor, marks := strings.Repeat("c", 200), strings.Repeat("m", 600)
		b.Header.Cursor, b.Header.Marks = &cursor, &marks
		if _, err := s.Apply(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if n := buffers(t, conn, "acme"); n > 5 {
		t.Errorf("%d buffers at 1,000,000 rows", n)
	}
	if n := buffersOf(t, conn, postgres.ReadToken, "acme"); n > 5 {
		t.Errorf("%d buffers for the token of all versions", n)
	}
	if v, err := s.Versions(t.Context(), "acme"); err != nil || v.Tables["dbo.counters"].Rows != 1_000_000 {
		t.Errorf("%+v, %v", v, err)
	}
}

// buffers is what EXPLAIN counts of shared buffers for a version read.
func buffers(t *testing.T, conn *pgx.Conn, customer string) int {
	t.Helper()
	return buffersOf(t, conn, postgres.ReadVersions, customer)
}

func buffersOf(t *testing.T, conn *pgx.Conn, sql, customer string) int {
	t.Helper()
	sql = strings.Replace(sql, "$1", "'"+customer+"'", 1)
	var text []byte
	if err := conn.QueryRow(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+sql).Scan(&text); err != nil {
		t.Fatal(err)
	}
	var plans []struct {
		Plan struct {
			Hit  int     `json:"Shared Hit Blocks"`
			Read int     `json:"Shared Read Blocks"`
			Rows float64 `json:"Actual Rows"`
		}
	}
	if err := json.Unmarshal(text, &plans); err != nil {
		t.Fatal(err)
	}
	if plans[0].Plan.Rows != 1 {
		t.Fatalf("the plan read %g rows: %s", plans[0].Plan.Rows, text)
	}
	return plans[0].Plan.Hit + plans[0].Plan.Read
}

// TestUpdatesAreHeapOnly counts the updates that touched an index.
func TestUpdatesAreHeapOnly(t *testing.T) {
	s, conn := open(t, postgres.Options{Connections: 1})
	withoutAutovacuum(t, conn) // a snapshot of ANALYZE keeps pages full
	acme := newSite(t, s, "acme", "dbo.orders", narrow)
	const n, rounds = 10_000, 40
	acme.load(narrowRows(1, n, 1), n)
	for round := range rounds {
		var rows []string
		for id := round + 1; id <= n; id += 100 {
			rows = append(rows, string(narrowRows(id, 1, uint64(100_000*(round+1)+id))[0]))
		}
		if a := acme.apply(wire.Delta, rows...); a.Updated != len(rows) {
			t.Fatalf("%+v", a)
		}
	}
	s.Close() // statistics are there when the connection is gone
	for _, table := range []string{"data.dbo_orders", "tidemark.versions", "tidemark.tokens"} {
		var updates, hot int
		for end := time.Now().Add(5 * time.Minute); updates == 0; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: no updates are counted", table)
			}
			err := conn.QueryRow(t.Context(), "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relid = $1::regclass", table).Scan(&updates, &hot)
			if err != nil {
				t.Fatal(err)
			}
		}
		if share := float64(hot) / float64(updates); share < 0.95 {
			t.Errorf("%s: %d of %d updates were heap-only", table, hot, updates)
		}
	}
}
