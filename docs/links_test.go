package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
)

// anchor is what GitHub makes of a heading.
func anchor(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 0x7f:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Every link of a document to another file, or to a place in one, leads there.
func TestLinksLeadSomewhere(t *testing.T) {
	links := 0
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin" || d.Name() == "dist") {
			return fs.SkipDir
		}
		if filepath.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllSubmatch(fence.ReplaceAll(text, nil), -1) {
			target, place, _ := strings.Cut(string(m[1]), "#")
			if strings.Contains(target, ":") {
				continue
			}
			links++
			to := name
			if target != "" {
				to = filepath.Join(filepath.Dir(name), target)
			}
			there, err := os.ReadFile(to)
			if info, stat := os.Stat(to); stat == nil && info.IsDir() {
				err = nil
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			found := place == ""
			for _, h := range heading.FindAllSubmatch(there, -1) {
				found = found || anchor(string(h[1])) == place
			}
			if !found {
				t.Errorf("%s: %s has no heading for #%s", name, to, place)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if links == 0 {
		t.Error("no link was looked at")
	}
}
