package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func addFiles(f *testing.F, patterns ...string) {
	f.Helper()
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			f.Fatalf("%s: %v, %v", pattern, names, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add([]byte("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ncustomer: *c\n"))
	f.Add([]byte("customer: &c {<<: *c}\n"))
	f.Add([]byte("source: {tables: [[[[[[[["))
	f.Add([]byte("\xef\xbb\xbfcustomer: acme\r\n\tcloud: \x00\xff"))
	f.Add([]byte("defaults: {every: -9223372036854775809s}\nparallel: 0x7fffffffffffffff\n"))
	f.Add([]byte("a: !!binary x\n? b\n: c\n--- \n... \n%YAML 9\n"))
}

// told makes sure that what is wrong with a file can be told: each problem in
// words, in a line that the file has.
func told(t *testing.T, err error, text []byte) {
	t.Helper()
	var ps Problems
	if !errors.As(err, &ps) || len(ps) == 0 {
		t.Fatalf("not problems: %v", err)
	}
	if ps.Error() == "" {
		t.Fatal("problems without words")
	}
	lines := strings.Count(string(text), "\n") + strings.Count(string(text), "\r") + 1
	for _, p := range ps {
		if p.Message == "" || p.Line < 0 || p.Line > lines+1 {
			t.Fatalf("in a file of %d lines: %+v", lines, p)
		}
	}
}

// A configuration is taken or has problems that can be told. One that was
// taken shows no more in its redacted form than its lines.
func FuzzParse(f *testing.F) {
	addFiles(f, "testdata/bad/*.yaml", "../../deploy/tidemark.example.yaml")
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("tidemark.yaml", text)
		if err != nil {
			told(t, err, text)
			return
		}
		_, _ = c.Redacted()
		_ = c.StoredSecrets()
		for _, s := range c.Sources {
			c.Expand(s.Name, []TableName{{Schema: "dbo", Name: "a"}, {Schema: "x]y", Name: "é'"}})
		}
	})
}

// A file of answers is taken or has problems, and what is made of it is a
// configuration without its secrets.
func FuzzParseDraft(f *testing.F) {
	f.Add([]byte("customer: acme\nurl: https://cloud.example\nkey: tmk_acme_secret\nserver: db\ndatabase: shop\nauthentication: sql\nuser: u\npassword: \"p: #\"\ntables: [dbo.*, '[a b].[c]']\n"))
	f.Add([]byte("code: acme-7K3QP-9XFMA-2WPDC-HT4VB\nserver: \"a\\nb: c\"\ntables: [\"*.*\"]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := ParseDraft("answers.yaml", text)
		if err != nil {
			told(t, err, text)
			return
		}
		file := d.File("${secret:key}", "${secret:password}", "${secret:proxy}", []DraftTable{{Name: TableName{Schema: "dbo", Name: "a # b"}}, {Name: TableName{Schema: "x", Name: "y\nz: 1"}, Off: true, Note: "n\nm: 2"}})
		if _, err := Parse("tidemark.yaml", file); err != nil {
			told(t, err, file)
		}
	})
}
