package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"tidemark/cloud/cost"
	"tidemark/cloud/postgres"
	"tidemark/internal/pgtest"
	"tidemark/internal/wire"
)

// What requests are charged is what the server counts: all blocks of the
// dataset's table and its index, and no more than those and the registry's.
func TestBlocksOfRequests(t *testing.T) {
	first, conn := open(t, postgres.Options{Connections: 1, WithoutSummaries: true})
	withoutAutovacuum(t, conn)
	acme := newSite(t, first, "acme", "dbo.o", "id int; v varchar(max)")
	row := func(id, version int) []byte { return fmt.Appendf(nil, `["%d",%d,"%0300d"]`, version, id, id) }
	var rows [][]byte
	for i := range 5000 {
		rows = append(rows, row(i, 1))
	}
	acme.load(rows, 1000)
	first.Close() // which hands on what its session has counted
	data, registry := counted(t, conn)

	s, err := postgres.Open(t.Context(), dsnOf(conn), postgres.Options{Connections: 1, WithoutSummaries: true})
	if err != nil {
		t.Fatal(err)
	}
	acme.Store = s
	var all cost.Sums
	apply := func(least int64, rows [][]byte) {
		t.Helper()
		ctx, tally := cost.With(t.Context())
		if _, err := s.Apply(ctx, acme.batch(wire.Delta, rows)); err != nil {
			t.Fatal(err)
		}
		got := tally.Sums()
		if got.Read+got.Hit < least {
			t.Errorf("%d blocks, of at least %d", got.Read+got.Hit, least)
		}
		all.Add(got)
	}
	for i := range 20 {
		var rows [][]byte
		for j := range 100 {
			rows = append(rows, row(i+j*60, 2+i)) // some are new
		}
		apply(200, rows)
		if i == 10 {
			time.Sleep(1100 * time.Millisecond) // sessions hand on once a second
		}
	}
	s.Close()
	data2, registry2 := counted(t, conn)
	if got := all.Read + all.Hit; got < data2-data || got > data2-data+registry2-registry {
		t.Errorf("charged %d; the server counted %d of the table and %d of the registry", got, data2-data, registry2-registry)
	}
}

// Of small batches one in eight is measured: all together they are charged
// what they read, about.
func TestBlocksOfSmallBatches(t *testing.T) {
	s, _ := open(t, postgres.Options{Connections: 1, WithoutSummaries: true})
	acme := newSite(t, s, "acme", "t", "id int")
	acme.load([][]byte{[]byte(`["1",1]`)}, 1)
	charged := func(rows, batches int) float64 {
		ctx, tally := cost.With(t.Context())
		for range batches {
			var text [][]byte
			for i := range rows {
				text = append(text, fmt.Appendf(nil, `["%d",%d]`, acme.seq+2, i+2))
			}
			if _, err := s.Apply(ctx, acme.batch(wire.Delta, text)); err != nil {
				t.Fatal(err)
			}
		}
		got := tally.Sums()
		return float64(got.Read+got.Hit) / float64(batches)
	}
	always := charged(100, 20)
	if sometimes := charged(99, 300); sometimes < always/4 || sometimes > always*2 { // over five standard deviations
		t.Errorf("%.0f blocks for a batch of 99 rows, %.0f for one of 100", sometimes, always)
	}
}

// The counters grow with what is done, and name datasets as the API does.
func TestCounters(t *testing.T) {
	s, _ := open(t, postgres.Options{Connections: 1, WithoutSummaries: true})
	acme := newSite(t, s, "acme", "dbo.Order Lines", "id int")
	before, err := s.Counters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := before.Datasets["dbo.Order Lines"]; !ok || before.MaxConnections == 0 || before.Lag != 0 || time.Since(before.At).Abs() > time.Minute {
		t.Errorf("%+v", before)
	}
	var rows [][]byte
	for i := range 2000 {
		rows = append(rows, fmt.Appendf(nil, `["1",%d]`, i))
	}
	acme.load(rows, 500)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		now, err := s.Counters(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d := now.Since(before)
		o := d.Datasets["dbo.Order Lines"]
		if o.Changed == 2000 && o.Read+o.Hit > 2000 && d.Log > 100_000 && d.Read+d.Hit > 2000 && d.LogOf("dbo.Order Lines") > d.Log/2 && now.Connections > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v, of which %+v", d, o)
		}
	}
}

