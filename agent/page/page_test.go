package page_test

import (
	"context"
	"flag"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"tidemark/agent"
	"tidemark/agent/journal"
	"tidemark/agent/page"
	"tidemark/internal/fault"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) {
	time.Local = time.UTC // what pages show is local time
	goleak.VerifyTestMain(m)
}

var now = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

// told is an agent that says what it was told to say.
type told struct{ status agent.Status }

func (t told) Status(context.Context) (agent.Status, error) { return t.status, nil }

func (t told) Explain(_ context.Context, name string) (agent.Explanation, error) {
	for i := range t.status.Tables {
		if s := &t.status.Tables[i]; s.Name == name {
			return agent.Explanation{
				Table: name, Status: s,
				Facts: []agent.Fact{{Name: "skips in a row", Value: "7 of 60"}, {Name: "cloud", Value: `epoch "8d3f", watermark 8500, 1870 rows`}},
			}, nil
		}
	}
	return agent.Explanation{}, fault.New("find table "+name, agent.ErrNoTable, "`tidemark status` lists the tables")
}

func (t told) Journal(_ context.Context, name string, n int) ([]journal.Entry, error) {
	if name != "dbo.orders" {
		return nil, nil
	}
	return []journal.Entry{
		{Time: now.Add(-12 * time.Second), Action: "skip", Rule: 3, Reason: "unchanged, 6 of 60", Repeated: 5, Since: now.Add(-6 * time.Minute)},
		{Time: now.Add(-10 * time.Minute), Action: "upload", Rule: 7, Upload: "delta", Reason: "local 2,001 is above the cloud's 1,870",
			Outcome: journal.Outcome{Rows: 131, Inserted: 100, Updated: 31, Duration: 812 * time.Millisecond}},
		{Time: now.Add(-time.Hour), Action: "upload", Rule: 7, Upload: "delta", Reason: "local 1,870 is above the cloud's 1,500",
			Outcome: journal.Outcome{Error: "login <script>failed</script>", Hint: "see user & password"}},
	}, nil
}

func ill() agent.Status {
	held := now.Add(-40 * time.Minute)
	return agent.Status{
		Time: now, Live: true, Started: ptr(now.Add(-50 * time.Hour)), Customer: "acme",
		Cloud: agent.CloudStatus{Answered: ptr(now.Add(-90 * time.Second)), Bytes: 7 << 20},
		Sources: []agent.SourceStatus{{
			Name: "main", Server: "SQL Server 2019 15.0", Database: "sales", Probed: ptr(now.Add(-12 * time.Second)), DBTS: 9_000, Ceiling: 8_000,
			CeilingSince: &held, Holder: "session 57 of sa from WS-12",
			Problem: &agent.Problem{
				Kind: agent.ProblemCeiling, Scope: "source", Name: "main", Message: "an open transaction holds changes back", Since: held, Times: 4,
				Hint: "end the transaction of session 57 & see <DBCC OPENTRAN>", Next: ptr(now.Add(time.Minute)),
			},
		}},
		Tables: []agent.TableStatus{
			{
				Name: "dbo.orders", Source: "main", State: agent.StateBehind, LocalRows: ptr(int64(2_001)), CloudRows: ptr(int64(1_870)),
				High: 9_000, Watermark: 8_500, Lag: 750, Synced: ptr(now.Add(-time.Hour)), Verified: ptr(now.Add(-5 * time.Hour)), Next: ptr(now.Add(48 * time.Second)),
				Decision:   &agent.Decided{Action: "skip", Rule: 3, Reason: "unchanged, 7 of 60"},
				Quarantine: &agent.QuarantineSize{Rows: 3}, Notes: []string{"column note is left out: masked"},
			},
			{Name: "dbo.a & b <c>", Source: "main", State: agent.StateNew},
			{Name: "dbo.big", Source: "main", State: agent.StateLoading, Running: "first load", Decision: &agent.Decided{Action: "upload", Reason: "first load"}},
		},
	}
}

// day fills a history with a day in which the cloud was away for an hour, and
// the machine slept for two.
func day() *page.History {
	h := page.NewHistory()
	sent := map[string]int64{}
	for m := range 24 * 60 {
		at := now.Add(time.Duration(m+1-24*60) * time.Minute)
		if hour := m / 60; hour == 9 || hour == 10 {
			continue
		}
		s := ill()
		s.Time = at
		load := 20 + 15*math.Sin(float64(m)/230) + 10*math.Sin(float64(m)/17)
		s.Tables[0].Lag, s.Tables[1].Lag = 3, 0
		if away := m - 1100; away >= 0 && away < 60 {
			s.Tables[0].Lag, load = float64(60*away), 0
		} else if away >= 60 && away < 70 {
			load = 400
		}
		sent["dbo.orders"] += int64(load)
		s.Cloud.Bytes = sent["dbo.orders"] * 90
		h.Add(s, func(table string) int64 { return sent[table] })
	}
	return h
}

