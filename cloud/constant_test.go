package cloud_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// What a store keeps of keys and codes is compared by functions whose time does
// not depend on how much is right, and by nothing else. Postgres and SQLite look
// codes up by their hash, which nobody can choose.
func TestHashesAreComparedInConstantTime(t *testing.T) {
	constant := map[string]bool{"subtle.ConstantTimeCompare": true, "hmac.Equal": true}
	compared := 0
	for _, dir := range []string{".", "../cmd/tidemark-cloud"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files := token.NewFileSet()
			f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BinaryExpr:
					if (n.Op == token.EQL || n.Op == token.NEQ) && (isHash(n.X) || isHash(n.Y)) {
						t.Errorf("%s: a hash is compared with %s", files.Position(n.Pos()), n.Op)
					}
				case *ast.CallExpr:
					name := called(n)
					if constant[name] {
						compared++
					}
					if (name == "bytes.Equal" || name == "bytes.Compare" || name == "slices.Equal" || name == "reflect.DeepEqual") && len(n.Args) == 2 && (isHash(n.Args[0]) || isHash(n.Args[1])) {
						t.Errorf("%s: a hash is compared with %s", files.Position(n.Pos()), name)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if compared < 4 { // customers' keys, operators' keys, their sessions, codes
		t.Errorf("%d comparisons in constant time", compared)
	}
}

// isHash tells whether an expression is a hash that is kept: x.Hash, x.Hash[:].
func isHash(e ast.Expr) bool {
	if s, ok := e.(*ast.SliceExpr); ok {
		e = s.X
	}
	s, ok := e.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "Hash"
}

func called(c *ast.CallExpr) string {
	s, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if x, ok := s.X.(*ast.Ident); ok {
		return x.Name + "." + s.Sel.Name
	}
	return ""
}
