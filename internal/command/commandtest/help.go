// Package commandtest holds what the tests of all programs ask of their
// command lines.
package commandtest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

// Help holds the help of every command against its file in testdata/help, and
// asks for an example that names the command. update writes the files.
func Help(t *testing.T, root *cobra.Command, run func(args []string, out io.Writer) int, update bool) {
	seen := map[string]bool{}
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			return
		}
		name := strings.ReplaceAll(strings.TrimPrefix(c.CommandPath(), root.Name()+" "), " ", "-")
		seen[name+".txt"] = true
		t.Run(name, func(t *testing.T) { help(t, c, name, run, update) })
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(root)
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

func help(t *testing.T, c *cobra.Command, name string, run func([]string, io.Writer) int, update bool) {
	if c.Runnable() && !strings.Contains(c.Example, c.CommandPath()) {
		t.Errorf("no example shows it")
	}
	var out bytes.Buffer
	if code := run(append(strings.Fields(c.CommandPath())[1:], "--help"), &out); code != 0 {
		t.Errorf("help ended with %d", code)
	}
	golden := filepath.Join("testdata", "help", name+".txt")
	if update {
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
}

// Exits is a command of scripts that runs a program, which has to end with a
// code: "exits 3 tidemark ...".
func Exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var ended interface{ ExitCode() int }
	if errors.As(err, &ended) {
		got = ended.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("%v ended with %d, not %s", args[1:], got, args[0])
	}
}
