package config

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"time"
)

// A generator makes the JSON schema of the configuration file from the types
// that the file is decoded into: their tags say what is allowed, their
// comments what it means. It is in no program; see schema_file_test.go.
type generator struct {
	comments map[string]string // by "Type.Field"
	goNames  *strings.Replacer // Go names in comments -> names in the file
}

// A node is a part of a schema.
type node = map[string]any

func newGenerator(dir string) (*generator, error) {
	g := &generator{comments: map[string]string{}}
	var renamed []string
	parsed, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range parsed {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.TYPE && len(d.Specs) == 1 {
				g.comments[d.Specs[0].(*ast.TypeSpec).Name.Name] = strings.Join(strings.Fields(d.Doc.Text()), " ")
			}
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if fields, ok := spec.Type.(*ast.StructType); ok {
				renamed = append(renamed, g.read(spec.Name.Name, fields)...)
			}
			return true
		})
	}
	if len(g.comments) == 0 {
		return nil, fs.ErrNotExist
	}
	g.goNames = strings.NewReplacer(renamed...)
	return g, nil
}

var humps = regexp.MustCompile(`[a-z][A-Z]`)

// read takes the comments of a struct, and which of its names have to be
// written otherwise for a reader of the file.
func (g *generator) read(name string, s *ast.StructType) (renamed []string) {
	for _, f := range s.Fields.List {
		if len(f.Names) != 1 || f.Tag == nil {
			continue
		}
		inFile, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml"), ",")
		text := strings.Join(strings.Fields(f.Doc.Text()+" "+f.Comment.Text()), " ")
		if after, ok := strings.CutPrefix(text, f.Names[0].Name+" "); ok {
			text = inFile + " " + after
		}
		g.comments[name+"."+f.Names[0].Name] = text
		if humps.MatchString(f.Names[0].Name) {
			renamed = append(renamed, f.Names[0].Name, inFile)
		}
	}
	return renamed
}

// schema is the whole schema.
func (g *generator) schema() node {
	root := g.object(reflect.TypeFor[rawConfig](), defaultConfig(), "customer", "cloud")
	source := g.object(reflect.TypeFor[rawSource](), node{}, "tables")
	source["anyOf"] = []node{{"required": []string{"server", "database"}}, {"required": []string{"dsn"}}}
	table := g.object(reflect.TypeFor[rawTable](), node{}, "name")
	properties := root["properties"].(node)
	properties["source"] = node{"$ref": "#/definitions/source"}
	properties["sources"] = node{"type": "array", "minItems": 1, "items": node{
		"allOf": []node{{"$ref": "#/definitions/source"}, {"required": []string{"name"}}}}}
	source["properties"].(node)["tables"] = node{"type": "array", "minItems": 1, "items": node{
		"anyOf": []node{{"type": "string", "description": (*tableWord)(nil).expected()}, {"$ref": "#/definitions/table"}}}}
	root["oneOf"] = []node{{"required": []string{"source"}}, {"required": []string{"sources"}}}
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = "Configuration of Tidemark"
	root["definitions"] = node{"source": source, "table": table}
	return root
}

// object is the schema of a struct. defaults holds the values that its fields
// have when they are not given; node{} where none are known.
func (g *generator) object(t reflect.Type, defaults any, required ...string) node {
	properties := node{}
	for _, f := range fieldsOf(t) {
		def := reflect.Value{}
		if v := reflect.ValueOf(defaults); v.Kind() == reflect.Struct && v.Type() == t {
			def = v.FieldByIndex(f.index)
		}
		field := t.FieldByIndex(f.index)
		n := g.value(field.Type, f.tag, def)
		n["description"] = g.describe(g.comments[owner(t, f.index)+"."+field.Name], field.Type, f)
		properties[f.name] = n
	}
	n := node{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		n["required"] = required
	}
	return n
}

// describe is what the file's reader is told of a field: its comment, else its
// type's, and the range.
func (g *generator) describe(text string, t reflect.Type, f field) string {
	if text == "" {
		text = g.comments[t.Name()]
		for _, article := range []string{"A ", "An "} {
			text = strings.TrimPrefix(text, article)
		}
		if after, ok := strings.CutPrefix(text, t.Name()+" "); ok {
			text = f.name + " " + after
		}
	}
	if low, high, ok := strings.Cut(f.tag.Get("range"), ".."); ok && t.Kind() != reflect.Int {
		text += fmt.Sprintf(" (%s to %s)", low, high)
	}
	return g.goNames.Replace(text)
}

// owner is the name of the struct that a field was declared in.
func owner(t reflect.Type, index []int) string {
	for _, i := range index[:len(index)-1] {
		t = t.Field(i).Type
	}
	return t.Name()
}

const durationPattern = `^([0-9]{1,5}d)?([0-9.]+(ns|us|µs|ms|s|m|h))*$`

func (g *generator) value(t reflect.Type, tag reflect.StructTag, def reflect.Value) node {
	n := node{}
	low, high, ranged := strings.Cut(tag.Get("range"), "..")
	switch {
	case t == reflect.TypeFor[time.Duration]():
		n = node{"type": "string", "pattern": durationPattern}
		if def.IsValid() {
			n["default"] = formatDuration(time.Duration(def.Int()))
		}
	case t == reflect.TypeFor[Size]():
		n = node{"type": []string{"string", "integer"}}
		if def.IsValid() && def.Int() != 0 {
			n["default"] = Size(def.Int()).String()
		}
	case t == reflect.TypeFor[Secret](), reflect.PointerTo(t).Implements(reflect.TypeFor[textValue]()):
		n = node{"type": "string"}
	case tag.Get("enum") != "":
		var options []any
		for o := range strings.SplitSeq(tag.Get("enum"), ",") {
			if options = append(options, o); o == "true" {
				options = append(options, true) // without quotes it is a boolean in YAML
			}
		}
		n = node{"enum": options}
	case t.Kind() == reflect.Slice:
		n = node{"type": "array", "items": g.value(t.Elem(), "", reflect.Value{})}
	case t.Kind() == reflect.Struct:
		var inner any = node{}
		if def.IsValid() {
			inner = def.Interface()
		}
		return g.object(t, inner)
	case t.Kind() == reflect.String:
		n = node{"type": "string"}
	case t.Kind() == reflect.Bool:
		n = node{"type": "boolean"}
	case t.Kind() == reflect.Int:
		n = node{"type": "integer"}
		if ranged {
			n["minimum"], n["maximum"] = json.Number(low), json.Number(high)
		}
	}
	if _, has := n["default"]; !has && def.IsValid() && !def.IsZero() && def.Kind() != reflect.Slice && def.Kind() != reflect.Func {
		n["default"] = def.Interface()
	}
	return n
}

// text is the schema as it is shipped.
func (g *generator) text() ([]byte, error) {
	b, err := json.MarshalIndent(g.schema(), "", " ")
	return append(b, '\n'), err
}
