package postgres_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

const batchRows = 50_000

// BenchmarkFirstLoad loads a million rows through the store, then copies what
// came out of it into a table like it, in one COPY. The ratio of the rates is
// what counts.
func BenchmarkFirstLoad(b *testing.B) {
	const n = 1_000_000
	rows := narrowRows(1, n, 1000)
	for b.Loop() {
		s, conn := open(b, postgres.Options{})
		exec(b, conn, "SET search_path = public")
		acme := newSite(b, s, "acme", "dbo.orders", narrow)
		begin := time.Now()
		acme.load(rows, batchRows)
		load := time.Since(begin)

		var text bytes.Buffer
		if _, err := conn.PgConn().CopyTo(b.Context(), &text, "COPY (SELECT * FROM data.dbo_orders ORDER BY customer_id, id) TO STDOUT"); err != nil {
			b.Fatal(err)
		}
		exec(b, conn, "CREATE TABLE plain (LIKE data.dbo_orders INCLUDING ALL) WITH (fillfactor = 90)")
		begin = time.Now()
		if _, err := conn.PgConn().CopyFrom(b.Context(), &text, "COPY plain FROM STDIN"); err != nil {
			b.Fatal(err)
		}
		plain := time.Since(begin)
		b.ReportMetric(plain.Seconds()/load.Seconds(), "of-a-plain-COPY")
		b.ReportMetric(n/load.Seconds(), "rows/s")
	}
}

// BenchmarkDelta updates 100,000 rows of a million, first in one statement
// from a filled staging table, then other 100,000 through the store.
func BenchmarkDelta(b *testing.B) {
	const n, changed = 1_000_000, 100_000
	rows := narrowRows(1, n, 1000)
	for b.Loop() {
		s, conn := open(b, postgres.Options{})
		acme := newSite(b, s, "acme", "dbo.orders", narrow)
		acme.load(rows, batchRows)
		exec(b, conn, "VACUUM ANALYZE data.dbo_orders")
		ids := rand.New(rand.NewPCG(1, 2)).Perm(n)

		plain := plainUpsert(b, conn, ids[:changed])
		delta := make([][]byte, changed)
		for i, id := range ids[changed : 2*changed] {
			delta[i] = narrowRows(id+1, 1, uint64(2_000_000+i))[0]
		}
		exec(b, conn, "CHECKPOINT")
		begin := time.Now()
		for at := 0; at < changed; at += batchRows {
			a, err := acme.Apply(b.Context(), acme.batch(wire.Delta, delta[at:at+batchRows]))
			if err != nil || a.Updated != batchRows {
				b.Fatalf("%+v, %v", a, err)
			}
		}
		took := time.Since(begin)
		b.ReportMetric(plain.Seconds()/took.Seconds(), "of-a-plain-upsert")
		b.ReportMetric(changed/took.Seconds(), "rows/s")
	}
}

// plainUpsert is the yardstick: one INSERT ... ON CONFLICT DO UPDATE from a
// staging table that is filled already.
func plainUpsert(b *testing.B, conn *pgx.Conn, ids []int) time.Duration {
	exec(b, conn, "CREATE TEMPORARY TABLE yardstick (n int, LIKE data.dbo_orders)")
	exec(b, conn, `INSERT INTO yardstick SELECT n, d.customer_id, d.id, d.name || ' changed', d.amount, d.at, d.ok, d.uid, d._tm_rv + 1000000, d._tm_epoch
		FROM unnest($1::int[]) WITH ORDINALITY AS i (id, n) JOIN data.dbo_orders d ON d.customer_id = 'acme' AND d.id = i.id + 1 ORDER BY n`, ids)
	exec(b, conn, "ALTER TABLE yardstick DROP COLUMN n")
	exec(b, conn, "CHECKPOINT")
	begin := time.Now()
	exec(b, conn, `INSERT INTO data.dbo_orders AS t SELECT * FROM yardstick ON CONFLICT (customer_id, id) DO UPDATE SET
		name = excluded.name, amount = excluded.amount, at = excluded.at, ok = excluded.ok, uid = excluded.uid,
		_tm_rv = excluded._tm_rv, _tm_epoch = excluded._tm_epoch WHERE t._tm_rv < excluded._tm_rv`)
	return time.Since(begin)
}
