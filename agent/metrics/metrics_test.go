package metrics_test

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidemark/agent"
	"tidemark/agent/journal"
	"tidemark/agent/metrics"
)

var update = flag.Bool("update", false, "write the golden file")

var now = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

func status() agent.Status {
	held := now.Add(-40 * time.Minute)
	return agent.Status{
		Time: now, Live: true,
		Cloud: agent.CloudStatus{
			Requests: 12_345, Bytes: 7 << 20, Answered: ptr(now.Add(-90 * time.Second)),
			Problem: &agent.Problem{Kind: agent.ProblemCloudAway, Scope: "cloud", Since: now.Add(-time.Minute)},
		},
		Sources: []agent.SourceStatus{
			{Name: "main", Probed: ptr(now.Add(-12 * time.Second)), CeilingSince: &held,
				Problem: &agent.Problem{Kind: agent.ProblemCeiling, Scope: "source", Name: "main", Since: held}},
			{Name: "branch"},
		},
		Tables: []agent.TableStatus{
			{
				Name: "main.dbo.orders", Source: "main", State: agent.StateBehind, LocalRows: ptr(int64(2_001)), CloudRows: ptr(int64(1_870)),
				High: 9_000, Watermark: 8_500, Lag: 12.5, Synced: ptr(now.Add(-time.Hour)), Verified: ptr(now.Add(-5 * time.Hour)),
				Quarantine: &agent.QuarantineSize{Rows: 3}, Approval: &agent.Approval{Deletes: 40_000},
			},
			{Name: "a \"strange\\\nname", Source: "branch", State: agent.StateNew},
		},
	}
}

func recorder() *metrics.Recorder {
	r := &metrics.Recorder{}
	const table = "main.dbo.orders"
	for range 7 {
		r.Add(journal.Entry{Table: table, Action: "skip"})
	}
	r.Add(journal.Entry{Table: table, Action: "nothing"})
	for range 2 {
		r.Add(journal.Entry{Table: table, Action: "upload", Outcome: journal.Outcome{
			Rows: 131, Inserted: 90, Updated: 31, Unchanged: 9, Quarantined: 1, Bytes: 12_345, Requests: 2, Duration: 812 * time.Millisecond,
		}})
	}
	r.Add(journal.Entry{Table: table, Action: "diff", Outcome: journal.Outcome{Deleted: 5, Requests: 4, Duration: 3 * time.Second, Error: "gone"}})
	r.Add(journal.Entry{Table: "no longer configured", Action: "skip"})
	return r
}

func TestText(t *testing.T) {
	got := metrics.Text(status(), recorder(), "1.2.3", metrics.Process{Started: now.Add(-50 * time.Hour), Resident: 30 << 20, Goroutines: 25, Heap: 8 << 20, System: 20 << 20})
	const golden = "testdata/metrics.txt"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	wellFormed(t, string(got))
}

// sample is a line of the text format.
var sample = regexp.MustCompile(`^([a-z_]+)(\{[a-z]+="(?:[^"\\]|\\[\\"n])*"(?:,[a-z]+="(?:[^"\\]|\\[\\"n])*")*\})? -?[0-9.e+]+$`)

// wellFormed holds a text against the rules of the format: every family is
// announced once, before its samples, which stand together and are not twice.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	family := ""
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "# HELP "); ok {
			family, _, _ = strings.Cut(name, " ")
			if seen[family] {
				t.Errorf("%s is there twice", family)
			}
			seen[family] = true
			continue
		}
		if strings.HasPrefix(line, "# TYPE ") {
			if !regexp.MustCompile(`^# TYPE ` + family + ` (gauge|counter)$`).MatchString(line) {
				t.Errorf("%s under %s", line, family)
			}
			if strings.HasSuffix(line, " counter") != strings.HasSuffix(family, "_total") {
				t.Errorf("%s has the wrong ending", family)
			}
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil || m[1] != family || seen[m[1]+m[2]] && m[2] != "" {
			t.Errorf("not a sample of %s, or twice: %s", family, line)
			continue
		}
		seen[m[1]+m[2]] = true
	}
}

// docs/observability.md lists the families, and no others.
func TestFamiliesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed, there []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (gauge|counter) \\|").FindAllStringSubmatch(string(doc), -1) {
		listed = append(listed, m[1]+" "+m[2])
	}
	text := metrics.Text(status(), recorder(), "1", metrics.This(now))
	for _, m := range regexp.MustCompile(`(?m)^# TYPE ([a-z_]+ (?:gauge|counter))$`).FindAllStringSubmatch(string(text), -1) {
		there = append(there, m[1])
	}
	slices.Sort(listed)
	slices.Sort(there)
	if diff := cmp.Diff(there, listed); diff != "" {
		t.Errorf("(-program +document)\n%s", diff)
	}
}

type viewer struct{ err error }

func (v viewer) Status(context.Context) (agent.Status, error) { return status(), v.err }

func TestHandler(t *testing.T) {
	for _, test := range []struct {
		method, path string
		err          error
		want         int
	}{
		{"GET", "/metrics", nil, 200},
		{"HEAD", "/metrics", nil, 200},
		{"POST", "/metrics", nil, 405},
		{"GET", "/", nil, 404},
		{"GET", "/debug/pprof/", nil, 404},
		{"GET", "/metrics", errors.New("state"), 500},
	} {
		w := httptest.NewRecorder()
		metrics.Handler(viewer{test.err}, recorder(), "1.2.3", now).ServeHTTP(w, httptest.NewRequest(test.method, test.path, nil))
		if w.Code != test.want {
			t.Errorf("%s %s: %d", test.method, test.path, w.Code)
		}
		if w.Code == http.StatusOK && !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
			t.Errorf("%s", w.Header())
		}
	}
	if p := metrics.This(now); p.Goroutines < 2 || p.Heap == 0 || p.System < p.Heap {
		t.Errorf("%+v", p)
	}
}
