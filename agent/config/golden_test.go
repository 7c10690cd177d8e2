package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/agent/config"
)

var update = flag.Bool("update", false, "write the golden files")

// Every file in testdata/bad is wrong in the ways that its golden file says.
func TestProblemsAreShownWithLineAndCaret(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			c, err := config.Load(filepath.ToSlash(path))
			var problems config.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("Load gave %T %v, config %v", err, err, c)
			}
			got := err.Error() + "\n"
			if wd, err := os.Getwd(); err == nil {
				got = strings.ReplaceAll(got, wd, "DIR")
			}
			golden := strings.TrimSuffix(path, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if strings.Contains(got, "hunter2") {
				t.Error("a secret is shown")
			}
		})
	}
}