// What it costs to measure a batch of one row, and one of 100, which is
// always measured: of the first, one in eight is.
func BenchmarkMeasuring(b *testing.B) {
	for _, rows := range []int{1, 100} {
		for _, measured := range []bool{false, true} {
			b.Run(fmt.Sprintf("rows=%d/measured=%v", rows, measured), func(b *testing.B) {
				s, _ := open(b, postgres.Options{Connections: 1})
				acme := newSite(b, s, "acme", "dbo.o", "id int; v varchar(max)")
				acme.load([][]byte{[]byte(`["1",1,"a"]`)}, 1000)
				ctx, id := b.Context(), 10
				if measured {
					ctx, _ = cost.With(ctx)
				}
				for b.Loop() {
					batch := make([][]byte, rows)
					for i := range batch {
						id++
						batch[i] = fmt.Appendf(nil, `["%d",%d,"a"]`, id, id)
					}
					if _, err := s.Apply(ctx, acme.batch(wire.Delta, batch)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// What is counted for a dataset is what the server's views tell of its table,
// with the index and what is stored out of line.
func TestCountersAreTheViews(t *testing.T) {
	s, conn := open(t, postgres.Options{Connections: 1, WithoutSummaries: true})
	acme := newSite(t, s, "acme", "dbo.o", "id int; v varchar(max)")
	var rows [][]byte
	for i := range 200 {
		wide := ""
		for j := range 2000 {
			wide += fmt.Sprintf("%x", (i*j)%65521) // does not compress to a page
		}
		rows = append(rows, fmt.Appendf(nil, `["1",%d,%q]`, i, wide))
	}
	acme.load(rows, 100)
	views := func() (read, hit, changed, toast int64) {
		err := conn.QueryRow(t.Context(), `SELECT heap_blks_read + idx_blks_read + toast_blks_read + tidx_blks_read, heap_blks_hit + idx_blks_hit + toast_blks_hit + tidx_blks_hit,
			n_tup_ins + n_tup_upd + n_tup_del, toast_blks_hit FROM pg_statio_user_tables JOIN pg_stat_user_tables u USING (relid) WHERE u.schemaname = 'data'`).Scan(&read, &hit, &changed, &toast)
		if err != nil {
			t.Fatal(err)
		}
		return read, hit, changed, toast
	}
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(100 * time.Millisecond) { // sessions hand on when they like
		c, err := s.Counters(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		read, hit, changed, toast := views()
		got := c.Datasets["dbo.o"]
		if got.Read == read && got.Hit == hit && got.Changed == changed && changed >= 200 && toast > 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("counted %+v; the views tell %d, %d, %d (%d of TOAST)", got, read, hit, changed, toast)
		}
	}
}

// A replica is counted while it is connected: without one nothing keeps up.
func TestCountersOfReplicas(t *testing.T) {
	s, conn := open(t, postgres.Options{Connections: 1, WithoutSummaries: true})
	replicas := func(want int) {
		t.Helper()
		for end := time.Now().Add(5 * time.Minute); ; time.Sleep(50 * time.Millisecond) { // the server notices by itself that one has left
			c, err := s.Counters(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if c.Replicas == want && c.Lag >= 0 {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%d replicas, %s behind, not %d", c.Replicas, c.Lag, want)
			}
		}
	}
	replicas(0)
	leave := pgtest.Replica(t, dsnOf(conn))
	replicas(1)
	leave()
	replicas(0)
}

// What servers of each version count is read from the views as their manuals
// have them ("The Cumulative Statistics System"): stand-ins in front of those
// of the server that is here.
func TestCountersOfEveryVersion(t *testing.T) {
	_, conn := open(t, postgres.Options{})
	exec(t, conn, "CREATE SCHEMA stood_in")
	exec(t, conn, "SET search_path = stood_in, pg_catalog")
	const (
		database = "CREATE VIEW pg_stat_database AS SELECT * FROM (VALUES (NULL::oid, 2::bigint, 20::bigint), (5, 3, 30)) v (datid, blks_read, blks_hit)"
		bgwriter = "CREATE VIEW pg_stat_bgwriter AS SELECT 100::bigint AS buffers_checkpoint, 10::bigint AS buffers_clean, 1::bigint AS buffers_backend"
		wal      = "CREATE VIEW pg_stat_wal AS SELECT 1000::bigint AS wal_write"
		io16     = `CREATE VIEW pg_stat_io AS SELECT * FROM (VALUES
			('client backend', 'relation', 'normal', 7::bigint, 4::bigint, 2::bigint, 8192::bigint, 50::bigint),
			('client backend', 'relation', 'bulkread', 3, NULL, NULL, 8192, 5),
			('checkpointer', 'relation', 'normal', NULL, 30, NULL, 8192, NULL)) v (backend_type, object, context, reads, writes, extends, op_bytes, hits)`
		io18 = `CREATE VIEW pg_stat_io AS SELECT * FROM (VALUES
			('client backend', 'relation', 'normal', 7::bigint, 14 * 8192::numeric, 4::bigint, 4 * 8192::numeric, 2::bigint, 2 * 8192::numeric, 50::bigint),
			('checkpointer', 'relation', 'normal', NULL, NULL, 30, 30 * 8192, NULL, NULL, NULL),
			('startup', 'wal', 'normal', 9, 9 * 8192, NULL, NULL, NULL, NULL, NULL),
			('client backend', 'wal', 'normal', 0, 0, 1000, 12345, NULL, NULL, NULL)) v (backend_type, object, context, reads, read_bytes, writes, write_bytes, extends, extend_bytes, hits)`
	)
	for _, test := range []struct {
		major                    int
		views                    []string
		reads, writes, read, hit int64
	}{
		{14, []string{database, bgwriter, wal}, 5, 1111, 5, 50},
		{15, []string{database, bgwriter, wal}, 5, 1111, 5, 50},
		{16, []string{io16, wal}, 10, 1036, 10, 55},
		{17, []string{io16, wal}, 10, 1036, 10, 55},
		{18, []string{io18}, 7, 1036, 14, 50}, // an operation of several blocks; no pg_stat_wal.wal_write
		{19, []string{io18}, 7, 1036, 14, 50},
	} {
		for _, name := range []string{"pg_stat_database", "pg_stat_bgwriter", "pg_stat_wal", "pg_stat_io"} {
			exec(t, conn, "DROP VIEW IF EXISTS stood_in."+name)
		}
		for _, view := range test.views {
			exec(t, conn, view)
		}
		var reads, writes, read, hit int64
		if err := conn.QueryRow(t.Context(), postgres.CountIO(test.major)).Scan(&reads, &writes, &read, &hit); err != nil {
			t.Fatalf("Postgres %d: %v", test.major, err)
		}
		if reads != test.reads || writes != test.writes || read != test.read || hit != test.hit {
			t.Errorf("Postgres %d: %d reads, %d writes, %d blocks read, %d hit", test.major, reads, writes, read, hit)
		}
	}
	// Before 14 nobody counts writes of the log: its pages are.
	exec(t, conn, "DROP VIEW stood_in.pg_stat_io")
	for _, view := range []string{database, bgwriter} {
		exec(t, conn, view)
	}
	var reads, writes, read, hit, pages int64
	if err := conn.QueryRow(t.Context(), postgres.CountIO(13)).Scan(&reads, &writes, &read, &hit); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(t.Context(), "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint / 8192").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if reads != 5 || read != 5 || hit != 50 || writes <= 111 || writes > 111+pages {
		t.Errorf("Postgres 13: %d reads, %d writes of %d pages, %d blocks read, %d hit", reads, writes, pages, read, hit)
	}
}
