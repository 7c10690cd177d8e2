package postgres_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud/postgres"
	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// benchRows is how many rows the tables of the benchmarks of summaries have:
// TIDEMARK_BENCH_ROWS, or a million.
func benchRows(b testing.TB) int {
	if s := os.Getenv("TIDEMARK_BENCH_ROWS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	return 1_000_000
}

const wideColumns = "id int; payload varchar(300)"

// wideRow has 256 bytes that are others in every version.
func wideRow(id, version int) []byte {
	var payload []byte
	for i := range 8 {
		payload = fmt.Appendf(payload, "%032x", sha256.Sum256(fmt.Append(nil, id, version, i)))[:32*(i+1)]
	}
	return fmt.Appendf(nil, `["%d",%d,"%s"]`, version, id, payload)
}

// wideTable makes a table of n rows whose load is complete. The rows are put
// in behind the store, because that is quicker.
func wideTable(b testing.TB, s *postgres.Store, conn *pgx.Conn, n int) *site {
	acme := newSite(b, s, "acme", "wide", wideColumns)
	acme.load(nil, 1)
	fillWide(b, conn, n)
	return acme
}

func fillWide(b testing.TB, conn *pgx.Conn, n int) {
	exec(b, conn, `INSERT INTO data.wide (customer_id, id, payload, _tm_rv, _tm_epoch) SELECT 'acme', i, repeat('p', 256), 1, 1 FROM generate_series(0, $1) i`, n-1)
	exec(b, conn, "UPDATE tidemark.versions SET rows = $1", n)
	exec(b, conn, "VACUUM ANALYZE data.wide")
}

func wal(b testing.TB, conn *pgx.Conn) (at int64) {
	if err := conn.QueryRow(b.Context(), "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").Scan(&at); err != nil {
		b.Fatal(err)
	}
	return at
}

// BenchmarkWAL tells how many bytes of WAL a row costs, with and without a
// summary, folds included: batches of 1,000 new rows, and of 50 updates of
// random rows.
func BenchmarkWAL(b *testing.B) {
	n := benchRows(b)
	for _, without := range []bool{true, false} {
		b.Run(fmt.Sprintf("without=%t", without), func(b *testing.B) {
			for b.Loop() {
				s, conn := open(b, postgres.Options{WithoutSummaries: without})
				acme := wideTable(b, s, conn, n)
				if !without {
					begin := time.Now()
					if _, err := s.Summarize(b.Context(), "acme", "wide"); err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(time.Since(begin).Seconds()/float64(n)*1e6, "s/make-million")
				}
				exec(b, conn, "ALTER TABLE data.wide SET (autovacuum_enabled = off)")
				version := 2
				measure := func(batches, size int, id func(i int) int) float64 {
					before := wal(b, conn)
					for i := range batches {
						rows := make([][]byte, size)
						for j := range rows {
							rows[j] = wideRow(id(i*size+j), version)
							version++
						}
						if _, err := s.Apply(b.Context(), acme.batch(wire.Delta, rows)); err != nil {
							b.Fatal(err)
						}
					}
					idle(b, conn)
					return float64(wal(b, conn)-before) / float64(batches*size)
				}
				b.ReportMetric(measure(100, 1000, func(i int) int { return n + i }), "WAL/appended")
				rnd := rand.New(rand.NewPCG(1, 2))
				updates := max(1000, n/300) // some folds
				b.ReportMetric(measure(updates, 50, func(int) int { return rnd.IntN(n) }), "WAL/updated")
				if !without {
					reportBuffers(b, s, conn, n)
				}
			}
		})
	}
}

// reportBuffers tells what comparisons touch, with the tail as it is.
func reportBuffers(b *testing.B, s *postgres.Store, conn *pgx.Conn, n int) {
	var tail int64
	if err := conn.QueryRow(b.Context(), "SELECT coalesce(sum(length(entry)), 0) FROM tidemark.log").Scan(&tail); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(tail), "tail-bytes")
	table, err := s.Table(b.Context(), "acme", "wide")
	if err != nil {
		b.Fatal(err)
	}
	var secret summary.Secret
	if err := secret.UnmarshalText([]byte(table.Secret)); err != nil {
		b.Fatal(err)
	}
	var tree *summary.Tree
	rows, others := touched(b, conn, func(s *postgres.Store) {
		if tree, err = s.Tree(b.Context(), "acme", "wide"); err != nil {
			b.Fatal(err)
		}
	})
	b.ReportMetric(float64(rows+others), "buffers/equal")
	for _, d := range []int{1, 1000} {
		var ids []int
		for i := range d {
			ids = append(ids, (2*i+1)*n/(2*d))
		}
		rows, others := touched(b, conn, func(s *postgres.Store) { askAbout(b, s, tree, secret, ids...) })
		b.ReportMetric(float64(rows), fmt.Sprintf("buffers-of-rows/%d", d))
		b.ReportMetric(float64(others), fmt.Sprintf("other-buffers/%d", d))
	}
}

// idle waits until no upkeep is running.
func idle(b testing.TB, conn *pgx.Conn) {
	for quiet := 0; quiet < 10; { // upkeep that was asked for may not have begun
		time.Sleep(50 * time.Millisecond)
		var running int
		err := conn.QueryRow(b.Context(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = x'746d73'::int").Scan(&running)
		if err != nil {
			b.Fatal(err)
		}
		if quiet++; running > 0 {
			quiet = 0
		}
	}
}

// question is what an agent asks about the leaf of a row: it has other rows
// there.
func askAbout(t testing.TB, s *postgres.Store, tree *summary.Tree, secret summary.Secret, ids ...int) {
	t.Helper()
	types := []wire.Type{{Kind: wire.Int}}
	bucket, err := summary.NewBucketer(tree.Layout, types, secret)
	if err != nil {
		t.Fatal(err)
	}
	leaves := summary.LeavesQuestion{Layout: tree.Layout.Number, Width: 4}
	q := summary.CompareQuestion{Layout: tree.Layout.Number, Salt: 1, Width: 4}
	for _, id := range ids { // ascending, of leaves of their own
		leaf, err := bucket.Leaf(canonInt(id))
		if err != nil {
			t.Fatal(err)
		}
		q.Leaves = append(q.Leaves, summary.LeafPrints{Leaf: leaf, Prints: []uint64{1}})
		if n := len(leaves.Nodes); n == 0 || leaves.Nodes[n-1] != leaf.Node {
			leaves.Nodes = append(leaves.Nodes, leaf.Node)
		}
	}
	if _, err := s.Leaves(t.Context(), "acme", "wide", leaves); err != nil {
		t.Fatal(err)
	}
	answered := 0
	err = s.Differences(context.WithoutCancel(t.Context()), "acme", "wide", q, func(d summary.LeafDifference) error {
		answered += d.Rows.N
		return nil
	})
	if err != nil || answered < 30*len(ids) {
		t.Fatalf("%d rows in %d leaves, %v", answered, len(ids), err)
	}
}
