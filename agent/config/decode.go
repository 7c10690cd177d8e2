package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// A decoder fills structs from a parsed file. Unlike a library's it goes on
// after a mistake, so that a person learns of all of them at once, and it
// remembers where every field stands, for the checks that come after.
type decoder struct {
	file     *file
	dir      string              // that relative paths are in
	anchors  map[string]ast.Node // by name
	at       map[string]spot     // where the value of a field stands, by path
	keys     map[string]spot     // where its name stands
	mistyped map[string]bool     // fields that an unknown one was taken for
	named    map[string][]int    // places of tables in a list of tables, by its path
	patterns map[string][]int    // places of patterns there
	secrets  []located
	paths    []located
	problems Problems
}

// A located is something to look up outside of the file: a secret or a path.
type located struct {
	path   string // of the field
	at     spot
	secret Secret
	file   string
}

// A textValue is a type of this package that is written as text.
type textValue interface {
	parse(text string) error
	expected() string
}

var nodeType = reflect.TypeFor[ast.Node]()

func (d *decoder) report(at spot, path string, p Problem) {
	p.Field = path
	d.problems = append(d.problems, d.file.problem(at, p))
}

// reportField reports something about a field that may be absent: then at the
// nearest mapping around it that is there.
func (d *decoder) reportField(path string, p Problem) {
	for around := path; around != ""; around = parent(around) {
		if at, ok := d.at[around]; ok && around == path {
			d.report(at, path, p)
			return
		}
		if at, ok := d.keys[around]; ok {
			d.report(at, path, p)
			return
		}
	}
	p.Field, p.File = path, d.file.path
	d.problems = append(d.problems, p)
}

func (d *decoder) has(path string) bool { _, ok := d.at[path]; return ok }

// value decodes one node. at is where to point for it.
func (d *decoder) value(path string, n ast.Node, at spot, v reflect.Value, tag reflect.StructTag) {
	n = d.plain(n)
	if n == nil {
		return // "name:" with nothing after it is as if it were not there
	}
	d.at[path] = at
	if v.Type() == nodeType {
		v.Set(reflect.ValueOf(n))
		return
	}
	if s, ok := v.Addr().Interface().(*Secret); ok {
		d.file.hide(spotOf(n.GetToken()), d.keys[path].column)
		if text, ok := scalar(n); ok {
			*s = secretOf(reference{text: text, dir: d.dir})
			d.secrets = append(d.secrets, located{path: path, at: at, secret: *s})
			return
		}
	}
	expected, err := "", error(nil)
	switch text, isScalar := scalar(n); {
	case v.Kind() == reflect.Slice:
		d.list(path, n, v, tag)
		return
	case v.Kind() == reflect.Struct && !isText(v):
		d.mapping(path, n, at, v)
		return
	default:
		expected, err = setScalar(v, n, text, isScalar, tag)
	}
	if err == nil {
		d.finish(path, at, v, tag)
		return
	}
	p := Problem{Message: fmt.Sprintf("%s: %s", last(path), err), Expected: expected}
	if options := tag.Get("enum"); options != "" {
		if text, ok := scalar(n); ok {
			if meant := nearest(text, strings.Split(options, ",")); meant != "" {
				p.Hint = fmt.Sprintf("did you mean %q?", meant)
			}
		}
	}
	if _, ok := scalar(n); !ok {
		d.hide(path, n)
	}
	d.report(at, path, p)
}

// finish does what tags ask for once a scalar is set: ranges and paths.
func (d *decoder) finish(path string, at spot, v reflect.Value, tag reflect.StructTag) {
	if r := tag.Get("range"); r != "" {
		if shown, ok := inRange(v, r); !ok {
			low, high, _ := strings.Cut(r, "..")
			d.report(at, path, Problem{
				Message:  fmt.Sprintf("%s: %s is out of range", last(path), shown),
				Expected: fmt.Sprintf("%s to %s", low, high),
			})
		}
	}
	kind := tag.Get("path")
	if kind == "" || v.String() == "" {
		return
	}
	if !filepath.IsAbs(v.String()) {
		v.SetString(filepath.Join(d.dir, v.String()))
	}
	if kind == "file" {
		d.paths = append(d.paths, located{path: path, at: at, file: v.String()})
	}
}

func (d *decoder) list(path string, n ast.Node, v reflect.Value, tag reflect.StructTag) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		at := d.at[path]
		d.hideComposite(path, n)
		d.report(at, path, Problem{Message: fmt.Sprintf("%s: this is %s", last(path), kindOf(n)), Expected: `a list: lines that begin with "- "`})
		return
	}
	items := reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values))
	for i, item := range seq.Values {
		p := fmt.Sprintf("%s[%d]", path, i)
		at := spotOf(firstToken(item))
		d.keys[p] = at
		d.value(p, item, at, items.Index(i), tag)
	}
	v.Set(items)
}

