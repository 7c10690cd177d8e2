package fleet_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/fleet"
	"tidemark/cloud/postgres"
	"tidemark/internal/pgtest"
)

// A large fleet.
const (
	largeCustomers = 5000
	largeTables    = 60
)

// BenchmarkLargeFleet fills Postgres with the reports of 5,000 customers of 60
// tables each, and times what an operator waits for: the first page, which
// reads all reports; the page after that, and its first contentful paint in
// Chromium; a snapshot after a tenth of the sites have reported again; a
// customer's page.
func BenchmarkLargeFleet(b *testing.B) {
	for b.Loop() {
		dsn := pgtest.Start(b)
		s, err := postgres.Open(b.Context(), dsn, postgres.Options{})
		must(b, err)
		fillLarge(b, s)
		ada := addOperator(b, s, "ada")
		present := &clock{at: now}
		conn, err := pgx.Connect(b.Context(), dsn)
		must(b, err)
		before := pagesRead(b, conn)
		page := serve(b, fleet.Config{Store: s, Operators: s, Now: present.now})
		began := time.Now()
		page.signIn(ada)
		b.ReportMetric(time.Since(began).Seconds(), "s-first-page")
		b.ReportMetric(float64(pagesRead(b, conn)-before), "first-blocks")
		b.ReportMetric(float64(len(page.get("/"))>>10), "KiB-page")

		took := times(20, func() { page.get("/") })
		b.ReportMetric(ms(took), "ms-page")
		took = times(20, func() { page.get("/?q=sql-0300") })
		b.ReportMetric(ms(took), "ms-search")
		took = times(20, func() { page.get("/customers/site-0300") })
		b.ReportMetric(ms(took), "ms-customer")

		for i := range largeCustomers / 10 {
			report(b, s, fmt.Sprintf("site-%04d", i*10), -20*time.Second, typical(i, largeTables))
		}
		before = pagesRead(b, conn)
		present.add(3 * time.Minute)
		began = time.Now()
		page.get("/") // waits: the snapshot is too old
		b.ReportMetric(ms(time.Since(began)), "ms-tenth-anew")
		b.ReportMetric(float64(pagesRead(b, conn)-before), "tenth-blocks")
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc>>20), "MiB-heap")

		c := newChromium(b, page)
		dir := os.Getenv("SCREENSHOTS")
		if dir == "" {
			dir = b.TempDir()
		}
		for i := range 5 {
			c.browse("--window-size=1600,1000", "--screenshot="+filepath.Join(dir, "large.png"), c.url+"/")
			c.mu.Lock()
			if len(c.painted) != i+1 {
				b.Fatalf("%d paints of %d", len(c.painted), i+1)
			}
			c.mu.Unlock()
		}
		slices.Sort(c.painted)
		b.ReportMetric(ms(c.painted[2]), "ms-first-paint")
		b.ReportMetric(ms(c.painted[4]), "ms-slowest-paint")
		must(b, conn.Close(b.Context()))
		b.Cleanup(func() { must(b, s.Close()) })
	}
}

func fillLarge(b *testing.B, s cloud.Store) {
	b.Helper()
	var filling sync.WaitGroup
	for part := range 4 {
		filling.Go(func() {
			for i := part; i < largeCustomers; i += 4 {
				id := fmt.Sprintf("site-%04d", i)
				_, key := cloud.NewKey(id, now)
				err := s.AddCustomer(b.Context(), cloud.Customer{ID: id, Name: fmt.Sprintf("Branch %d", i), Created: now}, key)
				if err == nil {
					var document []byte
					document, err = json.Marshal(typical(i, largeTables))
					if err == nil {
						err = s.PutReport(b.Context(), cloud.Report{Customer: id, Received: now.Add(-time.Duration(i%1700) * time.Second), Document: document})
					}
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	filling.Wait()
}

// pagesRead is how many pages of its own tables the database has touched.
func pagesRead(b *testing.B, conn *pgx.Conn) (n int64) {
	b.Helper()
	time.Sleep(1500 * time.Millisecond) // sessions tell their counters once a second
	_, err := conn.Exec(b.Context(), "SELECT pg_stat_clear_snapshot()")
	must(b, err)
	must(b, conn.QueryRow(b.Context(), `SELECT coalesce(sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0) + coalesce(toast_blks_read + toast_blks_hit, 0)
		+ coalesce(tidx_blks_read + tidx_blks_hit, 0)), 0)::bigint FROM pg_statio_user_tables WHERE schemaname IN ('tidemark', 'data')`).Scan(&n))
	return n
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// times is the median of n runs.
func times(n int, f func()) time.Duration {
	var all []time.Duration
	for range n {
		began := time.Now()
		f()
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all[n/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