func site(s agent.Status, h *page.History) http.Handler {
	v := told{s}
	return page.Handler(page.Site{Viewer: v, Journal: v.Journal, History: h, Version: "1.2.3"})
}

func TestPages(t *testing.T) {
	well := ill()
	well.Healthy, well.Sources[0].Problem, well.Sources[0].CeilingSince, well.Tables = true, nil, nil, well.Tables[1:2]
	well.Cloud.CheckIn = ptr(now.Add(14 * time.Minute))
	for name, test := range map[string]struct {
		handler http.Handler
		path    string
	}{
		"overview": {site(ill(), day()), "/"},
		"well":     {site(well, page.NewHistory()), "/"},
		"table":    {site(ill(), day()), "/table?name=dbo.orders"},
		"new":      {site(ill(), page.NewHistory()), "/table?name=dbo.a+%26+b+%3Cc%3E"},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			test.handler.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:8480"+test.path, nil))
			if w.Code != http.StatusOK {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			got := w.Body.String()
			golden := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			// What is from elsewhere is text, and nothing is loaded from elsewhere.
			for _, no := range []string{"<script", "<c>", "<DBCC", "onload=", "style=", "NaN", "Inf"} {
				if strings.Contains(got, no) {
					t.Errorf("%q is there", no)
				}
			}
			for _, m := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(got, -1) {
				if !strings.HasPrefix(m[1], "/") || strings.HasPrefix(m[1], "//") {
					t.Errorf("a link to %s", m[1])
				}
			}
		})
	}
}

func TestGuard(t *testing.T) {
	h := site(ill(), page.NewHistory())
	for _, test := range []struct {
		method, host, path string
		header             [][2]string
		want               int
	}{
		{method: "GET", host: "127.0.0.1:8480", want: 200},
		{method: "HEAD", host: "127.0.0.1:8480", want: 200},
		{method: "GET", host: "localhost:8480", want: 200},
		{method: "GET", host: "[::1]:8480", want: 200},
		{method: "GET", host: "localhost", want: 200},
		{method: "GET", host: "127.0.0.1:8480", path: "/style.css", want: 200},
		{method: "GET", host: "127.0.0.1:8480", path: "/nothing", want: 404},
		{method: "GET", host: "127.0.0.1:8480", path: "/table?name=dbo.none", want: 404},

		// A name that was made to lead here.
		{method: "GET", host: "attacker.example:8480", want: 421},
		{method: "GET", host: "localhost.attacker.example", want: 421},
		{method: "GET", host: "127.0.0.1.attacker.example:8480", want: 421},
		{method: "GET", host: "192.168.1.7:8480", want: 421},
		{method: "GET", host: "", want: 421},

		// Nothing changes anything.
		{method: "POST", host: "127.0.0.1:8480", want: 405},
		{method: "DELETE", host: "127.0.0.1:8480", path: "/table?name=dbo.orders", want: 405},
		{method: "OPTIONS", host: "127.0.0.1:8480", want: 405},

		// Pages of others.
		{method: "GET", host: "127.0.0.1:8480", header: [][2]string{{"Origin", "http://127.0.0.1:8480"}}, want: 200},
		{method: "GET", host: "127.0.0.1:8480", header: [][2]string{{"Origin", "https://attacker.example"}}, want: 403},
		{method: "GET", host: "127.0.0.1:8480", header: [][2]string{{"Origin", "null"}}, want: 403},
		{method: "GET", host: "127.0.0.1:8480", header: [][2]string{{"Origin", "http://127.0.0.1:3000"}}, want: 403},
		{method: "GET", host: "127.0.0.1:8480", header: [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "no-cors"}}, want: 403},
		{method: "GET", host: "127.0.0.1:8480", header: [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}}, want: 200},
		{method: "GET", host: "127.0.0.1:8480", header: [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "iframe"}}, want: 403},
		{method: "GET", host: "127.0.0.1:8480", path: "/style.css", header: [][2]string{{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Mode", "no-cors"}}, want: 200},
	} {
		path := test.path
		if path == "" {
			path = "/"
		}
		r := httptest.NewRequest(test.method, path, nil)
		r.Host = test.host
		for _, kv := range test.header {
			r.Header.Set(kv[0], kv[1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%s %s%s %v: %d, not %d", test.method, test.host, path, test.header, w.Code, test.want)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script") {
			t.Error(csp)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Error("others are let in")
		}
	}
}
