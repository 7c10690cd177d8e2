package main

import (
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"tidemark/internal/command/commandtest"
)

var update = flag.Bool("update", false, "write what the tests compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tidemark-traffic": main})
}

func TestHelp(t *testing.T) {
	commandtest.Help(t, newRoot(), func(args []string, out io.Writer) int { return run(args, nil, out, out) }, *update)
}

// TestCommands runs the scripts. $ENDPOINT takes JSON lines with the token
// "right" and writes them to the file got.
func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/scripts", UpdateScripts: *update, RequireUniqueNames: true, RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": commandtest.Exits},
		Setup: func(e *testscript.Env) error {
			got := filepath.Join(e.WorkDir, "got")
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer right" {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				f, err := os.OpenFile(got, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
				if err == nil {
					_, err = io.Copy(f, r.Body)
					_ = f.Close()
				}
				if err != nil {
					w.WriteHeader(http.StatusInternalServerError)
				}
			}))
			e.Defer(server.Close)
			e.Setenv("ENDPOINT", server.URL)
			return nil
		},
	})
}

func TestExitCodesAreDocumented(t *testing.T) {
	commandtest.Codes(t, "../../docs/exit-codes.md", "tidemark-traffic", program.Codes)
}
