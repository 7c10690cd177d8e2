package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var namedTest = regexp.MustCompile("`([a-z0-9/-]+)\\.(Test[A-Za-z0-9]+)`")

// Every test that the threat model names is in that package.
func TestSecurityNamesTests(t *testing.T) {
	text := read(t, "security.md")
	all := namedTest.FindAllStringSubmatch(text, -1)
	if len(all) < 30 {
		t.Errorf("%d tests", len(all))
	}
	for _, m := range all {
		files, err := filepath.Glob(filepath.Join("..", m[1], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range files {
			found = found || strings.Contains(read(t, f), "func "+m[2]+"(t *testing.T)")
		}
		if !found {
			t.Errorf("%s has no %s", m[1], m[2])
		}
	}
	for _, m := range regexp.MustCompile("`([a-z/-]+/testdata/[^`]+)`").FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
			t.Error(err)
		}
	}
}

var requirement = regexp.MustCompile(`(?m)^(?:require )?\t?([a-z0-9./-]+\.[a-z]+/\S+|pgregory\.net/\S+) v\S+(.*)$`)

// Every module that go.mod requires itself has its row with a reason, and no
// other has one.
func TestDependenciesHaveReasons(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "security.md"), "## Dependencies")
	rows := map[string]bool{} // module: is it required
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		name := strings.Trim(cells[1], " `")
		if _, twice := rows[name]; twice || strings.TrimSpace(cells[2]) == "" || strings.TrimSpace(cells[3]) == "" {
			t.Errorf("%s: twice, or without a place or a reason", name)
		}
		rows[name] = false
	}
	required := 0
	for _, m := range requirement.FindAllStringSubmatch(read(t, "../go.mod"), -1) {
		if strings.Contains(m[2], "// indirect") {
			continue
		}
		required++
		if _, ok := rows[m[1]]; !ok {
			t.Errorf("%s has no row", m[1])
		}
		rows[m[1]] = true
	}
	if required < 20 {
		t.Errorf("%d requirements", required)
	}
	for name, used := range rows {
		if !used {
			t.Errorf("%s has a row and is not required", name)
		}
	}
}
