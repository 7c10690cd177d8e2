package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"pgregory.net/rapid"

	"tidemark/agent/config"
	"tidemark/agent/secrets"
	"tidemark/deploy"
	"tidemark/internal/fault"
)

const small = `
customer: acme
cloud: {url: "https://c.example/", key: "${env:CLOUD_KEY}"}
source:
  server: db
  database: d
  user: u
  password: ${file:pw}
  tables: [dbo.a]
`

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("tidemark.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	c := parse(t, small)
	if c.Cloud.URL != "https://c.example" || c.Parallel != 2 || c.StateDir != config.DefaultStateDir() {
		t.Errorf("%+v", c)
	}
	s := c.Sources[0]
	if s.Name != "main" || s.Encrypt != "true" || !s.MultiSubnetFailover || s.Connections != 2 {
		t.Errorf("%+v", s)
	}
	want := config.Table{
		Name: config.TableName{Schema: "dbo", Name: "a"}, Dataset: "dbo.a", Enabled: true, Pace: config.DefaultPace(),
	}
	if diff := cmp.Diff([]config.Table{want}, s.Tables); diff != "" {
		t.Error(diff)
	}
}

// The nearest pace counts, field by field, wherever "defaults" stands.
func TestPaceIsInherited(t *testing.T) {
	c := parse(t, `
customer: acme
cloud: {url: "https://c.example", key_file: secret}
sources:
  - name: one
    server: db
    database: d
    user: u
    password: ${env:X}
    interval: 10s
    limits: {lock_timeout: 1s}
    tables:
      - dbo.plain
      - {name: dbo.own, max_skips: 1, limits: {batch_rows: 64}, windows: [], enabled: false}
  - name: two
    dsn: ${file:dsn}
    tables: [a]
defaults:
  interval: 1h30m
  max_skips: 9
  verify_every: 7d
  windows: &night ["22:00-06:00"]
  limits: {query_time: 100ms, batch_bytes: 1.5MiB}
`)
	type figures struct {
		Interval         time.Duration
		MaxSkips, Rows   int
		Query, Lock      time.Duration
		Bytes            config.Size
		Windows          int
		Dataset          string
		EveryDay, Enable bool
	}
	var got []figures
	for _, s := range c.Sources {
		for _, x := range s.Tables {
			got = append(got, figures{
				x.Interval, x.MaxSkips, x.Limits.BatchRows, x.Limits.QueryTime, x.Limits.LockTimeout,
				x.Limits.BatchBytes, len(x.Windows), x.Dataset, x.VerifyEvery == 7*24*time.Hour, x.Enabled,
			})
		}
	}
	const ms = time.Millisecond
	want := []figures{
		{10 * time.Second, 9, 50000, 100 * ms, time.Second, 3 << 19, 1, "one.dbo.plain", true, true},
		{10 * time.Second, 1, 64, 100 * ms, time.Second, 3 << 19, 0, "one.dbo.own", true, false},
		{90 * time.Minute, 9, 50000, 100 * ms, 5 * time.Second, 3 << 19, 1, "two.dbo.a", true, true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if c.Table("two.dbo.a") == nil || c.Table("dbo.a") != nil {
		t.Error("Table does not find by dataset")
	}
}

func TestExampleIsValid(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tidemark.yaml")
	must(t, secrets.Beside(path).Set("cloud.key", "k\n"))
	must(t, secrets.Beside(path).Set("sql.password", "p\r\n"))
	must(t, os.WriteFile(path, deploy.ExampleConfig, 0o600))
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if key, err := c.Cloud.Key.Value(); key != "k" || err != nil {
		t.Errorf("%q %v", key, err)
	}
	if pw, err := c.Sources[0].Password.Value(); pw != "p" || err != nil {
		t.Errorf("%q %v", pw, err)
	}
	// What the example calls a default is one, and so is what it leaves out.
	if diff := cmp.Diff(config.DefaultPace(), c.Defaults); diff != "" {
		t.Error(diff)
	}
}

// What the example only shows in comments is valid too.
func TestExampleComments(t *testing.T) {
	for line := range strings.SplitSeq(string(deploy.ExampleConfig), "\n") {
		field, ok := strings.CutPrefix(strings.TrimSpace(line), "# ")
		if !ok || !strings.Contains(field, ": ") {
			continue
		}
		for _, in := range []struct{ head, indent string }{
			{"cloud: {url: \"https://c\", key: \"${env:X}\"}\nlog:\n", "  "},
			{"cloud:\n  url: https://c\n  key: ${env:X}\n", "  "},
			{"cloud: {url: \"https://c\", key: \"${env:X}\"}\n", ""},
			{"cloud: {url: \"https://c\", key: \"${env:X}\"}\n", "  "},
		} {
			text := in.head + in.indent + field
			_, err := config.Parse("x", []byte(text))
			if err != nil && !strings.Contains(err.Error(), "unknown field") && !strings.Contains(err.Error(), "not YAML") &&
				!strings.Contains(err.Error(), "source is missing") {
				t.Errorf("%s: %v", field, err)
			}
		}
	}
}

func TestReferencesAreLookedUp(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tidemark.yaml")
	must(t, os.WriteFile(path, []byte(small), 0o600))
	if _, err := config.LoadForView(path); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(path)
	var ps config.Problems
	if !errors.As(err, &ps) || len(ps) != 2 || ps[0].Field != "cloud.key" || ps[1].Field != "source.password" {
		t.Fatalf("%v", err)
	}
	t.Setenv("CLOUD_KEY", "one")
	must(t, os.WriteFile(filepath.Join(dir, "pw"), []byte("two\n"), 0o600))
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CLOUD_KEY", "three")
	if key, err := c.Cloud.Key.Value(); key != "three" || err != nil {
		t.Errorf("not read anew: %q %v", key, err)
	}
	must(t, os.Remove(filepath.Join(dir, "pw")))
	if _, err := c.Sources[0].Password.Value(); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "pw")) {
		t.Errorf("%v", err)
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "none.yaml"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(fault.Hint(err), "--config") {
		t.Errorf("%v, hint %q", err, fault.Hint(err))
	}
}

// Whatever prints a configuration prints no secret and no reference.
func TestSecretsAreNeverPrinted(t *testing.T) {
	const secret = "hunter2"
	s := config.NewSecret(secret)
	c := &config.Config{Cloud: config.Cloud{Key: s}, Sources: []config.Source{{Password: s, DSN: s}}}
	hidden := struct{ inner config.Secret }{s}
	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{s, &s, c, *c, hidden, []config.Secret{s}, map[string]config.Secret{"a": s}} {
			printed = append(printed, fmt.Sprintf(verb, v))
		}
	}
	asJSON, err := json.Marshal(c)
	must(t, err)
	asYAML, err := yaml.Marshal(c)
	must(t, err)
	entry, err := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()).EncodeEntry(zapcore.Entry{},
		[]zapcore.Field{zap.Any("a", s), zap.Any("b", c), zap.Any("c", hidden), zap.Reflect("d", c)})
	must(t, err)
	printed = append(printed, string(asJSON), string(asYAML), entry.String())
	for _, p := range printed {
		if strings.Contains(p, secret) || strings.Contains(p, fmt.Sprintf("%x", secret)) {
			t.Errorf("printed: %s", p)
		}
	}
	if v, err := s.Value(); v != secret || err != nil {
		t.Errorf("Value: %q %v", v, err)
	}
}

