package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"tidemark/internal/command/commandtest"
	"tidemark/internal/pgtest"
)

var update = flag.Bool("update", false, "write what the scripts compare with")

// Inside of a script "tidemark-cloud" is this program, as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(leaks{m}, map[string]func(){"tidemark-cloud": main})
}

// leaks looks for goroutines left behind, where the tests themselves run.
type leaks struct{ m *testing.M }

func (l leaks) Run() int {
	code := l.m.Run()
	if err := errors.Join(pgtest.Stop(), goleak.Find()); code == 0 && err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	return code
}

// TestCommands runs the scripts. A script says what is typed and what comes of
// it; $LISTEN is an address that is free.
func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/scripts",
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			address := commandtest.FreeAddress()
			e.Setenv("LISTEN", address)
			e.Setenv("TIDEMARK_STORE", "sqlite:"+filepath.Join(e.WorkDir, "cloud.db"))
			e.Values["site"] = &site{address: address, dir: e.WorkDir}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": commandtest.Exits, "asked": asked, "begin-batch": beginBatch, "end-batch": endBatch, "new-certificate": newCertificate,
		},
	})
}

// TestPostgresStore runs the operator's commands on Postgres.
func TestPostgresStore(t *testing.T) {
	dsn := pgtest.Start(t)
	t.Setenv("TIDEMARK_STORE", dsn)
	for i, test := range []struct {
		args []string
		code int
	}{
		{[]string{"customers", "add", "acme"}, 0},
		{[]string{"customers", "add", "acme"}, 7},
		{[]string{"customers", "rotate", "acme"}, 0},
		{[]string{"customers", "rotate", "nobody"}, 6},
		{[]string{"customers", "list"}, 0},
		{[]string{"customers", "remove", "acme", "--reason", "they have left"}, 0},
		{[]string{"customers", "remove", "acme", "--reason", "they have left"}, 6},
		{[]string{"customers", "list", "--store", dsn + "&dbname=nothing"}, 3},
		{[]string{"serve", "--connections", "100000"}, 3},
	} {
		if code := run(test.args, nil, t.Output(), t.Output()); code != test.code {
			t.Errorf("%d, %v: ended with %d, not %d", i, test.args, code, test.code)
		}
	}
}

// A password in the store's URL is in no output, whatever happens.
func TestPasswordIsNotShown(t *testing.T) {
	for _, url := range []string{
		"postgres://u:s3cret@127.0.0.1:1/d", "postgres://u:s3cret@127.0.0.1:port/d", "postgres://u:s3cret@127.0.0.1:1/d?sslmode=maybe",
		"postgres:/u:s3cret@h/d", "mysql://u:s3cret@h/d", "postgres://127.0.0.1:1/d?user=u&password=s3cret&sslmode=maybe", "postgres://u:s3cret@h%zz/d",
		"postgres://u:s3%zzcret@h/d", "postgres://u:s3cret@127.0.0.1:1/d?connect_timeout=soon",
	} {
		t.Setenv("TIDEMARK_STORE", url)
		for _, args := range [][]string{{"serve", "--log-level", "debug"}, {"customers", "list"}, {"serve", "--help"}, {"customers", "add", "--nothing"}} {
			var out bytes.Buffer
			code := run(args, nil, &out, &out)
			if text := out.String(); code == 0 && args[1] != "--help" || len(text) == 0 || strings.Contains(text, "s3") || strings.Contains(text, "cret@") {
				t.Errorf("%s: %v ended with %d: %s", url, args, code, text)
			}
		}
	}
}
