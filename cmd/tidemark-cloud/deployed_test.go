package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tidemark/internal/command/commandtest"
)

// What unit, images and compose.yaml run are commands that there are, with
// flags that there are.
func TestDeployedCommands(t *testing.T) {
	lines := commandtest.Deployed(t, "../../deploy", "tidemark-cloud", "cloud")
	compose, err := os.ReadFile("../../deploy/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	setup := regexp.MustCompile(`[;&{|] tidemark-cloud ([^>&;|]+)`).FindAllStringSubmatch(string(compose), -1)
	if len(setup) == 0 {
		t.Error("compose.yaml makes no customer")
	}
	for _, m := range setup {
		lines = append(lines, strings.Fields(m[1]))
	}
	lines = append(lines, append([]string{"serve"}, strings.Fields(settings(t)["OPTIONS"])...))
	for _, args := range lines {
		commandtest.Runs(t, newRoot(&app{}), args)
	}
}

// settings are those of /etc/default/tidemark-cloud with all that is commented
// out there, as a shell and thus an operator's commands get them.
func settings(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/linux/tidemark-cloud.default")
	if err != nil {
		t.Fatal(err)
	}
	file, all := filepath.Join(t.TempDir(), "default"), regexp.MustCompile(`(?m)^#([A-Z_]+=)`).ReplaceAll(text, []byte("$1"))
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", `set -a; . "$1"; env`, "sh", file)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		got[name] = value
	}
	for _, name := range []string{"TIDEMARK_STORE", "PGPASSWORD", "OPTIONS"} {
		if written := name + `="` + got[name] + `"`; !strings.Contains(string(all), written+"\n") {
			t.Errorf("a shell makes %s of it", written)
		}
	}
	return got
}

// What the documents tell to type, too, and the options that they name.
func TestDocumentedCommands(t *testing.T) {
	documents, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	commandtest.Documented(t, newRoot(&app{}), append(documents, "../../README.md")...)
	serve, _, err := newRoot(&app{}).Find([]string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../docs/deployment.md")
	if err != nil {
		t.Fatal(err)
	}
	of := 0
	for _, m := range regexp.MustCompile("`(?:OPTIONS=\"?)?(--[^`]+)`").FindAllStringSubmatch(string(text), -1) {
		for _, flag := range regexp.MustCompile(`--([a-z-]+)`).FindAllStringSubmatch(m[1], -1) {
			switch flag[1] {
			case "target", "profile", "no-privileges": // docker's, pg_restore's
				continue
			}
			if of++; serve.Flag(flag[1]) == nil {
				t.Errorf("serve has no --%s", flag[1])
			}
		}
	}
	if of < 10 {
		t.Errorf("only %d options are found", of)
	}
}
