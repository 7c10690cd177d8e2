package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"tidemark/agent/control"
	"tidemark/internal/command/commandtest"
)

var update = flag.Bool("update", false, "write what the scripts compare with")

// Inside of a script "tidemark" is this program, as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(leaks{m}, map[string]func(){"tidemark": main})
}

// leaks looks for goroutines left behind, where the tests themselves run.
type leaks struct{ m *testing.M }

func (l leaks) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	return code
}

// TestCommands runs one script for each command. A script says what is typed
// and what comes of it; "agent KIND" has a service listen (see told_test.go).
func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/scripts",
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("TZ", "UTC")
			e.Setenv("TIDEMARK_CONFIG", filepath.Join(e.WorkDir, "tidemark.yaml"))
			e.Setenv("CLOUD_KEY", "tmk_acme_0123456789")
			e.Setenv("SQL_PASSWORD", "Pa55word!")
			if err := os.Mkdir(filepath.Join(e.WorkDir, "state"), 0o700); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "tidemark.yaml"), []byte(scriptConfig), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"agent": startTold, "exits": commandtest.Exits, "until": until},
	})
}

const scriptConfig = `customer: acme
cloud: {url: "https://cloud.example", key: "${env:CLOUD_KEY}"}
state_dir: state
source:
  server: db
  database: sales
  user: tidemark
  password: ${env:SQL_PASSWORD}
  tables: [dbo.orders, dbo.lines]
`

// startTold has an agent of that kind listen until the end of the script.
func startTold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || toldStatus[args[0]] == nil {
		ts.Fatalf("usage: agent well|ill|refusing")
	}
	s, err := control.Listen(context.Background(), ts.MkAbs("state"), told{kind: args[0]})
	ts.Check(err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	ts.Defer(func() {
		stop()
		ts.Check(<-done)
	})
}
