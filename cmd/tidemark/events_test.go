package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The events of the code are those of docs/observability.md, with their levels.
func TestEventsAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, m := range eventRow.FindAllStringSubmatch(string(doc), -1) {
		listed = append(listed, m[1]+" "+m[2])
	}
	found := map[string]bool{}
	for _, dir := range []string{"../../agent", ".", "../../uploader", "../../sqlserver", "../../scheduler"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				return events(path, found)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(found)), slices.Sorted(slices.Values(listed))); diff != "" {
		t.Errorf("(-code +document)\n%s", diff)
	}
}

var eventRow = regexp.MustCompile("(?m)^\\| `([a-z.-]+)` \\| (debug|info|warn|error) \\|")

// events notes what a file tells its log: log.Info("table.works", ...), or the
// action behind "table.", or told("asked.sync", ...).
func events(path string, found map[string]bool) error {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		level := strings.ToLower(method.Sel.Name)
		switch level {
		case "debug", "info", "warn", "error":
			if on := name(method.X); on != "log" && on != "Log" {
				return true
			}
		case "told":
			level = "info"
		default:
			return true
		}
		if sum, ok := call.Args[0].(*ast.BinaryExpr); ok && text(sum.X) == "table." {
			for _, action := range map[string][]string{"info": {"upload", "diff"}, "debug": {"skip", "nothing"}}[level] {
				found["table."+action+" "+level] = true
			}
		} else if event := text(call.Args[0]); event != "" {
			found[event+" "+level] = true
		} else if name(call.Args[0]) != "event" { // told's own
			found["not a constant in "+path] = true
		}
		return true
	})
	return nil
}

func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func text(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	s, _ := strconv.Unquote(lit.Value)
	return s
}
