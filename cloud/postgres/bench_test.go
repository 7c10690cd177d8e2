package postgres_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// batchRows is what an agent reads in about half a second.
const batchRows = 50_000

// A sender sends batches to the API over HTTP, as an agent does.
type sender struct {
	*site
	url, key string
}

func newSender(b *testing.B, s *postgres.Store) *sender {
	b.Helper()
	server := httptest.NewServer(cloud.New(cloud.Config{Store: s}))
	b.Cleanup(server.Close)
	acme := newSite(b, s, "acme", "dbo.orders", narrow)
	secret, key := cloud.NewKey("acme", time.Now())
	if err := s.RotateKey(b.Context(), "acme", key, time.Now(), time.Now()); err != nil {
		b.Fatal(err)
	}
	return &sender{acme, server.URL + "/v1/customers/acme/tables/" + url.PathEscape("dbo.orders") + "/rows", secret}
}

// bodies encodes rows as the bodies of batches: an agent's work, not timed.
func (s *sender) bodies(kind wire.BatchKind, rows [][]byte) [][]byte {
	var all [][]byte
	for at := 0; at < len(rows); at += batchRows {
		part := rows[at:min(at+batchRows, len(rows))]
		h := s.batch(kind, part).Header
		for _, c := range s.schema.Columns {
			h.Columns = append(h.Columns, c.Name)
		}
		if kind == wire.Load {
			h.Start, h.Complete = at == 0, at+batchRows >= len(rows)
			if h.Complete {
				h.Watermark = new(uint64)
			}
		}
		body, err := wire.EncodeBody(nil, h, append(bytes.Join(part, []byte{'\n'}), '\n'))
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, body)
	}
	return all
}

// send sends the bodies one after the other and returns how long it took.
func (s *sender) send(bodies [][]byte) (took time.Duration, total wire.Answer) {
	begin := time.Now()
	for _, body := range bodies {
		r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url, bytes.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.key)
		r.Header.Set("Content-Type", wire.ContentType)
		r.Header.Set("Content-Encoding", "zstd")
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			s.t.Fatal(err)
		}
		text, err := io.ReadAll(got.Body)
		got.Body.Close()
		var a wire.Answer
		if err != nil || got.StatusCode != http.StatusOK || json.Unmarshal(text, &a) != nil {
			s.t.Fatalf("%s %s %v", got.Status, text, err)
		}
		total.Inserted += a.Inserted
		total.Updated += a.Updated
	}
	return time.Since(begin), total
}

// BenchmarkFirstLoad loads a million rows through the API, then copies what
// came out of it into a table like it, in one COPY. The ratio of the rates is
// what counts.
func BenchmarkFirstLoad(b *testing.B) {
	const n = 1_000_000
	rows := narrowRows(1, n, 1000)
	for b.Loop() {
		s, conn := open(b, postgres.Options{})
		exec(b, conn, "SET search_path = public")
		acme := newSender(b, s)
		bodies := acme.bodies(wire.Load, rows)
		exec(b, conn, "CHECKPOINT")
		load, total := acme.send(bodies)
		if total.Inserted != n {
			b.Fatalf("%+v", total)
		}
		plain := plainCopy(b, conn)
		b.ReportMetric(plain.Seconds()/load.Seconds(), "of-a-plain-COPY")
		b.ReportMetric(n/load.Seconds(), "rows/s")
	}
}

// plainCopy is the yardstick: one COPY of the same rows.
func plainCopy(b *testing.B, conn *pgx.Conn) time.Duration {
	var text bytes.Buffer
	if _, err := conn.PgConn().CopyTo(b.Context(), &text, "COPY (SELECT * FROM data.dbo_orders ORDER BY customer_id, id) TO STDOUT"); err != nil {
		b.Fatal(err)
	}
	exec(b, conn, "CREATE TABLE plain (LIKE data.dbo_orders INCLUDING ALL) WITH (fillfactor = 90)")
	exec(b, conn, "CHECKPOINT")
	begin := time.Now()
	if _, err := conn.PgConn().CopyFrom(b.Context(), &text, "COPY plain FROM STDIN"); err != nil {
		b.Fatal(err)
	}
	return time.Since(begin)
}

// BenchmarkDelta updates 100,000 rows of a million, first in one statement
// from a filled staging table, then other 100,000 through the API.
func BenchmarkDelta(b *testing.B) {
	const n, changed = 1_000_000, 100_000
	rows := narrowRows(1, n, 1000)
	for b.Loop() {
		s, conn := open(b, postgres.Options{})
		acme := newSender(b, s)
		acme.send(acme.bodies(wire.Load, rows))
		exec(b, conn, "VACUUM ANALYZE data.dbo_orders")
		ids := rand.New(rand.NewPCG(1, 2)).Perm(n)

		plain := plainUpsert(b, conn, ids[:changed])
		delta := make([][]byte, changed)
		for i, id := range ids[changed : 2*changed] {
			delta[i] = narrowRows(id+1, 1, uint64(2_000_000+i))[0]
		}
		bodies := acme.bodies(wire.Delta, delta)
		exec(b, conn, "CHECKPOINT")
		took, total := acme.send(bodies)
		if total.Updated != changed {
			b.Fatalf("%+v", total)
		}
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

// BenchmarkUpload is how fast rows go through the API once the first load is
// complete, with summaries kept and without, round after round: new rows, and
// updates of random ones, in batches of 50,000.
func BenchmarkUpload(b *testing.B) {
	const n, rounds, changed = 300_000, 12, 100_000
	rows := narrowRows(1, n, 1000)
	for b.Loop() {
		took := map[string]time.Duration{} // the best round: others share the machine
		senders := map[bool]*sender{}
		for _, without := range []bool{true, false} {
			s, conn := open(b, postgres.Options{WithoutSummaries: without})
			senders[without] = newSender(b, s)
			senders[without].send(senders[without].bodies(wire.Load, rows))
			idle(b, conn)
			exec(b, conn, "VACUUM ANALYZE data.dbo_orders")
		}
		ids := rand.New(rand.NewPCG(1, 2)).Perm(n)
		for round := range rounds {
			added := narrowRows(n+1+round*changed, changed, 2_000_000)
			delta := make([][]byte, changed)
			for i := range delta {
				delta[i] = narrowRows(ids[(round*changed+i)%n]+1, 1, uint64(3_000_000+round*changed+i))[0]
			}
			for _, without := range []bool{round%2 == 0, round%2 != 0} {
				acme := senders[without]
				for kind, rows := range map[string][][]byte{"added": added, "updated": delta} {
					spent, total := acme.send(acme.bodies(wire.Delta, rows))
					if total.Inserted+total.Updated != changed {
						b.Fatalf("%+v", total)
					}
					if best := took[fmt.Sprint(kind, without)]; best == 0 || spent < best {
						took[fmt.Sprint(kind, without)] = spent
					}
				}
			}
		}
		for _, kind := range []string{"added", "updated"} {
			b.ReportMetric(took[kind+"true"].Seconds()/took[kind+"false"].Seconds(), kind+"-of-without")
			b.ReportMetric(changed/took[kind+"false"].Seconds(), kind+"/s")
		}
	}
}
