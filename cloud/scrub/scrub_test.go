package scrub_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tidemark/cloud"
	"tidemark/cloud/scrub"
	"tidemark/internal/wire"
)

// store answers what the test says.
type store struct {
	mu     sync.Mutex
	wrong  map[string]int
	errs   map[string]error
	broken error
	asked  []string
	at     []time.Time
}

func (s *store) ListCustomers(context.Context) ([]cloud.Customer, error) {
	return []cloud.Customer{{ID: "acme"}, {ID: "globex"}}, s.broken
}

func (s *store) Versions(_ context.Context, customer string) (wire.Versions, error) {
	return wire.Versions{Tables: map[string]wire.Version{"b": {Loaded: true}, "a": {Loaded: true}, "loading": {}}}, nil
}

func (s *store) Scrub(_ context.Context, customer, table string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := customer + "/" + table
	s.asked = append(s.asked, name)
	s.at = append(s.at, time.Now())
	return s.wrong[name], s.errs[name]
}

// A pass takes about as long as it should, table after table; what is wrong is
// an alarm, and no error ends it.
func TestPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		s := &store{wrong: map[string]int{"acme/b": 3}, errs: map[string]error{"globex/a": errors.New("of the test"), "globex/b": wire.NewProblem(wire.NoSummary, "", "")}}
		r := &scrub.Scrubber{Store: s, Log: zap.New(core), Every: 4 * time.Hour}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		begin := time.Now()
		go func() { r.Run(ctx); close(done) }()
		time.Sleep(24 * time.Hour)
		cancel()
		<-done
		if strings.Join(s.asked[:5], " ") != "acme/a acme/b globex/a globex/b acme/a" {
			t.Errorf("%v", s.asked)
		}
		if n := len(s.asked); n < 18 || n > 30 || s.at[0].Sub(begin) < 30*time.Minute {
			t.Errorf("%d tables in 24 hours, the first after %v", n, s.at[0].Sub(begin))
		}
		alarm := logs.FilterLevelExact(zap.ErrorLevel).All()
		if len(alarm) == 0 || alarm[0].ContextMap()["table"] != "b" || !strings.Contains(alarm[0].Message, "alarm") || logs.FilterLevelExact(zap.WarnLevel).Len() == 0 {
			t.Errorf("logged %v", logs.All())
		}
		var text strings.Builder
		r.WriteMetrics(&text)
		if got := text.String(); !strings.Contains(got, "\ntidemark_scrub_wrong_leaves_total ") || strings.Contains(got, "tidemark_scrub_wrong_total 0\n") ||
			strings.Contains(got, "tidemark_scrub_failed_total 0\n") || strings.Contains(got, "tidemark_scrubbed_total 0\n") {
			t.Errorf("%s", got)
		}
	})
}

// A store that cannot be read is asked again, not all the time.
func TestStoreIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		r := &scrub.Scrubber{Store: &store{broken: cloud.ErrUnavailable}, Log: zap.New(core), Every: 24 * time.Hour}
		ctx, cancel := context.WithTimeout(t.Context(), 48*time.Hour)
		defer cancel()
		r.Run(ctx)
		if n := logs.Len(); n < 30 || n > 100 {
			t.Errorf("%d warnings in 48 hours", n)
		}
	})
}

// The counters are among the server's.
func TestMetrics(t *testing.T) {
	r := &scrub.Scrubber{}
	w := httptest.NewRecorder()
	cloud.New(cloud.Config{Extra: r.WriteMetrics}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if got := w.Body.String(); !strings.Contains(got, "\ntidemark_scrubbed_total 0\n") || !strings.Contains(got, "tidemark_gate_inside") {
		t.Errorf("%s", got)
	}
}
