package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// crowd is a server over a store with few connections. Its customers share the
// table slow, which the test can lock, and one has the table fresh besides.
type crowd struct {
	t      *testing.T
	server *cloud.Server
	conn   *pgx.Conn
	keys   map[string]string
	slow   map[string]*site
	fresh  *site
}

// crowdConnections leave a budget of 5: 3 of it for diffs, 4 for loads.
const crowdConnections = 8

func newCrowd(t *testing.T, customers int) *crowd {
	t.Helper()
	const long = time.Hour // the test ends every wait itself
	s, conn := open(t, postgres.Options{Connections: crowdConnections, LockTimeout: long, StatementTimeout: long, IdleTimeout: long})
	limits := cloud.DefaultLimits()
	limits.Patience, limits.RequestTime = long, long
	limits.Diff.Waiting = 0
	c := &crowd{t: t, server: cloud.New(cloud.Config{Store: s, Limits: limits}), conn: conn, keys: map[string]string{}, slow: map[string]*site{}}
	enter := func(customer, table string) *site {
		at := newSite(t, s, customer, table, "id int; v int")
		secret, key := cloud.NewKey(customer, time.Now())
		if err := s.RotateKey(t.Context(), customer, key, time.Now(), time.Now()); err != nil {
			t.Fatal(err)
		}
		c.keys[customer] = secret
		return at
	}
	for i := range customers {
		customer := fmt.Sprint("c", i)
		c.slow[customer] = enter(customer, "slow")
	}
	c.fresh = enter("fresh", "fresh")
	c.fresh.load(nil, 1)
	return c
}

// do sends a request of a customer and returns its answer. No answer within
// minutes is a failure.
func (c *crowd) do(customer, method, path string, body []byte) *httptest.ResponseRecorder {
	ctx, cancel := context.WithTimeout(c.t.Context(), 3*time.Minute)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, method, "/v1/customers/"+customer+path, bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+c.keys[customer])
	if body != nil {
		r.Header.Set("Content-Type", wire.ContentType)
		r.Header.Set("Content-Encoding", "zstd")
	}
	w := httptest.NewRecorder()
	c.server.ServeHTTP(w, r)
	return w
}

func (c *crowd) send(customer, path string, header any, lines string) *httptest.ResponseRecorder {
	body, err := wire.EncodeBody(nil, header, []byte(lines))
	if err != nil {
		c.t.Error(err)
	}
	return c.do(customer, http.MethodPost, path, body)
}

// load sends a whole first load of one row of the table slow.
func (c *crowd) load(customer string) *httptest.ResponseRecorder {
	h := c.slow[customer].batch(wire.Load, [][]byte{nil}).Header
	h.Start, h.Complete, h.Watermark = true, true, new(uint64)
	h.Columns = []string{"id", "v"}
	return c.send(customer, "/tables/slow/rows", h, "[\"1\",1,1]\n")
}

// diff compares one row of the table slow.
func (c *crowd) diff(customer string) *httptest.ResponseRecorder {
	h := wire.ManifestHeader{Protocol: wire.Protocol, Mode: wire.Compare, Schema: c.slow[customer].schema.Fingerprint(), Rows: 1}
	return c.send(customer, "/tables/slow/manifest", h, "[\"1\",1]\n")
}

// passes checks that changes are taken and versions answered.
func (c *crowd) passes() {
	c.t.Helper()
	for range 3 {
		h := c.fresh.batch(wire.Delta, [][]byte{nil}).Header
		h.Columns = []string{"id", "v"}
		if a := c.send("fresh", "/tables/fresh/rows", h, fmt.Sprintf("[\"%d\",%d,1]\n", h.Seq, h.Seq)); a.Code != http.StatusOK {
			c.t.Errorf("a change: %d %s", a.Code, a.Body)
		}
		if a := c.do("fresh", http.MethodGet, "/versions", nil); a.Code != http.StatusOK {
			c.t.Errorf("versions: %d %s", a.Code, a.Body)
		}
	}
}

// refused checks that an answer says when to come back.
func (c *crowd) refused(a *httptest.ResponseRecorder) {
	c.t.Helper()
	if a.Code != http.StatusServiceUnavailable || a.Header().Get("Retry-After") == "" {
		c.t.Errorf("a diff: %d %v %s", a.Code, a.Header(), a.Body)
	}
}

// lock has whatever touches the rows of slow hang until release is called.
func (c *crowd) lock() (release func()) {
	c.t.Helper()
	tx, err := c.conn.Begin(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := tx.Exec(c.t.Context(), "LOCK TABLE data.slow IN ACCESS EXCLUSIVE MODE"); err != nil {
		c.t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(context.WithoutCancel(c.t.Context())); err != nil {
			c.t.Error(err)
		}
	}
}

// until waits until the metrics have a line.
func (c *crowd) until(line string) {
	c.t.Helper()
	var text string
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		w := httptest.NewRecorder()
		c.server.ServeHTTP(w, httptest.NewRequestWithContext(c.t.Context(), http.MethodGet, "/metrics", nil))
		if text = w.Body.String(); strings.Contains(text, line+"\n") {
			return
		}
	}
	c.t.Errorf("no %s in the metrics:\n%s", line, text)
}

// Diffs get their part of the connections and are refused beyond it; loads get
// what is left but for one place, and changes that one.
func TestDiffsAreRefusedFirst(t *testing.T) {
	c := newCrowd(t, 8)
	release := c.lock()
	var wg sync.WaitGroup
	taken := func(class string, n int, ask func(customer string) *httptest.ResponseRecorder, first int) {
		for i := range n {
			wg.Go(func() {
				if a := ask(fmt.Sprint("c", first+i)); a.Code != http.StatusOK {
					t.Errorf("a %s that was let in: %d %s", class, a.Code, a.Body)
				}
			})
		}
	}
	taken("diff", 3, c.diff, 0)
	c.until(`tidemark_gate_inside{gate="diff"} 3`)
	for i := range 3 {
		c.refused(c.diff(fmt.Sprint("c", 3+i)))
	}
	c.passes()
	taken("load", 2, c.load, 6)
	c.until(`tidemark_gate_inside{gate="load"} 1`)
	c.until(`tidemark_gate_waiting{gate="load"} 1`)
	c.refused(c.diff("c3"))
	c.passes()
	c.until(`tidemark_gate_turned_away_total{gate="diff"} 4`)
	release()
	wg.Wait()
	c.passes()
}

// However many first loads come, changes and questions for versions get their
// turn at once, and diffs are refused.
func TestLoadsLeaveRoomForChanges(t *testing.T) {
	const loads = 24
	c := newCrowd(t, loads)
	release := c.lock()
	var wg sync.WaitGroup
	for i := range loads {
		wg.Go(func() {
			if a := c.load(fmt.Sprint("c", i)); a.Code != http.StatusOK {
				t.Errorf("a load: %d %s", a.Code, a.Body)
			}
		})
	}
	c.until(`tidemark_gate_inside{gate="load"} 4`)
	c.until(fmt.Sprintf(`tidemark_gate_waiting{gate="load"} %d`, loads-4))
	c.passes()
	c.refused(c.diff("c0"))
	release()
	wg.Wait()
}
