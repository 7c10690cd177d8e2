package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"tidemark/agent/config"
)

// compose is what of compose.yaml the tests look at (compose-spec).
type compose struct {
	Services map[string]service
	Volumes  map[string]any
}

type service struct {
	Image       string
	Build       *struct{ Context, Dockerfile, Target string }
	Environment map[string]string
	Volumes     []string
	Command     []string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck *struct{ Test []string }
	ReadOnly    bool `yaml:"read_only"`
}

func readCompose(t *testing.T) compose {
	t.Helper()
	body, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c compose
	if err := yaml.Unmarshal(body, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// dockerfile returns the stages of the image definition, each with its
// instructions.
func dockerfile(t *testing.T) map[string][]string {
	t.Helper()
	body, err := os.ReadFile("container/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	stages, stage := map[string][]string{}, ""
	for line := range strings.SplitSeq(strings.ReplaceAll(string(body), "\\\n", " "), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if strings.HasPrefix(line, "FROM ") {
			_, stage, _ = strings.Cut(line, " AS ")
		}
		stages[stage] = append(stages[stage], line)
	}
	return stages
}

// What compose.yaml names is there: stages, files, services, volumes; and what
// is waited for can come.
func TestCompose(t *testing.T) {
	c, stages := readCompose(t), dockerfile(t)
	if want := []string{"agent", "cloud", "grafana", "postgres", "prometheus", "setup", "shop", "sqlserver"}; !slices.Equal(slices.Sorted(maps.Keys(c.Services)), want) {
		t.Errorf("services %v", slices.Sorted(maps.Keys(c.Services)))
	}
	for name, s := range c.Services {
		if s.Build == nil && !strings.Contains(s.Image, ":") {
			t.Errorf("%s: image %q has no version", name, s.Image)
		}
		if b := s.Build; b != nil {
			if _, err := os.Stat(filepath.Join(b.Context, b.Dockerfile)); err != nil || stages[b.Target] == nil {
				t.Errorf("%s is built from stage %q of %s: %v", name, b.Target, b.Dockerfile, err)
			}
		}
		for _, v := range s.Volumes {
			source, target, ok := strings.Cut(v, ":")
			if !ok || !strings.HasPrefix(target, "/") {
				t.Errorf("%s: volume %q", name, v)
			}
			if strings.HasPrefix(source, ".") {
				if _, err := os.Stat(source); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			} else if _, ok := c.Volumes[source]; !ok {
				t.Errorf("%s: volume %q is not declared", name, source)
			}
		}
		for on, wait := range s.DependsOn {
			other, ok := c.Services[on]
			switch {
			case !ok:
				t.Errorf("%s waits for %q, which there is not", name, on)
			case wait.Condition == "service_healthy":
				if other.Healthcheck == nil && (other.Build == nil || !hasInstruction(stages[other.Build.Target], "HEALTHCHECK")) {
					t.Errorf("%s waits for the health of %s, which has none", name, on)
				}
			case wait.Condition != "service_completed_successfully":
				t.Errorf("%s waits for %s: %q", name, on, wait.Condition)
			}
		}
	}
}

func hasInstruction(stage []string, name string) bool {
	return slices.ContainsFunc(stage, func(line string) bool { return strings.HasPrefix(line, name+" ") })
}

// The images run as nobody, hold what is copied from stages that there are,
// and are built with the compiler that the module asks for.
func TestDockerfile(t *testing.T) {
	stages := dockerfile(t)
	module, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(module)
	if len(version) != 2 || !strings.Contains(stages["build"][0], "golang:"+string(version[1])+"-") {
		t.Errorf("%s, but go.mod asks for %s", stages["build"], version)
	}
	from := regexp.MustCompile(`--from=(\S+)`)
	for name, lines := range stages {
		for _, line := range lines {
			if m := from.FindStringSubmatch(line); m != nil && stages[m[1]] == nil {
				t.Errorf("%s copies from %q, which there is not", name, m[1])
			}
		}
		if name != "build" && !slices.Contains(lines, "USER 65532:65532") {
			t.Errorf("%s runs as root", name)
		}
	}
	for _, name := range []string{"cloud", "agent"} {
		for _, want := range []string{"HEALTHCHECK", "ENTRYPOINT", "CMD", "VOLUME", "STOPSIGNAL"} {
			if !hasInstruction(stages[name], want) {
				t.Errorf("%s has no %s", name, want)
			}
		}
	}
}

// The agent's configuration in compose is right, and fits the services there.
func TestComposeConfiguration(t *testing.T) {
	c := readCompose(t)
	key := filepath.Join(t.TempDir(), "acme.key")
	if err := os.WriteFile(key, []byte("tmk_acme_x"), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("compose/tidemark.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AGENT_PASSWORD", "secret")
	parsed, err := config.Parse("tidemark.yaml", []byte(strings.Replace(string(text), "/keys/acme.key", key, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Services["agent"].Environment["AGENT_PASSWORD"]; !ok {
		t.Error("the agent has no password")
	}
	host := strings.TrimPrefix(parsed.Cloud.URL, "http://")
	name, port, _ := strings.Cut(host, ":")
	if _, ok := c.Services[name]; !ok || !slices.Contains(c.Services[name].Command, ":"+port) {
		t.Errorf("no service is %s", host)
	}
	prometheus, err := os.ReadFile("compose/prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	_, metrics, _ := strings.Cut(parsed.Metrics.Listen, ":")
	for _, target := range []string{host, "agent:" + metrics} {
		if !strings.Contains(string(prometheus), `"`+target+`"`) {
			t.Errorf("nothing scrapes %s", target)
		}
	}
	promtool(t, "check", "config", "--syntax-only", "compose/prometheus.yml")
	for _, table := range []string{"dbo.customers", "dbo.orders"} {
		shop, err := os.ReadFile("compose/shop.sql")
		if err != nil || !strings.Contains(string(shop), "CREATE TABLE "+table) || !strings.Contains(string(text), table) {
			t.Errorf("%s is not in the shop: %v", table, err)
		}
	}
}

// The units parse, and give the services no more than they need.
func TestUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze: not a Linux with systemd")
	}
	for _, name := range []string{"tidemark.service", "tidemark-cloud.service"} {
		body, err := os.ReadFile(filepath.Join("linux", name))
		if err != nil {
			t.Fatal(err)
		}
		// The program is not installed where the tests run.
		unit := filepath.Join(t.TempDir(), name)
		text := regexp.MustCompile(`(?m)^(Exec\w+)=/usr/bin/tidemark\S*`).ReplaceAllString(string(body), "$1=/bin/true")
		if err := os.WriteFile(unit, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), analyze, "verify", unit).CombinedOutput()
		if err != nil || strings.Contains(string(out), unit+":") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		out, err = exec.CommandContext(t.Context(), analyze, "security", "--offline=yes", "--no-pager", unit).CombinedOutput()
		if err != nil && strings.Contains(string(out), "unrecognized option") {
			t.Skip("this systemd-analyze is older than 250 and looks at running units alone")
		}
		_, rest, _ := strings.Cut(string(out), "Overall exposure level for "+name+": ")
		level, parsed := strconv.ParseFloat(strings.Fields(rest + " ?")[0], 64)
		if err != nil || parsed != nil || level > 2 {
			t.Error(fmt.Errorf("%s: exposure %q: %w", name, rest, err))
		}
	}
}
