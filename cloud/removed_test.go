package cloud_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// A customer that is removed while it sends is told so, and finds nothing of
// what was under way when it comes back.
func TestCustomerIsRemovedWhileItSends(t *testing.T) {
	var clock atomic.Int64
	clock.Store(time.Now().UnixNano())
	now := func() time.Time { return time.Unix(0, clock.Load()) }
	s := newSite(t, cloud.Config{Now: now})
	inside, proceed := make(chan struct{}), make(chan struct{})
	s.store.apply = func(context.Context) error {
		close(inside)
		<-proceed
		return nil
	}
	body := s.batch(t, `["1",1,"a"]`)
	answered := make(chan answer, 1)
	go func() { answered <- s.post(t, body) }()
	<-inside
	s.store.apply = nil
	if err := (cloud.Operator{Store: s.store, Who: "ann", Why: "they have left"}).RemoveCustomer(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	close(proceed)
	if p := (<-answered).problem(t, wire.NotFound); p.Hint == "" {
		t.Errorf("%+v", p)
	}
	// Within the seconds in which its key still opens, an agent registers its table again.
	schema, err := json.Marshal(simple)
	if err != nil {
		t.Fatal(err)
	}
	p := s.do(t, http.MethodPut, "/v1/customers/acme/tables/t/schema", strings.NewReader(string(schema)), func(r *http.Request) {
		r.Header.Set("Content-Type", "application/json")
	}).problem(t, wire.NotFound)
	if !strings.Contains(p.Detail, "no customer acme") || !strings.Contains(p.Hint, "removed") {
		t.Errorf("%+v", p)
	}
	clock.Add(int64(16 * time.Second))
	if p := s.post(t, body).problem(t, wire.Unauthorized); !strings.Contains(p.Hint, "removed") {
		t.Errorf("%+v", p)
	}

	clock.Add(int64(2 * time.Second))
	secret, key := cloud.NewKey("acme", now())
	if err := s.store.AddCustomer(t.Context(), cloud.Customer{ID: "acme", Created: now()}, key); err != nil {
		t.Fatal(err)
	}
	s.key = secret
	var all wire.Versions
	if a := s.do(t, http.MethodGet, versionsPath, nil); json.Unmarshal([]byte(a.body), &all) != nil || a.StatusCode != http.StatusOK || len(all.Tables) != 0 {
		t.Errorf("the customer comes back and finds %d %s", a.StatusCode, a.body)
	}
	held, err := s.store.Register(t.Context(), "acme", "t", simple)
	if err != nil || held.Version != (wire.Version{Schema: simple.Fingerprint()}) {
		t.Errorf("%+v, %v", held.Version, err)
	}
	err = s.store.Rows(t.Context(), "acme", "t", func(r cloud.Row) error {
		t.Errorf("a row is left: %s", r.Values)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
