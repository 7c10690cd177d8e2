package config

import (
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// plain follows aliases and takes anchors and tags away. It returns nil for
// null, and for an alias of nothing or of itself.
func (d *decoder) plain(n ast.Node) ast.Node {
	for range 8 {
		switch t := n.(type) {
		case nil, *ast.NullNode:
			return nil
		case *ast.AnchorNode:
			n = t.Value
		case *ast.TagNode:
			n = t.Value
		case *ast.AliasNode:
			n = d.anchors[t.Value.GetToken().Value]
		default:
			return n
		}
	}
	return nil
}

// Visit implements ast.Visitor: it collects anchors.
func (d *decoder) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok {
		d.anchors[a.Name.GetToken().Value] = a.Value
	}
	return d
}

// scalar returns the text of a node that is neither mapping nor list.
func scalar(n ast.Node) (string, bool) {
	switch t := n.(type) {
	case *ast.StringNode:
		return t.Value, true
	case *ast.LiteralNode:
		return t.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// entries returns the entries of a mapping. A mapping of one entry may be
// parsed as that entry alone.
func entries(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch t := n.(type) {
	case *ast.MappingNode:
		return t.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{t}, true
	}
	return nil, false
}

// firstToken returns where a node begins; the library has a block mapping
// begin at its first colon.
func firstToken(n ast.Node) *token.Token {
	if m, ok := n.(*ast.MappingNode); ok && m.IsFlowStyle {
		return m.Start
	}
	if e, ok := entries(n); ok && len(e) > 0 {
		return e[0].Key.GetToken()
	}
	return n.GetToken()
}

func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	}
	return "text"
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// parent returns the path of what a field is in: "a.b[1].c" is in "a.b[1]",
// which is in "a.b".
func parent(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }

// last returns a field's own name: "a.b[1]" is "b[1]".
func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

func reflectOf(p any) reflect.Value { return reflect.ValueOf(p).Elem() }

func isText(v reflect.Value) bool { _, ok := v.Addr().Interface().(textValue); return ok }
