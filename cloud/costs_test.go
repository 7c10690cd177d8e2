package cloud_test

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tidemark/cloud"
	"tidemark/cloud/cost"
)

// Every request of a customer is charged once, to its endpoint and to a table
// that there is; what nobody's key opened is charged to nobody.
func TestRequestsAreCharged(t *testing.T) {
	meter := cost.NewMeter(time.Now())
	core, logs := observer.New(zap.InfoLevel)
	s := newSite(t, cloud.Config{Costs: meter, Logger: zap.New(core)})
	s.store.apply = func(ctx context.Context) error {
		cost.From(ctx).Blocks(7, 11) // as a database that counts
		return nil
	}
	body := s.batch(t, `["1",1,"a"]`, `["1",2,"b"]`)
	got := s.post(t, body)
	if got.StatusCode != http.StatusOK {
		t.Fatal(got.body)
	}
	s.post(t, body) // again: answered, and nothing changed
	s.do(t, http.MethodGet, versionsPath, nil)
	s.do(t, http.MethodGet, "/v1/customers/acme/tables/made-up", nil)
	s.do(t, http.MethodGet, "/v1/customers/globex/versions", nil)
	s.do(t, http.MethodGet, versionsPath, nil, func(r *http.Request) { r.Header.Del("Authorization") })
	s.do(t, http.MethodGet, "/healthz", nil)
	s.store.apply = func(context.Context) error { return cloud.ErrUnavailable }
	s.post(t, body)

	lines := meter.Totals()
	for i := range lines {
		if lines[i].Time <= 0 || lines[i].BytesOut <= 0 {
			t.Errorf("%+v", lines[i])
		}
		lines[i].Time, lines[i].BytesOut = 0, 0
	}
	want := []cost.Line{
		{Name: "GET table", Sums: cost.Sums{Requests: 1}},
		{Name: "GET versions", Sums: cost.Sums{Requests: 1}},
		{Name: "POST rows", Dataset: "t", Sums: cost.Sums{Requests: 3, Failed: 1, Rows: 4, Changed: 2, BytesIn: int64(3 * len(body)), Read: 14, Hit: 22}},
	}
	if d := cmp.Diff(want, lines); d != "" {
		t.Error(d)
	}
	meter.Turn(time.Now().Add(time.Hour))
	if top := meter.Heaviest(5); len(top) != 1 || top[0].Name != "acme" || top[0].Requests != 5 {
		t.Errorf("%+v", top)
	}
	entries := logs.FilterField(zap.Int64("blocks_read", 7)).All()
	if len(entries) != 2 || !slices.Contains(entries[0].Context, zap.Int64("changed", 2)) || !slices.Contains(entries[1].Context, zap.Int64("changed", 0)) {
		t.Errorf("%+v", entries)
	}
	if !bytes.Contains([]byte(s.do(t, http.MethodGet, "/metrics", nil).body), []byte("go_goroutines ")) {
		t.Error("metrics lack the process")
	}
}
