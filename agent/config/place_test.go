package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"tidemark/agent/config"
)

// The service is found by a file with mistakes in it, too.
func TestStateDirOfMistakes(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tidemark.yaml")
	for text, want := range map[string]string{
		"customr: acme\nstate_dir: here\n":             filepath.Join(dir, "here"),
		"state_dir: \"here\" # it is\nsource: {a: [\n": filepath.Join(dir, "here"),
		"customr: acme\n":                              config.DefaultStateDir(),
		"source: {a: [\n":                              config.DefaultStateDir(),
		"state_dir: [1, 2]\n":                          config.DefaultStateDir(),
		"state_dir: [\n":                               config.DefaultStateDir(),
		"":                                             config.DefaultStateDir(),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := config.StateDirOf(path); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if got := config.StateDirOf(filepath.Join(dir, "none.yaml")); got != config.DefaultStateDir() {
		t.Errorf("no file: %s", got)
	}
}
