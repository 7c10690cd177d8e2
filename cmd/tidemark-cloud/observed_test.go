package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

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
		c.SetArgs([]string{"--listen", address, "--fleet-listen", "127.0.0.1:0", "--io-volume", "gp2:500", "--log-level", "error"})
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
		request(t, transport, http.MethodGet, "http://"+address+"/v1/customers/acme/versions", key)
		request(t, transport, http.MethodPost, "http://"+address+"/v1/customers/acme/tables/t/rows", key)
		if strings.Contains(text, "\ntidemark_io_balance_operations 5400000\n") && strings.Contains(text, "tidemark_database_reads_total") && strings.Contains(text, "{table}/rows") {
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

// request asks something of acme, as its agent does, whatever the answer.
func request(t *testing.T, transport *http.Transport, method, url, key string) {
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if got, err := transport.RoundTrip(r); err == nil {
		got.Body.Close()
	}
}

// Alerts, their stories and the dashboard ask for metrics that there are, by
// labels that these have.
func TestMetricsOfAlertsAndDashboard(t *testing.T) {
	text := scraped(t)
	there := metricsOf(t, text)
	exprs, recorded := rules(t, "tidemark-cloud")
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
	if asked := exist(t, text, there, recorded, append(exprs, stories(t, "tidemark-cloud")...)); asked < 50 {
		t.Errorf("%d metrics in %d expressions", asked, len(exprs))
	}
	documented(t, there)
}

// metricsOf are the metrics of a text.
func metricsOf(t *testing.T, text string) map[string]bool {
	t.Helper()
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
	return there
}

// rules are the expressions of the alerts, and the metrics that they record.
func rules(t *testing.T, name string) (exprs []string, recorded map[string]bool) {
	t.Helper()
	text, err := os.ReadFile("../../deploy/prometheus/" + name + ".rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct{ Record, Expr string }
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	recorded = map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			recorded[r.Record] = true
			exprs = append(exprs, r.Expr)
		}
	}
	if len(exprs) == 0 {
		t.Fatalf("%s has no rules", name)
	}
	return exprs, recorded
}

// exist holds that what expressions ask for is there, and returns how much
// they ask for.
func exist(t *testing.T, text string, there, recorded map[string]bool, exprs []string) (asked int) {
	t.Helper()
	labels := labelsOf(text)
	for _, e := range exprs {
		for _, name := range metricName.FindAllString(e, -1) {
			asked++
			if !there[name] && !recorded[name] {
				t.Errorf("%s asks for %s, which there is not", e, name)
			}
		}
		for _, m := range selector.FindAllStringSubmatch(e, -1) {
			labelled(t, text, labels, m[1], m[2])
		}
	}
	return asked
}

var (
	metricName = regexp.MustCompile(`\b(tidemark|process|go)[_:][a-z0-9_:]+`)
	selector   = regexp.MustCompile(`\b(tidemark_\w+)\{((?:[^{}]|\{\w+\})*)\}`) // paths have braces, too
	matcher    = regexp.MustCompile(`(\w+)(?:=|!=|=~|!~)"([^"]*)"`)
)

// labelsOf are the labels of each metric that has samples in a text.
func labelsOf(text string) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for _, m := range selector.FindAllStringSubmatch(text, -1) {
		if all[m[1]] == nil {
			all[m[1]] = map[string]bool{}
		}
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			all[m[1]][l[1]] = true
		}
	}
	return all
}

// labelled holds what a selector asks of a metric against what it has in a
// text: the labels that Prometheus does not add itself, and the paths. Of
// metrics without samples the labels are not known.
func labelled(t *testing.T, text string, labels map[string]map[string]bool, name, matchers string) {
	t.Helper()
	for _, m := range matcher.FindAllStringSubmatch(matchers, -1) {
		if has, some := labels[name]; some && m[1] != "job" && m[1] != "instance" && !has[m[1]] {
			t.Errorf("%s{%s}: it has the labels %v", name, matchers, slices.Sorted(maps.Keys(has)))
		}
		if m[1] == "path" && m[2] != "" && !strings.Contains(text, `path="`+m[2]+`"`) {
			t.Errorf("%s{%s}: there is no such path", name, matchers)
		}
	}
}

// stories are the series that the alerts' stories are told with.
func stories(t *testing.T, name string) (all []string) {
	t.Helper()
	text, err := os.ReadFile("../../deploy/prometheus/" + name + ".test.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tests []struct {
			Input []struct{ Series string } `yaml:"input_series"`
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, story := range file.Tests {
		for _, in := range story.Input {
			all = append(all, in.Series)
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s tells no story", name)
	}
	return all
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

// documented holds the metrics against docs/observability.md, and that against
// them.
func documented(t *testing.T, there map[string]bool) {
	t.Helper()
	manual, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(manual), "\n## The cloud\n")
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| (`+"`.*?`"+`) \|`).FindAllStringSubmatch(section, -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			listed[strings.Trim(name, "`")] = true
		}
	}
	families := map[string]bool{}
	for name := range there {
		family := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		families[family] = true
		if !listed[family] {
			t.Errorf("%s is not in docs/observability.md", family)
		}
	}
	for name := range listed {
		if !families[name] && name != "tidemark_fleet_snapshot_seconds" { // nobody has looked at the page
			t.Errorf("docs/observability.md has %s, which there is not", name)
		}
	}
}

// The alerts of sites and their stories ask for metrics that an agent has: a
// test of its own holds what is read here.
func TestMetricsOfSiteAlerts(t *testing.T) {
	text, err := os.ReadFile("../../agent/metrics/testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	exprs, recorded := rules(t, "tidemark-agent")
	if asked := exist(t, string(text), metricsOf(t, string(text)), recorded, append(exprs, stories(t, "tidemark-agent")...)); asked < 2*len(exprs) {
		t.Errorf("%d metrics in %d expressions and their stories", asked, len(exprs))
	}
}
