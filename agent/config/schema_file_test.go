package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "../../deploy/tidemark.schema.json"

// The schema that is shipped is the one of the types.
func TestSchemaIsOfTheTypes(t *testing.T) {
	g, err := newGenerator(".")
	if err != nil {
		t.Fatal(err)
	}
	got, err := g.text()
	if err != nil {
		t.Fatal(err)
	}
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(schemaFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("write it with `go test ./agent/config -update` (-want +got)\n%s", diff)
	}
}

// Every field of the schema says what it means.
func TestSchemaTellsWhatFieldsMean(t *testing.T) {
	var schema any
	b, err := os.ReadFile(schemaFile)
	if err == nil {
		err = json.Unmarshal(b, &schema)
	}
	if err != nil {
		t.Fatal(err)
	}
	var visit func(path string, n any)
	visit = func(path string, n any) {
		m, ok := n.(map[string]any)
		if !ok {
			return
		}
		for name, p := range m {
			if name != "properties" {
				visit(path+"/"+name, p)
				continue
			}
			for field, p := range p.(map[string]any) {
				visit(path+"/"+field, p)
				if _, elsewhere := p.(map[string]any)["$ref"]; elsewhere || field == "sources" || field == "tables" {
					continue
				}
				if said, _ := p.(map[string]any)["description"].(string); said == "" {
					t.Errorf("%s/%s says %q", path, field, said)
				}
			}
		}
	}
	visit("", schema)
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	b, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// valid tells what the schema has against a file.
func valid(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// What the program takes, the schema takes.
func TestSchemaTakesWhatIsRight(t *testing.T) {
	s := compiled(t)
	files, err := filepath.Glob("../../deploy/tidemark*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	texts := map[string]string{
		"small": "customer: a\ncloud: {url: https://c, key: '${env:K}'}\nsource: {dsn: '${env:D}', tables: [a]}\n",
		"sources": `
customer: a
cloud: {url: https://c, key_file: k, bandwidth: 1048576}
defaults: {interval: 1h30m, verify_every: 7d, windows: ["22:00-06:00"], limits: {batch_bytes: 1.5MiB, lock_timeout: 0s}}
sources:
  - {name: one, server: s, database: d, user: u, password: "${secret:p}", encrypt: true, tables: [a, {name: b, enabled: false}]}
  - {name: two, server: s, database: d, user: u, password: "${secret:p}", encrypt: "true", tables: [a]}
`,
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		texts[f] = string(b)
	}
	for name, text := range texts {
		if _, err := Parse("x.yaml", []byte(text)); err != nil {
			t.Errorf("%s: the program: %v", name, err)
		}
		if err := valid(t, s, []byte(text)); err != nil {
			t.Errorf("%s: the schema: %v", name, err)
		}
	}
}

// What an editor should underline.
func TestSchemaRefusesWhatIsWrong(t *testing.T) {
	s := compiled(t)
	const head, tail = "customer: a\ncloud: {url: https://c, key: '${env:K}'}\n", "source: {dsn: '${env:D}', tables: [a]}\n"
	for name, text := range map[string]string{
		"unknown field":     head + tail + "interval: 1m\n",
		"no source":         head,
		"both":              head + tail + "sources: [{name: a, dsn: '${env:D}', tables: [a]}]\n",
		"number for text":   "customer: 7\ncloud: {url: https://c}\n" + tail,
		"no customer":       "cloud: {url: https://c}\n" + tail,
		"level":             head + tail + "log: {level: loud}\n",
		"out of range":      head + tail + "parallel: 17\n",
		"not a duration":    head + tail + "defaults: {interval: soon}\n",
		"field of another":  head + "source: {dsn: '${env:D}', tables: [{name: a, port: 1}]}\n",
		"no tables":         head + "source: {dsn: '${env:D}'}\n",
		"nowhere to go":     head + "source: {server: s, tables: [a]}\n",
		"source has noname": head + "sources: [{dsn: '${env:D}', tables: [a]}]\n",
	} {
		if _, err := Parse("x.yaml", []byte(text)); err == nil {
			t.Errorf("%s: the program takes it", name)
		}
		if err := valid(t, s, []byte(text)); err == nil {
			t.Errorf("%s: the schema takes it", name)
		}
	}
}
