package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidemark/agent/config"
)

// Whatever is drafted is a valid file that says the same.
func TestDraftsAreValid(t *testing.T) {
	names := rapid.StringMatching(`[-\[\]{}:"'&*|>%@,!?#~\\ \ta-zA-Z0-9éß.]{0,12}x`)
	rapid.Check(t, func(t *rapid.T) {
		d := config.Draft{
			Customer: rapid.StringMatching(`[a-z0-9][a-z0-9._-]{0,10}`).Draw(t, "customer"),
			URL:      "https://cloud.example:8443/" + rapid.StringMatching(`[a-z]{0,5}`).Draw(t, "path"),
			Server:   names.Draw(t, "server"),
			Port:     rapid.IntRange(0, 65535).Draw(t, "port"),
			Database: names.Draw(t, "database"),
			User:     rapid.SampledFrom([]string{"true", "1e3", "null", "0x1F", "~", "DOM\\u", "sa"}).Draw(t, "user"),
			Encrypt:  rapid.SampledFrom([]string{"", "true", "off", "login", "strict"}).Draw(t, "encrypt"),
		}
		var tables []config.DraftTable
		for i := range rapid.IntRange(1, 3).Draw(t, "tables") {
			tables = append(tables, config.DraftTable{
				Name: config.TableName{Schema: names.Draw(t, "schema"), Name: strings.Repeat("t", i+1) + names.Draw(t, "table")},
				Note: names.Draw(t, "note"), Off: i > 0 && rapid.Bool().Draw(t, "off"),
			})
		}
		text := d.File("${secret:cloud.key}", "${env:PASSWORD}", "http://proxy:3128", tables)
		c, err := config.Parse("x.yaml", text)
		var problems config.Problems
		if errors.As(err, &problems) && strings.Contains(err.Error(), "cannot be a dataset") {
			return // "x " and such
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		s := c.Sources[0]
		got := config.Draft{Customer: c.Customer, URL: c.Cloud.URL, Server: s.Server, Port: s.Port, Database: s.Database, User: s.User, Encrypt: s.Encrypt}
		if d.Encrypt == "" {
			d.Encrypt = "true"
		}
		d.URL = strings.TrimRight(d.URL, "/")
		if diff := cmp.Diff(d, got, cmp.Comparer(func(a, b config.Secret) bool { return a.IsZero() == b.IsZero() })); diff != "" {
			t.Fatalf("%s\n%s", diff, text)
		}
		n := 0
		for _, x := range tables {
			if x.Off {
				continue
			}
			if n++; s.Tables[n-1].Name != x.Name {
				t.Fatalf("%q became %q\n%s", x.Name, s.Tables[n-1].Name, text)
			}
		}
		if n != len(s.Tables) || c.Cloud.Key.Origin() != "secret cloud.key" {
			t.Fatalf("%d tables of %d, key %s\n%s", len(s.Tables), n, c.Cloud.Key.Origin(), text)
		}
	})
}

// Whoever logs in, the file says so.
func TestDraftedLogins(t *testing.T) {
	for _, d := range []config.Draft{
		{Authentication: "windows", User: `DOM\u`},
		{Authentication: "kerberos", User: "u@R", Kerberos: config.Kerberos{Config: "/etc/krb5 2.conf", Realm: "R"}},
		{Authentication: "entra", User: "id@tenant", Entra: config.Entra{Method: "service-principal"}},
	} {
		d.Customer, d.URL, d.Server, d.Database = "acme", "https://c", "db", "d"
		text := d.File("${env:K}", "${env:P}", "", []config.DraftTable{{Name: config.TableName{Schema: "dbo", Name: "t"}}})
		c, err := config.Parse("x.yaml", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if s := c.Sources[0]; s.Authentication != d.Authentication || s.User != d.User || s.Kerberos != d.Kerberos || s.Entra != d.Entra {
			t.Errorf("%+v\n%s", s, text)
		}
	}
}

func TestDraftAnswers(t *testing.T) {
	d, err := config.ParseDraft("answers.yaml", []byte("customer: acme\nurl: https://c\nkey: tmk_1\npassword: ${env:PW}\nserver: db\ntables: [dbo.*]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if key, err := d.Key.Value(); key != "tmk_1" || err != nil || d.Key.Lasting() != "" || d.Password.Lasting() != "${env:PW}" {
		t.Errorf("%q %v, %q, %q", key, err, d.Key.Lasting(), d.Password.Lasting())
	}
	_, err = config.ParseDraft("answers.yaml", []byte("custmer: acme\npassword: hunter2\nport: 99999\n"))
	var problems config.Problems
	if !errors.As(err, &problems) || len(problems) != 2 || strings.Contains(err.Error(), "hunter2") || problems[0].Hint != `did you mean "customer"?` {
		t.Errorf("%v", err)
	}
}