// Mangled files give a configuration or an error, and never show the secret.
func TestMangledFiles(t *testing.T) {
	lines := strings.Split(strings.ReplaceAll(string(deploy.ExampleConfig), "${secret:sql.password}", "hunter2"), "\n")
	rapid.Check(t, func(t *rapid.T) {
		mangled := append([]string(nil), lines...)
		for range rapid.IntRange(1, 4).Draw(t, "edits") {
			i := rapid.IntRange(0, len(mangled)-1).Draw(t, "line")
			if strings.Contains(mangled[i], "hunter2") {
				continue
			}
			switch rapid.SampledFrom([]string{"drop", "double", "indent", "cut", "text"}).Draw(t, "how") {
			case "drop":
				mangled = append(mangled[:i], mangled[i+1:]...)
			case "double":
				mangled = append(mangled[:i+1], mangled[i:]...)
			case "indent":
				mangled[i] = "  " + mangled[i]
			case "cut":
				mangled[i] = mangled[i][:rapid.IntRange(0, len(mangled[i])).Draw(t, "at")]
			case "text":
				mangled[i] += rapid.StringMatching(`[-\[\]{}:"'&*|> \ta-z#0-9é]{1,8}`).Draw(t, "text")
			}
		}
		c, err := config.Parse("x.yaml", []byte(strings.Join(mangled, "\n")))
		if (c == nil) == (err == nil) {
			t.Fatalf("%v, %v", c, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Fatalf("shown: %v", err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
