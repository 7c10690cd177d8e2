package cloud_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

func (s *site) enroll(t *testing.T, code string) answer {
	t.Helper()
	body, err := json.Marshal(wire.Enrollment{Code: code})
	if err != nil {
		t.Fatal(err)
	}
	return s.do(t, http.MethodPost, "/v1/enroll", bytes.NewReader(body), func(r *http.Request) {
		r.Header.Del("Authorization")
		r.Header.Set("Content-Type", "application/json")
	})
}

func (s *site) invite(t *testing.T, now time.Time) string {
	t.Helper()
	code, i := cloud.NewInvitation("acme", now, time.Hour)
	if err := s.store.Invite(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	return code
}

// TestEnrolmentsAreNotTapped: a recording of requests holds no key, and no
// code that is worth one in a copy of the database.
func TestEnrolmentsAreNotTapped(t *testing.T) {
	var tapped []string // the requests come one by one
	s := newSite(t, cloud.Config{Tap: func(x cloud.Exchange) { tapped = append(tapped, x.Endpoint+string(x.Body)) }})
	code := s.invite(t, time.Now())
	if a := s.enroll(t, code); a.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	s.do(t, http.MethodGet, versionsPath, nil)
	s.http.Close() // waits for the handlers, which tell at their end
	if want := []string{"GET versions"}; !slices.Equal(tapped, want) {
		t.Errorf("told of %q, not %q", tapped, want)
	}
}

func TestEnroll(t *testing.T) {
	var clock atomic.Int64
	clock.Store(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC).UnixNano())
	now := func() time.Time { return time.Unix(0, clock.Load()) }
	core, logged := observer.New(zap.InfoLevel)
	s := newSite(t, cloud.Config{Now: now, Logger: zap.New(core)})
	if a := s.do(t, http.MethodGet, versionsPath, nil); a.StatusCode != 200 {
		t.Fatalf("status %d", a.StatusCode)
	}
	code := s.invite(t, now())
	if !strings.HasPrefix(code, "acme-") || len(code) != len("acme")+4*6 {
		t.Errorf("code %q", code)
	}

	// It is good as it was said on the telephone, once.
	got := s.enroll(t, " "+strings.ToLower(strings.Replace(code, "-", " - ", 1))+"\n")
	var e wire.Enrolled
	if err := json.Unmarshal([]byte(got.body), &e); err != nil || got.StatusCode != 200 || e.Customer != "acme" || got.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s, %v", got.StatusCode, got.body, err)
	}
	before := s.key
	for _, key := range []string{e.Key, before} { // at once, although keys are looked up once a second
		s.key = key
		if a := s.do(t, http.MethodGet, versionsPath, nil); a.StatusCode != 200 {
			t.Errorf("%s: %d", key, a.StatusCode)
		}
	}
	p := s.enroll(t, code).problem(t, wire.NotFound)
	if !strings.Contains(p.Hint, "customers invite") {
		t.Errorf("hint %q", p.Hint)
	}

	// And not when it is late, wrong, or none.
	late := s.invite(t, now())
	clock.Add(int64(time.Hour))
	good := s.invite(t, now())
	for _, bad := range []string{late, "", "acme", "acme-AAAAA-AAAAA-AAAAA-AAAAA", "nobody" + strings.TrimPrefix(good, "acme"), good + "A", strings.Repeat("a-", 1000)} {
		if q := s.enroll(t, bad).problem(t, wire.NotFound); q.Detail != p.Detail {
			t.Errorf("%q: %q", bad, q.Detail)
		}
	}
	for _, l := range logged.All() {
		if text := l.Message + " " + toJSON(t, l.ContextMap()); strings.Contains(text, e.Key) || strings.Contains(text, code[5:]) {
			t.Errorf("logged: %s", text)
		}
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Of several that come at once with one code, one gets a key.
func TestEnrollOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSite(t, cloud.Config{})
		code := s.invite(t, time.Now())
		var wins atomic.Int32
		var racing sync.WaitGroup
		for range 6 {
			racing.Go(func() {
				if s.enroll(t, code).StatusCode == 200 {
					wins.Add(1)
				}
			})
		}
		racing.Wait()
		if wins.Load() != 1 {
			t.Errorf("%d were let in", wins.Load())
		}
	})
}

// Guessing is slow, and what is not a small document is not read.
func TestEnrollIsPaced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSite(t, cloud.Config{})
		large := s.do(t, http.MethodPost, "/v1/enroll", strings.NewReader(`{"code":"`+strings.Repeat("x", 8<<10)+`"}`))
		large.problem(t, wire.TooLarge)
		refused := 0
		for range 20 {
			a := s.enroll(t, "acme-AAAAA-AAAAA-AAAAA-AAAAB")
			if a.StatusCode == http.StatusServiceUnavailable {
				a.problem(t, wire.Overloaded)
				if refused++; a.Header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
			}
		}
		if refused != 11 { // ten at once, the large one among them
			t.Errorf("%d of 20 in a row were turned away", refused)
		}
		if a := s.do(t, http.MethodGet, versionsPath, nil); a.StatusCode != 200 {
			t.Errorf("those with a key wait for those without: %d", a.StatusCode)
		}
		time.Sleep(time.Second)
		s.enroll(t, "acme-AAAAA-AAAAA-AAAAA-AAAAB").problem(t, wire.NotFound)
		s.enroll(t, "acme-AAAAA-AAAAA-AAAAA-AAAAB").problem(t, wire.Overloaded)
	})
}
