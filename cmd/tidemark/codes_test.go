package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"tidemark/agent/control"
)

// The table of docs/exit-codes.md says what every command that asks the service
// ends with, by situation; each of its cells is tried.
func TestExitCodeOfEveryCommand(t *testing.T) {
	doc, err := os.ReadFile("../../docs/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CLOUD_KEY", "tmk_acme_0123456789")
	t.Setenv("SQL_PASSWORD", "Pa55word!")
	config := codesConfig(t)
	want, listed := map[string][]string{}, map[string]bool{}
	for _, m := range codesRow.FindAllStringSubmatch(string(doc), -1) {
		want[m[1]] = strings.Split(strings.ReplaceAll(m[2], " ", ""), "|")
		listed[strings.TrimRight(strings.SplitN(m[1], "TABLE", 2)[0], " [")] = true
	}
	for i, situation := range []struct{ agent, table string }{
		{"well", "dbo.orders"}, {"ill", "dbo.orders"}, {"", "dbo.orders"}, {"ill", "dbo.none"}, {"refusing", "dbo.orders"},
	} {
		stop := startAgent(t, filepath.Dir(config), situation.agent)
		for command, codes := range want {
			if codes[i] == "" {
				continue
			}
			args := strings.Fields(strings.NewReplacer("[TABLE]", situation.table, "TABLE", situation.table).Replace(command))
			var out bytes.Buffer
			if got := fmt.Sprint(run(append(args, "--config", config), nil, &out, &out)); got != codes[i] {
				t.Errorf("%s, agent %q: %s, not %s\n%s", strings.Join(args, " "), situation.agent, got, codes[i], out.String())
			}
		}
		stop()
	}
	each(func(c *cobra.Command, path string) {
		asks := c.Parent().Name() == "quarantine" || c.GroupID == "act"
		if asks && !c.HasSubCommands() && !listed[path] {
			t.Errorf("%s is not in the table", path)
		}
	})
}

var codesRow = regexp.MustCompile("(?m)^\\| `([a-z][^`]*)` \\| ((?:[0-9]* *\\| ?){4}[0-9]*) *\\|$")

// A command line that is not understood is 2 everywhere, and a configuration that
// is not there is 3 wherever one is needed.
func TestExitCodesOfMistakes(t *testing.T) {
	without := map[string]bool{}
	doc, err := os.ReadFile("../../docs/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(doc), "These need no configuration:")
	list, _, _ = strings.Cut(list, ".\n")
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(list, -1) {
		without[m[1]] = true
	}
	missing := filepath.Join(t.TempDir(), "none.yaml")
	t.Chdir(t.TempDir()) // bundle writes what it can into it
	each(func(c *cobra.Command, path string) {
		var out bytes.Buffer
		if code := run(append(strings.Fields(path), "--no-such-flag"), nil, &out, &out); code != exitUsage {
			t.Errorf("%s --no-such-flag: %d", path, code)
		}
		args := strings.Fields(path)
		if c.HasSubCommands() || without[path] || without[args[0]] { // service commands are not to be tried here
			return
		}
		for range strings.Count(strings.ReplaceAll(c.Use, "[TABLE]", ""), "TABLE") {
			args = append(args, "dbo.orders")
		}
		if code := run(append(args, "--config", missing), nil, &out, &out); code != exitConfig {
			t.Errorf("%s with no configuration: %d\n%s", path, code, out.String())
		}
	})
}

// each visits every command that does something.
func each(visit func(c *cobra.Command, path string)) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.HasParent() && c.Runnable() && !c.Hidden && c.Name() != "help" && c.Name() != "completion" {
			visit(c, strings.TrimPrefix(c.CommandPath(), "tidemark "))
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(&app{}))
}

func codesConfig(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tm") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "tidemark.yaml")
	if err := os.MkdirAll(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(scriptConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// startAgent has an agent of that kind listen, none for "", until it is stopped.
func startAgent(t *testing.T, dir, kind string) (stop func()) {
	t.Helper()
	if kind == "" {
		return func() {}
	}
	s, err := control.Listen(t.Context(), filepath.Join(dir, "state"), told{kind: kind})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
