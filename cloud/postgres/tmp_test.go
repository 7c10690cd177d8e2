package postgres_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

func TestTmp(t *testing.T) {
	const n = 1_000_000
	s, conn := open(t, postgres.Options{})
	acme := newSite(t, s, "acme", "dbo.orders", narrow)
	acme.load(narrowRows(1, n, 1000), batchRows)
	exec(t, conn, "VACUUM ANALYZE data.dbo_orders")
	exec(t, conn, "ALTER DATABASE "+conn.Config().Database+" SET session_preload_libraries = 'auto_explain'")
	exec(t, conn, "ALTER DATABASE "+conn.Config().Database+" SET auto_explain.log_min_duration = 50")
	exec(t, conn, "ALTER DATABASE "+conn.Config().Database+" SET auto_explain.log_analyze = on")
	exec(t, conn, "ALTER DATABASE "+conn.Config().Database+" SET auto_explain.log_timing = on")
	s.Close()
	s2, _ := postgres.Open(t.Context(), conn.Config().ConnString(), postgres.Options{})
	defer s2.Close()
	acme.Store = s2
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 4 {
		delta := make([][]byte, 50000)
		for i, id := range r.Perm(n)[:50000] {
			delta[i] = narrowRows(id+1, 1, uint64(2_000_000*(round+1)+i))[0]
		}
		begin := time.Now()
		if _, err := s2.Apply(t.Context(), acme.batch(wire.Delta, delta)); err != nil {
			t.Fatal(err)
		}
		t.Log(time.Since(begin))
		src := acme.batch(wire.Delta, delta).Rows
		acme.seq--
		begin = time.Now()
		for {
			if _, err := src.Next(); err != nil {
				break
			}
		}
		t.Log("source alone", time.Since(begin))
	}
	logs, _ := filepath.Glob("/tmp/pgtest*/log")
	for _, l := range logs {
		b, _ := os.ReadFile(l)
		os.WriteFile("/tmp/pg.log", b, 0o600)
	}
}
