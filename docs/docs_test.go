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

// A row of the architecture's table: packages, and what they may import. A name
// that ends in /... has all that is below.
type row struct {
	names   []string
	imports string
}

// rows are the table's.
func rows(t *testing.T) (all []*row) {
	t.Helper()
	text, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) == 5 && strings.Contains(cells[1], "`") {
			all = append(all, &row{names: inQuotes(cells[1]), imports: cells[3]})
		}
	}
	return all
}

func inQuotes(text string) (names []string) {
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

// rowOf finds a package's row, and as what it is there: itself, or one of all
// below a folder.
func rowOf(all []*row, name string) (r *row, as string) {
	names := []string{name}
	for at := name; at != "."; at = path.Dir(at) {
		names = append(names, at+"/...")
	}
	for _, as := range names {
		if i := slices.IndexFunc(all, func(r *row) bool { return slices.Contains(r.names, as) }); i >= 0 {
			return all[i], as
		}
	}
	return nil, ""
}

// Every package has its row in the table of the architecture, or belongs to
// one that says "and below" by /....
func TestEveryPackageHasItsPlace(t *testing.T) {
	all, used := rows(t), map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(packages(t))) {
		r, as := rowOf(all, name)
		if used[as] = true; r == nil {
			t.Errorf("%s has no row", name)
		}
	}
	for _, r := range all {
		for _, name := range r.names {
			if !used[name] {
				t.Errorf("the row of %s is of no package", name)
			}
		}
	}
}

// A package imports what its row says and nothing else of the module.
func TestImportsAreThoseOfTheTable(t *testing.T) {
	all := rows(t)
	for name, files := range packages(t) {
		r, _ := rowOf(all, name)
		if r == nil || !strings.Contains(r.imports, "`") && !strings.Contains(r.imports, "nothing") {
			continue // another test's; anything
		}
		for _, f := range files {
			for _, spec := range f.Imports {
				of, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), "tidemark/")
				if other, _ := rowOf(all, of); !ours || other == r {
					continue
				}
				if !slices.ContainsFunc(inQuotes(r.imports), func(may string) bool { return of == may || strings.HasPrefix(of, may+"/") }) {
					t.Errorf("%s imports %s, its row says%s", name, of, r.imports)
				}
			}
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
