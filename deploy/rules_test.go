package deploy_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// promtool runs Prometheus' own checker.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("no promtool; deploy/prometheus/prepare.sh gets it")
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// The rules parse, and tell their stories: see the files *.test.yml.
func TestAlertRules(t *testing.T) {
	rules, err := filepath.Glob("prometheus/*.rules.yml")
	if err != nil || len(rules) != 2 {
		t.Fatalf("%v, %v", rules, err)
	}
	promtool(t, append([]string{"check", "rules"}, rules...)...)
	promtool(t, "test", "rules", "prometheus/tidemark-cloud.test.yml", "prometheus/tidemark-agent.test.yml")
}

// Every alert has a story in which it is told, and one in which it is not: one
// that can never be told, or always is, is none.
func TestAlertsHaveStories(t *testing.T) {
	for _, name := range []string{"tidemark-cloud", "tidemark-agent"} {
		told, quiet := map[string]bool{}, map[string]bool{}
		var stories struct {
			Tests []struct {
				Alerts []struct {
					Name   string `yaml:"alertname"`
					Expect []any  `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		readYAML(t, "prometheus/"+name+".test.yml", &stories)
		for _, story := range stories.Tests {
			for _, a := range story.Alerts {
				told[a.Name] = told[a.Name] || len(a.Expect) > 0
				quiet[a.Name] = quiet[a.Name] || len(a.Expect) == 0
			}
		}
		for _, r := range readRules(t, name) {
			if r.Alert != "" && (!told[r.Alert] || !quiet[r.Alert]) {
				t.Errorf("%s: a story in which it is told: %t, in which it is not: %t", r.Alert, told[r.Alert], quiet[r.Alert])
			}
		}
	}
}

type rule struct {
	Alert       string
	Annotations map[string]string
}

func readRules(t *testing.T, name string) (all []rule) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	readYAML(t, "prometheus/"+name+".rules.yml", &file)
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatalf("%s has no rules", name)
	}
	return all
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// A rule that does not parse is found, and the operator is told which one and
// where.
func TestBrokenRuleIsFound(t *testing.T) {
	path, err := exec.LookPath("promtool")
	if err != nil {
		promtool(t) // skips, or fails where all must be here
		return
	}
	broken := filepath.Join(t.TempDir(), "broken.yml")
	if err := os.WriteFile(broken, []byte("groups: [{name: a, rules: [{alert: A, expr: 'rate(x[5m]'}]}]"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path, "check", "rules", broken).CombinedOutput()
	if err == nil {
		t.Errorf("it passes: %s", out)
	}
	for _, want := range []string{broken, `group "a"`, `"A"`, "could not parse expression: 1:11: "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not tell %s: %s", want, out)
		}
	}
}

// Every alert says what to do in the operator's manual.
func TestAlertsAreExplained(t *testing.T) {
	manual, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tidemark-cloud", "tidemark-agent"} {
		for _, r := range readRules(t, name) {
			if r.Alert != "" && (r.Annotations["summary"] == "" || !strings.Contains(string(manual), "`"+r.Alert+"`")) {
				t.Errorf("%s has no summary, or is not in docs/operations.md", r.Alert)
			}
		}
	}
}

// The expressions of the dashboard parse, with Grafana's variables filled in.
// That their metrics exist is tested where those come from, cmd/tidemark-cloud.
func TestDashboardExpressions(t *testing.T) {
	body, err := os.ReadFile("grafana/tidemark-cloud.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		UID    string
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ H, W, X, Y int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(body, &board); err != nil {
		t.Fatal(err)
	}
	variables := regexp.MustCompile(`\$(__rate_interval|job)`)
	var rules []map[string]string
	taken := map[[2]int]string{}
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] {
			t.Errorf("%s: number %d twice", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%q lies on %q, or beside the page", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		for _, target := range p.Targets {
			expr := variables.ReplaceAllStringFunc(target.Expr, func(v string) string {
				return map[string]string{"$__rate_interval": "5m", "$job": ".*"}[v]
			})
			if strings.Contains(expr, "$") {
				t.Errorf("%s: a variable that there is not: %s", p.Title, expr)
			}
			rules = append(rules, map[string]string{"record": "a:b", "expr": expr})
		}
	}
	if len(rules) < 30 {
		t.Errorf("%d expressions", len(rules))
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", "--lint=none", file)
}
