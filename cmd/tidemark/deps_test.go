package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// What belongs to the cloud, to tests and to the demo is not in the agent.
func TestWhatIsNotLinked(t *testing.T) {
	for _, goos := range []string{"linux", "windows"} {
		cmd := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}", ".")
		cmd.Env = append(cmd.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", goos, err)
		}
		linked := strings.Fields(string(out))
		if !slices.Contains(linked, "tidemark/sqlserver") || !slices.Contains(linked, "tidemark/uploader") {
			t.Fatalf("%s: this is not the list of what is linked: %d packages", goos, len(linked))
		}
		for _, p := range linked {
			for _, not := range []string{
				"github.com/jackc/pgx", "modernc.org/", "tidemark/cloud", "tidemark/internal/mssqltest",
				"tidemark/internal/pgtest", "tidemark/cmd/demo", "github.com/tidwall/btree", "pgregory.net/rapid", "testing",
			} {
				if p == strings.TrimSuffix(not, "/") || strings.HasPrefix(p, strings.TrimSuffix(not, "/")+"/") {
					t.Errorf("%s: %s is linked", goos, p)
				}
			}
		}
	}
}
