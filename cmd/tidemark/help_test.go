package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// Every command has its help in testdata/help, with an example that names it.
func TestHelp(t *testing.T) {
	seen := map[string]bool{}
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			return
		}
		name := strings.ReplaceAll(strings.TrimPrefix(c.CommandPath(), "tidemark "), " ", "-")
		seen[name+".txt"] = true
		t.Run(name, func(t *testing.T) {
			if c.Runnable() && !strings.Contains(c.Example, c.CommandPath()) {
				t.Errorf("no example shows it")
			}
			var out bytes.Buffer
			if code := run(append(strings.Fields(c.CommandPath())[1:], "--help"), nil, &out, &out); code != 0 {
				t.Errorf("help ended with %d", code)
			}
			golden := filepath.Join("testdata", "help", name+".txt")
			if *update {
				if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			for line := range strings.SplitSeq(out.String(), "\n") {
				if len([]rune(line)) > 120 {
					t.Errorf("a line of %d characters: %s", len([]rune(line)), line)
				}
			}
		})
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(newRoot(&app{}))
	files, err := os.ReadDir(filepath.Join("testdata", "help"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !seen[f.Name()] {
			t.Errorf("%s belongs to no command", f.Name())
		}
	}
}
