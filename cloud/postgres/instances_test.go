package postgres_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// Several instances over one database never tell an agent a version from
// before a write that was answered, through whichever of them it went.
func TestInstancesAgree(t *testing.T) {
	first, conn := open(t, postgres.Options{Connections: 6})
	second, err := postgres.Open(t.Context(), conn.Config().ConnString(), postgres.Options{Connections: 6})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	stores := []*postgres.Store{first, second}
	servers := []http.Handler{cloud.New(cloud.Config{Store: first}), cloud.New(cloud.Config{Store: second})}
	schema := newSite(t, first, "acme", "t0", "id int").schema
	secret, key := cloud.NewKey("acme", time.Now())
	if err := first.RotateKey(t.Context(), "acme", key, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}

	var agents sync.WaitGroup
	for n := range 3 { // tables of one customer, written at the same time
		table := fmt.Sprintf("t%d", n)
		if _, err := first.Register(t.Context(), "acme", table, schema); err != nil {
			t.Fatal(err)
		}
		agents.Go(func() {
			s := &site{t: t, customer: "acme", table: table, schema: schema}
			tag := ""
			for i := range 40 {
				b := s.batch(wire.Load, [][]byte{fmt.Appendf(nil, `["%d",%d]`, i+1, i)})
				b.Header.Start = i == 0
				if _, err := stores[(i+n)%2].Apply(t.Context(), b); err != nil {
					t.Errorf("%s: %v", table, err)
					return
				}
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/customers/acme/versions", nil)
				r.Header.Set("Authorization", "Bearer "+secret)
				r.Header.Set("If-None-Match", tag)
				w := httptest.NewRecorder()
				servers[(i+n+1)%2].ServeHTTP(w, r)
				var all wire.Versions
				if w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &all) != nil || all.Tables[table].Seq != s.seq {
					t.Errorf("%s: after batch %d: status %d, %+v", table, s.seq, w.Code, all.Tables[table])
					return
				}
				tag = w.Header().Get("ETag")
			}
		})
	}
	agents.Wait()
}