func (d *decoder) mapping(path string, n ast.Node, at spot, v reflect.Value) {
	values, ok := entries(n)
	if !ok {
		d.hideComposite(path, n)
		d.report(at, path, Problem{Message: fmt.Sprintf("%s: this is %s", last(path), kindOf(n)), Expected: "a mapping: indented lines of the form name: value"})
		return
	}
	fields := fieldsOf(v.Type())
	for _, e := range values {
		key := spotOf(e.Key.GetToken())
		name := e.Key.GetToken().Value
		p := join(path, name)
		d.keys[p] = key
		var found *field
		for i := range fields {
			if fields[i].name == name {
				found = &fields[i]
			}
		}
		if found == nil {
			d.unknown(p, name, key, e.Value, fields)
			continue
		}
		at := key
		if n := d.plain(e.Value); n != nil {
			if _, isScalar := scalar(n); isScalar {
				at = spotOf(e.Value.GetToken())
			}
		}
		d.value(p, e.Value, at, v.FieldByIndex(found.index), found.tag)
	}
}

func (d *decoder) unknown(path, name string, key spot, value ast.Node, fields []field) {
	if n := d.plain(value); n != nil {
		d.hide(path, n)
	}
	p := Problem{Message: fmt.Sprintf("unknown field %q", name)}
	meant := nearest(name, names(fields))
	if name == "<<" {
		p.Message, p.Hint = "merging (<<) is not understood", "what tables share belongs in defaults"
		path = parent(path)
	} else if meant != "" {
		p.Hint = fmt.Sprintf("did you mean %q?", meant)
		d.mistyped[join(parent(path), meant)] = true
	} else {
		p.Expected = "one of " + strings.Join(names(fields), ", ")
		if in := homes()[name]; in != nil {
			p.Expected, p.Hint = "", fmt.Sprintf("%q belongs in %s", name, strings.Join(in, " or "))
		}
	}
	d.report(key, path, p)
}

// hide keeps a value that was not understood out of messages: it may be a
// secret under a mistyped name.
func (d *decoder) hide(path string, n ast.Node) {
	d.file.hide(spotOf(firstToken(n)), d.keys[path].column)
}

func (d *decoder) hideComposite(path string, n ast.Node) {
	if _, ok := scalar(n); !ok {
		d.hide(path, n)
	}
}

// setScalar sets v from a scalar node; on an error it says what was expected.
func setScalar(v reflect.Value, n ast.Node, text string, isScalar bool, tag reflect.StructTag) (expected string, err error) {
	if options := tag.Get("enum"); options != "" {
		for o := range strings.SplitSeq(options, ",") {
			if isScalar && text == o {
				v.SetString(o)
				return "", nil
			}
		}
		return "one of " + strings.ReplaceAll(options, ",", ", "), wrong(n, text, isScalar, nil)
	}
	_, isString := n.(*ast.StringNode)
	if _, literal := n.(*ast.LiteralNode); literal {
		isString = true
	}
	switch t := v.Addr().Interface().(type) {
	case *time.Duration:
		if isString {
			*t, err = parseDuration(text)
		}
		if err != nil || !isString {
			return expectedDuration, wrong(n, text, isScalar, nil)
		}
	case textValue:
		_, isSize := t.(*Size)
		if !isString && !(isSize && isScalar) {
			return t.expected(), wrong(n, text, isScalar, nil)
		}
		if err = t.parse(text); err != nil {
			return t.expected(), wrong(n, text, isScalar, err)
		}
	case *string:
		if !isString {
			expected = "text"
			if isScalar {
				expected = fmt.Sprintf("text; put it in quotes: %q", text)
			}
			return expected, wrong(n, text, isScalar, nil)
		}
		*t = text
	case *bool:
		b, ok := n.(*ast.BoolNode)
		if !ok {
			return "true or false", wrong(n, text, isScalar, nil)
		}
		*t = b.Value
	case *int:
		_, isInt := n.(*ast.IntegerNode)
		number, err := strconv.Atoi(text)
		if !isInt || err != nil {
			return "a whole number", wrong(n, text, isScalar, nil)
		}
		*t = number
	default:
		panic(fmt.Sprintf("config: no decoding for %s", v.Type()))
	}
	return "", nil
}

// wrong says what a value is instead of what it should be.
func wrong(n ast.Node, text string, isScalar bool, cause error) error {
	switch {
	case cause != nil && !errors.Is(cause, errSize):
		return fmt.Errorf("%q: %w", text, cause)
	case isScalar:
		return fmt.Errorf("%q is not understood", text)
	}
	return fmt.Errorf("this is %s", kindOf(n))
}

func inRange(v reflect.Value, r string) (shown string, ok bool) {
	low, high, _ := strings.Cut(r, "..")
	var value, from, to int64
	switch t := v.Interface().(type) {
	case time.Duration:
		l, _ := parseDuration(low)
		h, _ := parseDuration(high)
		shown, value, from, to = formatDuration(t), int64(t), int64(l), int64(h)
	case Size:
		l, _ := parseSize(low)
		h, _ := parseSize(high)
		shown, value, from, to = t.String(), int64(t), int64(l), int64(h)
	case int:
		from, _ = strconv.ParseInt(low, 10, 64)
		to, _ = strconv.ParseInt(high, 10, 64)
		shown, value = strconv.Itoa(t), int64(t)
	}
	return shown, value >= from && value <= to
}
