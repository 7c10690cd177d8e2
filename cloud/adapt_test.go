package cloud_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tidemark/cloud"
)

// With the limits as they are by default, what is let in at once follows how
// long the store takes: fewer while it is slow, more again when it is not. Nobody
// is refused for it as long as the queue is enough.
func TestLimitsFollowTheStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSite(t, cloud.Config{})
		var takes atomic.Int64
		s.store.versions = func(context.Context) error {
			time.Sleep(time.Duration(takes.Load()))
			return nil
		}
		var sites []func(*http.Request)
		for i := range 32 {
			sites = append(sites, s.joined(t, fmt.Sprint("c", i)))
		}
		ask := func(path string, change func(*http.Request)) *httptest.ResponseRecorder {
			r, w := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil), httptest.NewRecorder()
			change(r)
			s.server.ServeHTTP(w, r)
			return w
		}
		limit := regexp.MustCompile(`(?m)^tidemark_gate_limit\{gate="read"\} (\d+)$`)
		// settled is the limit after all have asked for a while without a pause.
		settled := func(each, during time.Duration) int {
			takes.Store(int64(each))
			end := time.Now().Add(during)
			var wg sync.WaitGroup
			for _, site := range sites {
				wg.Go(func() {
					for time.Now().Before(end) {
						if w := ask(versionsPath, site); w.Code != http.StatusOK {
							t.Errorf("%d %s", w.Code, w.Body)
						}
					}
				})
			}
			wg.Wait()
			m := limit.FindStringSubmatch(ask("/metrics", func(*http.Request) {}).Body.String())
			if m == nil {
				t.Fatal("the limit is not told")
			}
			n, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		most := cloud.DefaultLimits().Read.Running
		if n := settled(100*time.Millisecond, 3*time.Second); n != most {
			t.Errorf("a store that takes as long as usual has a limit of %d", n)
		}
		slow := settled(time.Second, 10*time.Second)
		if slow > most/4 {
			t.Errorf("one that takes ten times as long has a limit of %d", slow)
		}
		if n := settled(100*time.Millisecond, 8*time.Second); n < 2*slow || n < len(sites)/2 {
			t.Errorf("as fast as before, it has a limit of %d", n)
		}
	})
}
