package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"tidemark/cloud/rollout"
	"tidemark/internal/command/commandtest"
	"tidemark/internal/pgtest"
)

// scraped is what /metrics of a server on Postgres says once it has seen the
// database's counters.
func scraped(t *testing.T) string {
	t.Helper()
	t.Setenv("TIDEMARK_STORE", pgtest.Start(t))
	var added bytes.Buffer
	if code := run([]string{"customers", "add", "acme"}, nil, &added, io.Discard); code != 0 {
		t.Fatal(code)
	}
	key := strings.TrimSpace(added.String())
	address := commandtest.FreeAddress()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		a := &app{out: io.Discard, err: t.Output()}
		c := newServe(a)
		c.SetArgs([]string{"--listen", address, "--io-volume", "gp2:500", "--log-level", "error"})
		ended <- c.ExecuteContext(ctx)
	}()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		text := ""
		got, err := (&http.Client{Transport: transport, Timeout: time.Minute}).Get("http://" + address + "/metrics")
		if err == nil {
			body, _ := io.ReadAll(got.Body)
			got.Body.Close()
			text = string(body)
		}
		request(t, transport, address, key)
		if strings.Contains(text, "\ntidemark_io_balance_operations 5400000\n") && strings.Contains(text, "tidemark_database_reads_total") {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			return text
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v: %s", err, text)
		}
	}
}

// request asks for the versions of acme, as its agent does.
func request(t *testing.T, transport *http.Transport, address, key string) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/v1/customers/acme/versions", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if got, err := transport.RoundTrip(r); err == nil {
		got.Body.Close()
	}
}

// Alerts and dashboard ask for metrics that there are.
func TestMetricsOfAlertsAndDashboard(t *testing.T) {
	var rollouts bytes.Buffer // of a server that watches them
	new(rollout.Watcher).WriteMetrics(&rollouts)
	text := scraped(t)
	if !strings.Contains(text, "tidemark_rollout_") {
		text += rollouts.String()
	}
	there := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`).FindAllStringSubmatch(text, -1) {
		if there[m[1]] {
			t.Errorf("%s is told twice", m[1])
		}
		there[m[1]] = true
		if m[2] == "histogram" {
			there[m[1]+"_bucket"], there[m[1]+"_sum"], there[m[1]+"_count"] = true, true, true
		}
	}
	var exprs []string
	rules, err := os.ReadFile("../../deploy/prometheus/tidemark-cloud.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct{ Record, Expr string }
		}
	}
	if err := yaml.Unmarshal(rules, &file); err != nil {
		t.Fatal(err)
	}
	recorded := map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			recorded[r.Record] = true
			exprs = append(exprs, r.Expr)
		}
	}
	dashboard, err := os.ReadFile("../../deploy/grafana/tidemark-cloud.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(dashboard, &board); err != nil {
		t.Fatal(err)
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			exprs = append(exprs, target.Expr)
		}
	}
	names := regexp.MustCompile(`\b(tidemark|process|go)[_:][a-z0-9_:]+`)
	asked := 0
	for _, e := range exprs {
		for _, name := range names.FindAllString(e, -1) {
			asked++
			if !there[name] && !recorded[name] {
				t.Errorf("%s asks for %s, which there is not", e, name)
			}
		}
	}
	if asked < 50 {
		t.Errorf("%d metrics in %d expressions", asked, len(exprs))
	}
	documented(t, there)
}

// What a server on Postgres has cost is told with blocks, and the balance of
// its volume with it.
func TestCostOnPostgres(t *testing.T) {
	scraped(t)
	for _, test := range []struct {
		args string
		want string
	}{
		{"cost --io-volume gp2:500", `(?m)^DATASET +READ +HIT +WAL +REQUESTS .*\n(.*\n)*-.*\n(.*\n)*I/O balance: 5,400,000 of 5,400,000 operations; `},
		{"cost --by customer --since 1h", `(?m)^acme +\d+ +\d+ +[0-9.]+ K?i?B +[1-9]`},
		{"cost --json --io-volume 100/200/300", `"database_counts": true(.*\n)*.*"io_balance"(.*\n)*.*"empty_in_seconds": null`},
	} {
		var out bytes.Buffer
		code := run(strings.Fields(test.args), nil, &out, t.Output())
		if code != 0 || !regexp.MustCompile(test.want).Match(out.Bytes()) {
			t.Errorf("%s ended with %d:\n%s", test.args, code, out.String())
		}
	}
}

// documented holds the metrics against docs/observability.md.
func documented(t *testing.T, there map[string]bool) {
	t.Helper()
	manual, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range there {
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if !bytes.Contains(manual, []byte("`"+base+"`")) {
			t.Errorf("%s is not in docs/observability.md", base)
		}
	}
}

// The alerts of sites ask for metrics that the agent documents; a test of the
// agent holds that table against what it tells.
func TestMetricsOfSiteAlerts(t *testing.T) {
	rules, err := os.ReadFile("../../deploy/prometheus/tidemark-agent.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`expr: (tidemark_[a-z_]+)`).FindAllSubmatch(rules, -1)
	if len(found) != bytes.Count(rules, []byte("expr:")) || len(found) == 0 {
		t.Errorf("%d expressions are understood", len(found))
	}
	for _, m := range found {
		if !slices.ContainsFunc(strings.Split(string(manual), "\n"), func(line string) bool { return strings.HasPrefix(line, "| `"+string(m[1])+"`") }) {
			t.Errorf("%s is no metric of the agent", m[1])
		}
	}
}
