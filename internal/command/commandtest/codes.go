package commandtest

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/internal/command"
)

var tableRow = regexp.MustCompile(`(?m)^\| ([0-9]+) \| (.*) \|$`)

// Codes holds the exit codes of a program against its table in the document
// at path, in the section of that name; "" is what stands before the first.
func Codes(t *testing.T, path, section string, codes []command.Code) {
	t.Helper()
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(doc)
	if section != "" {
		_, text, _ = strings.Cut(text, "\n## "+section+"\n")
	}
	text, _, _ = strings.Cut(text, "\n## ")
	var rows []command.Code
	for _, m := range tableRow.FindAllStringSubmatch(text, -1) {
		code, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, command.Code{Code: code, Meaning: m[2]})
	}
	if diff := cmp.Diff(codes, rows); diff != "" {
		t.Errorf("the document is not the program's (-program +document)\n%s", diff)
	}
}
