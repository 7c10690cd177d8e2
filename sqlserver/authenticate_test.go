package sqlserver

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/microsoft/go-mssqldb/integratedauth"
	"github.com/microsoft/go-mssqldb/msdsn"

	"tidemark/internal/mssqltest"
)

func parsed(t *testing.T, c Config) msdsn.Config {
	t.Helper()
	dsn, err := c.dsn()
	if err != nil {
		t.Fatal(err)
	}
	p, err := msdsn.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAuthentication(t *testing.T) {
	base := Config{Server: "db.example", Database: "Shop", Password: "p"}
	for name, test := range map[string]struct {
		user  string
		kind  Authentication
		k     Kerberos
		wrong string // part of the error
		want  string // the authenticator, "" for the system's own
	}{
		"as before":              {user: "sa"},
		"login":                  {user: "sa", kind: AuthenticateSQL},
		"no login":               {kind: AuthenticateSQL, wrong: "login of the server"},
		"domain is no login":     {user: `DOM\u`, kind: AuthenticateSQL, wrong: "login of the server"},
		"domain":                 {user: `DOM\u`, kind: AuthenticateWindows},
		"own account":            {kind: AuthenticateWindows},
		"login is no domain":     {user: "sa", kind: AuthenticateWindows, wrong: "DOMAIN"},
		"kerberos":               {user: "u@R", kind: AuthenticateKerberos, k: Kerberos{Keytab: "/k", Cache: "/c", Realm: "R", Config: "/f"}, want: "krb5"},
		"kerberos of a domain":   {user: `DOM\u`, kind: AuthenticateKerberos, wrong: "name@REALM"},
		"kerberos for something": {user: "sa", k: Kerberos{Realm: "R"}, wrong: "without kerberos"},
		"unknown":                {user: "sa", kind: "ntlm", wrong: "is not"},
	} {
		t.Run(name, func(t *testing.T) {
			c := base
			c.User, c.Authentication, c.Kerberos, c.ServerSPN = test.user, test.kind, test.k, "MSSQLSvc/x:1"
			_, err := c.dsn()
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Errorf("%v", err)
				}
				return
			}
			p := parsed(t, c)
			if p.Parameters["authenticator"] != test.want || p.User != test.user || p.ServerSPN != "MSSQLSvc/x:1" {
				t.Errorf("%+v", p)
			}
			for key, value := range map[string]string{"krb5-configfile": test.k.Config, "krb5-keytabfile": test.k.Keytab, "krb5-credcachefile": test.k.Cache, "krb5-realm": test.k.Realm} {
				if p.Parameters[key] != value {
					t.Errorf("%s is %q", key, p.Parameters[key])
				}
			}
		})
	}
}

// realm writes what a machine of a domain has: a configuration, whose KDC does
// not answer, and a key table.
func realm(t *testing.T) Kerberos {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	kdc := l.Addr().String()
	if err := l.Close(); err != nil { // nobody is there
		t.Fatal(err)
	}
	dir := t.TempDir()
	k := Kerberos{Config: filepath.Join(dir, "krb5.conf"), Keytab: filepath.Join(dir, "u.keytab"), Realm: "EXAMPLE.COM"}
	conf := "[libdefaults]\n default_realm = EXAMPLE.COM\n dns_lookup_kdc = false\n[realms]\n EXAMPLE.COM = {\n  kdc = " + kdc + "\n }\n"
	if err := os.WriteFile(k.Config, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	keys := keytab.New()
	if err := keys.AddEntry("u", k.Realm, "secret", time.Now(), 1, 18); err != nil {
		t.Fatal(err)
	}
	b, err := keys.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(k.Keytab, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return k
}

// What the settings say is what the driver's Kerberos takes.
func TestKerberosSettings(t *testing.T) {
	k := realm(t)
	c := Config{Server: "db.example", Database: "Shop", User: "u", Authentication: AuthenticateKerberos, Kerberos: k}
	auth, err := integratedauth.GetIntegratedAuthenticator(parsed(t, c))
	if err != nil || auth == nil {
		t.Fatalf("a key table: %v", err)
	}
	password := c
	password.Kerberos.Keytab, password.Password = "", "p"
	if _, err := integratedauth.GetIntegratedAuthenticator(parsed(t, password)); err != nil {
		t.Errorf("a password: %v", err)
	}
	for name, change := range map[string]func(*Config){
		"no key table":     func(c *Config) { c.Kerberos.Keytab += "x" },
		"no configuration": func(c *Config) { c.Kerberos.Config += "x" },
		"no tickets":       func(c *Config) { c.User, c.Kerberos.Keytab, c.Kerberos.Cache = "", "", k.Keytab+"x" },
	} {
		wrong := c
		change(&wrong)
		if _, err := integratedauth.GetIntegratedAuthenticator(parsed(t, wrong)); err == nil {
			t.Errorf("%s is no error", name)
		}
	}
}

// A domain that does not answer is an error that says so, and no wait.
func TestKerberosWithoutKDC(t *testing.T) {
	stand, err := mssqltest.Start(mssqltest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer stand.Close()
	host, port, err := net.SplitHostPort(stand.Addr())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(Config{Server: host, Port: n, Database: "Shop", User: "u", Authentication: AuthenticateKerberos, Kerberos: realm(t), TrustServerCertificate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	_, err = s.Inspect(ctx)
	if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "KDC") {
		t.Errorf("%v", err)
	}
}
