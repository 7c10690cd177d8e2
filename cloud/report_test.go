package cloud_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// TestReport keeps what this program knows of a report, and when it came.
func TestReport(t *testing.T) {
	now := time.Date(2026, 11, 25, 10, 0, 0, 123, time.UTC)
	s := newSite(t, cloud.Config{Now: func() time.Time { return now }})
	body := `{"time":"2026-11-25T11:00:00Z","version":"2.0","color":"red","tables":[{"name":"t","state":"behind","lag_versions":"7","lag_seconds":90}]}`
	put := func(text string) answer {
		return s.do(t, http.MethodPut, "/v1/customers/acme/report", strings.NewReader(text), func(r *http.Request) { r.Header.Set("Content-Type", "application/json") })
	}
	if a := put(body); a.StatusCode != http.StatusOK || !strings.Contains(a.body, `"versions_tag"`) {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	kept, err := s.store.Report(t.Context(), "acme")
	if err != nil || !kept.Received.Equal(now.Truncate(time.Microsecond)) || strings.Contains(string(kept.Document), "red") {
		t.Errorf("%+v, %v", kept, err)
	}
	doc, err := kept.Read()
	want := wire.Report{Time: now.Truncate(time.Second).Add(time.Hour), Version: "2.0", Tables: []wire.TableReport{{Name: "t", State: "behind", LagRows: 7, Lag: 90}}}
	if d := cmp.Diff(want, doc); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
	if a := put(`{"time":"not one"}`); a.StatusCode != http.StatusBadRequest {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if again, err := s.store.Report(t.Context(), "acme"); err != nil || cmp.Diff(kept, again) != "" {
		t.Errorf("a refused report left %+v, %v", again, err)
	}
}
