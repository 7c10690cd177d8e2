package bundle_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"tidemark/agent/bundle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestText(t *testing.T) {
	r := bundle.NewRedactor(
		[]string{"hunter2!", "sqlserver://u:p%40ss@db?database=d", "server=db;password={a;b};user id=u", "pin"},
		[]string{"dbo.orders", "Sales", "tidemark"},
	)
	for _, test := range []struct{ in, want string }{
		{"login failed, password hunter2! was sent", "login failed, password [secret] was sent"},
		{"nothing secret", "nothing secret"},
		{"open sqlserver://u:p%40ss@db?database=d", "open [secret]"},
		{"p@ss and p%40ss", "[secret] and [secret]"},
		{"a;b", "a;b"}, // too short to be searched for
		{"spinning", "spinning"},
		{"Password=x y;Server=z", "Password=[secret] y;Server=z"},
		{`{"api_key": "abc"}`, `{"[value]": [secret]}`},
		{"proxy http://joe:secret@proxy:3128 is away", "proxy http://[secret]@proxy:3128 is away"},
		{"Authorization: Bearer abcdef.ghi-j", "Authorization: Bearer [secret]"},
		{"the key tmk_acme_0123456789 is old", "the key [secret] is old"},
		{"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "[secret]"},

		{`row ["Müller, Anna",-4.5e3,null] of dbo.orders is older`, `row [key] of dbo.orders is older`},
		{`[4711]`, `[key]`},
		{`[1][2] [3],["a"]`, `[key][key] [key],[key]`},
		{`host tidemark[4711]: row [4711], x["a"], 7[1]`, `host tidemark[4711]: row [key], x[key], 7[key]`},
		{"CREATE INDEX [ix] ON [dbo].[orders] ([rv]);", "CREATE INDEX [ix] ON [dbo].[orders] ([rv]);"},
		{"The duplicate key value is (Anna, 12).", "The duplicate key value is ([key])."},

		{"Conversion failed when converting the varchar value 'O''Hara' to data type int.", "Conversion failed when converting the varchar value '[value]' to data type int."},
		{"Invalid object name 'dbo.orders'.", "Invalid object name 'dbo.orders'."},
		{"Login failed for user 'Tidemark'.", "Login failed for user 'Tidemark'."},
		{"the server's certificate isn't the client's", "the server's certificate isn't the client's"},
		{`parsing "12a": invalid syntax`, `parsing "[value]": invalid syntax`},
		{`Get "https://cloud.example/v1/x": EOF`, `Get "https://cloud.example/v1/x": EOF`},
		{"„Anna“ und «Anna» und “Anna” und ‘Anna’", `"[value]" und "[value]" und "[value]" und "[value]"`},
	} {
		if got := r.Text(test.in); got != test.want {
			t.Errorf("%s\nbecame %s\nnot    %s", test.in, got, test.want)
		}
	}
}

// A password that looks like an address is one all the same.
func TestPasswordLikeAnAddress(t *testing.T) {
	for _, secret := range []string{"//o~?y!", "ab://xyz", "//host/path"} {
		if got := bundle.NewRedactor([]string{secret}, nil).Known("it is " + secret); got != "it is [secret]" {
			t.Errorf("%s became %q", secret, got)
		}
	}
}

// Whatever a secret is and wherever it stands, it is not in the archive.
func TestNoSecretIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[!-~]{4,20}`).Draw(t, "secret")
		r := bundle.NewRedactor([]string{secret}, nil)
		var out bytes.Buffer
		a := bundle.NewArchive(&out, "dir", time.Now(), r)
		around := func(label string) string {
			form := rapid.SampledFrom([]func(string) string{
				func(s string) string { return s }, url.QueryEscape, url.PathEscape,
				func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
			}).Draw(t, label+" form")
			return rapid.SampledFrom([]string{"", " ", "password=", "'", `"`, "[", "://u:"}).Draw(t, label+" before") + form(secret) +
				rapid.SampledFrom([]string{"", " ", "'", `"`, "]", "@host", ";"}).Draw(t, label+" after")
		}
		a.JSON("a.json", map[string]any{"error": around("json"), "facts": []any{around("facts")}})
		a.Log("a.log", []byte("2026\tWARN\t"+around("log")+"\t{\"error\": \"x\"}\n"+around("line")+"\n"))
		a.Text("a.txt", around("text"))
		a.Config("a.yaml", around("config"), 1)
		a.Missing("b", errors.New(around("missing")))
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		for name, text := range read(t, out.Bytes()) {
			text = strings.ReplaceAll(text, "[secret]", "\x00")
			for _, hidden := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
				if own := strings.Contains(skeleton, hidden); strings.Contains(text, hidden) && !own {
					t.Errorf("%s has it: %q", name, text)
				}
			}
		}
	})
}

// skeleton has what every archive of that test says by itself.
const skeleton = `error facts holds redacted missing a.json a.log a.txt a.yaml WARN 2026 password= [key] '[value]' "[value]" u:
values of secrets that the configuration refers to texts that look like a password or a key keys of rows
quoted texts that are no name of the configuration secrets and comments of the configuration file {"error":"x"} host (1) (2) : , ://`

func TestArchive(t *testing.T) {
	var out bytes.Buffer
	a := bundle.NewArchive(&out, "dir", time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), bundle.NewRedactor([]string{"hunter2"}, nil))
	a.JSON("status.json", map[string]any{
		"high": uint64(1<<64 - 1), "approval": map[string]any{"deletes": 5, "sample": []string{"[1]"}}, "empty": map[string]any{"sample": nil},
		"facts": []any{map[string]any{"name": "source", "value": `epoch "8d3f"`}}, "error": `epoch "8d3f"`,
	})
	a.Log("log.txt", []byte("2026-11-24\tWARN\ttable.problem\t{\"table\": \"dbo.orders\", \"error\": \"'Anna' [7] hunter2\"}\n{\"msg\":\"x\",\"key\":\"[1]\"}\nfree 'text'\n"))
	a.Missing("process.json", errors.New("not running: hunter2"))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"dir/status.json": `{
  "approval": {
    "deletes": 5,
    "sample": "[key]"
  },
  "empty": {
    "sample": null
  },
  "error": "epoch \"[value]\"",
  "facts": [
    {
      "name": "source",
      "value": "epoch \"8d3f\""
    }
  ],
  "high": 18446744073709551615
}
`,
		"dir/log.txt": "2026-11-24\tWARN\ttable.problem\t{\"error\":\"'[value]' [key] [secret]\",\"table\":\"dbo.orders\"}\n{\"key\":\"[key]\",\"msg\":\"x\"}\nfree '[value]'\n",
		"dir/contents.txt": `holds
  status.json
  log.txt

redacted
  status.json: keys of rows (1)
  status.json: quoted texts that are no name of the configuration (1)
  log.txt: keys of rows (2)
  log.txt: quoted texts that are no name of the configuration (2)
  log.txt: values of secrets that the configuration refers to (1)

missing
  process.json: not running: [secret]
`,
	}
	if diff := cmp.Diff(want, read(t, out.Bytes())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func read(t interface{ Fatal(...any) }, b []byte) map[string]string {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(text)
	}
	return all
}
