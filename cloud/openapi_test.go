package cloud

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"tidemark/internal/wire"
)

func openAPI(t *testing.T) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := yaml.UnmarshalWithOptions(OpenAPI, &doc, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestOpenAPIRoutes(t *testing.T) {
	var want, got []string
	for _, r := range slices.Concat(customerRoutes, openRoutes) {
		want = append(want, r.method+" "+r.path)
	}
	for path, item := range openAPI(t)["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			got = append(got, strings.ToUpper(method)+" "+path)
			o := op.(map[string]any)
			if body, hasBody := o["requestBody"].(map[string]any); hasBody != (method == "put" || method == "post" || method == "delete") {
				t.Errorf("%s %s: body %v", method, path, body)
			}
			if _, open := o["security"]; open != slices.ContainsFunc(openRoutes, func(r route) bool { return r.path == path }) {
				t.Errorf("%s %s: open %v", method, path, open)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestOpenAPIDocuments(t *testing.T) {
	schemas := openAPI(t)["components"].(map[string]any)["schemas"].(map[string]any)
	types := []any{wire.Version{}, wire.Writer{}, wire.Table{}, wire.Versions{}, wire.Policy{}, wire.TablePolicy{},
		wire.Report{}, wire.SourceReport{}, wire.TableReport{}, wire.Trouble{}, wire.Reported{}, wire.Schema{}, wire.Column{},
		wire.Header{}, wire.Answer{}, wire.Refusal{}, wire.ManifestHeader{}, wire.Comparison{}, wire.ListHeader{}, wire.Problem{}, wire.Enrollment{}, wire.Enrolled{}}
	described := append([]string{"Uint64"}, slices.Collect(maps.Keys(messageHeads(t)))...)
	for _, v := range types {
		typ := reflect.TypeOf(v)
		described = append(described, typ.Name())
		schema, ok := schemas[typ.Name()].(map[string]any)
		if !ok {
			t.Errorf("%s is not described", typ.Name())
			continue
		}
		want, required := make(map[string]string), []string{}
		for f := range typ.Fields() {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" { // no part of the document
				continue
			}
			want[name] = kindOf(f.Type, options)
			if !strings.Contains(options, "omit") {
				required = append(required, name)
			}
		}
		got := make(map[string]string)
		for name, p := range schema["properties"].(map[string]any) {
			got[name] = describedKind(p.(map[string]any))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", typ.Name(), d)
		}
		gotRequired := []string{}
		if list, ok := schema["required"].([]any); ok {
			for _, name := range list {
				gotRequired = append(gotRequired, name.(string))
			}
		}
		if d := cmp.Diff(required, gotRequired); d != "" {
			t.Errorf("%s: required: %s", typ.Name(), d)
		}
	}
	slices.Sort(described)
	if d := cmp.Diff(described, slices.Sorted(maps.Keys(schemas))); d != "" {
		t.Errorf("documents: %s", d)
	}
}

// kindOf is what a field looks like in JSON: "string", "integer", "boolean",
// a document's name, "[]" or "{}" before that of its elements.
func kindOf(t reflect.Type, options string) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case strings.Contains(options, "string"):
		return "Uint64"
	case t == reflect.TypeFor[wire.Type](), t == reflect.TypeFor[time.Time]():
		return "string"
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Slice:
		return "[]" + kindOf(t.Elem(), "")
	case reflect.Map:
		return "{}" + kindOf(t.Elem(), "")
	}
	return t.Name()
}

func describedKind(p map[string]any) string {
	if ref, ok := p["$ref"].(string); ok {
		return strings.TrimPrefix(ref, "#/components/schemas/")
	}
	switch kind := p["type"].(string); kind {
	case "array":
		return "[]" + describedKind(p["items"].(map[string]any))
	case "object":
		return "{}" + describedKind(p["additionalProperties"].(map[string]any))
	default:
		return kind
	}
}

// Every reference leads somewhere.
func TestOpenAPIReferences(t *testing.T) {
	doc := openAPI(t)
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				var at any = doc
				for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
					m, _ := at.(map[string]any)
					at = m[part]
				}
				if at == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(doc)
	codes := doc["components"].(map[string]any)["schemas"].(map[string]any)["Problem"].(map[string]any)["properties"].(map[string]any)["code"].(map[string]any)["enum"].([]any)
	for _, c := range codes {
		if wire.NewProblem(wire.Code(c.(string)), "", "").Status == 0 {
			t.Errorf("code %s has no status", c)
		}
	}
}
