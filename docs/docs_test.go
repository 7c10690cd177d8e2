// Package docs_test holds the documents against the tree.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// packages are the folders of the module that hold a program or a library,
// each with its parsed files, tests left out.
func packages(t *testing.T) map[string][]*ast.File {
	t.Helper()
	all := map[string][]*ast.File{}
	files := token.NewFileSet()
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || name == "tools" || name == "bin" || name == "dist") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(files, filepath.Join("..", name), nil, parser.ParseComments|parser.SkipObjectResolution)
		all[path.Dir(name)] = append(all[path.Dir(name)], f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var quoted = regexp.MustCompile("`([^`]+)`")

// Every package has its row in the table of the architecture, or belongs to
// one that says "and below" by /....
func TestEveryPackageHasItsPlace(t *testing.T) {
	text, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{} // name: has it been used
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) == 5 {
			for _, m := range quoted.FindAllStringSubmatch(cells[1], -1) {
				rows[m[1]] = false
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(packages(t))) {
		row := name
		for at := name; ; at = path.Dir(at) {
			if _, ok := rows[at+"/..."]; ok {
				row = at + "/..."
			}
			if at == "." {
				break
			}
		}
		if _, ok := rows[row]; !ok {
			t.Errorf("%s has no row", name)
			continue
		}
		rows[row] = true
	}
	for row, used := range rows {
		if !used {
			t.Errorf("the row of %s is of no package", row)
		}
	}
}

// Every package says what it is for, once, and every exported name has a
// comment, or its group has.
func TestEverythingExportedIsDocumented(t *testing.T) {
	for name, files := range packages(t) {
		said := 0
		for _, f := range files {
			if f.Doc != nil {
				said++
			}
			for _, decl := range f.Decls {
				for _, bare := range undocumented(decl) {
					t.Errorf("%s: %s has no comment", name, bare)
				}
			}
		}
		if said != 1 {
			t.Errorf("%s: %d files say what the package is for", name, said)
		}
	}
}

func undocumented(decl ast.Decl) (names []string) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				if s.Names[0].IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					names = append(names, s.Names[0].Name)
				}
			}
		}
	}
	return names
}

// wellKnown are methods whose interface is their comment.
var wellKnown = []string{"Error", "Unwrap", "Is", "As", "String", "Len", "Less", "Swap", "Push", "Pop", "Close", "Read", "Write",
	"ServeHTTP", "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "MarshalYAML", "UnmarshalYAML"}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	if slices.Contains(wellKnown, d.Name.Name) {
		return false
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if generic, ok := typ.(*ast.IndexExpr); ok {
		typ = generic.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}
