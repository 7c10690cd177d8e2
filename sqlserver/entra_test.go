package sqlserver

import (
	"errors"
	"strings"
	"testing"
)

func TestEntraSettings(t *testing.T) {
	for name, test := range map[string]struct {
		user, password string
		entra          Entra
		encrypt        Encrypt
		want, wrong    string
	}{
		"default":                    {want: "ActiveDirectoryDefault"},
		"default, by name":           {entra: Entra{Method: EntraDefault}, want: "ActiveDirectoryDefault"},
		"the machine's identity":     {entra: Entra{Method: EntraManagedIdentity}, want: "ActiveDirectoryManagedIdentity"},
		"one of the machine's":       {user: "id", entra: Entra{Method: EntraManagedIdentity}, want: "ActiveDirectoryManagedIdentity"},
		"principal":                  {user: "id@tenant", password: "p", entra: Entra{Method: EntraServicePrincipal}, encrypt: EncryptStrict, want: "ActiveDirectoryServicePrincipal"},
		"principal with certificate": {user: "id", entra: Entra{EntraServicePrincipal, "/c.pem"}, want: "ActiveDirectoryServicePrincipal"},
		"principal without proof":    {user: "id", entra: Entra{Method: EntraServicePrincipal}, wrong: "password or a certificate"},
		"principal without id":       {password: "p", entra: Entra{Method: EntraServicePrincipal}, wrong: "needs its id"},
		"a machine has no password":  {password: "p", entra: Entra{Method: EntraManagedIdentity}, wrong: "only a service principal"},
		"default has no user":        {user: "id", wrong: "environment"},
		"token in clear":             {encrypt: EncryptLogin, wrong: "encrypted"},
		"unknown":                    {entra: Entra{Method: "password"}, wrong: "method is not"},
	} {
		t.Run(name, func(t *testing.T) {
			c := Config{Server: "db.example", Database: "Shop", User: test.user, Password: test.password, Encrypt: test.encrypt, Authentication: AuthenticateEntra, Entra: test.entra}
			if test.wrong != "" {
				if _, err := c.dsn(); err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Errorf("%v", err)
				}
				return
			}
			p := parsed(t, c)
			if p.Parameters["fedauth"] != test.want || p.Parameters["clientcertpath"] != test.entra.Certificate || p.Parameters["user id"] != test.user {
				t.Errorf("%v", p.Parameters)
			}
			if _, err := newConnector(c); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := (Config{Server: "s", User: "sa", Entra: Entra{Method: EntraDefault}}).dsn(); err == nil || !strings.Contains(err.Error(), "without entra") {
		t.Errorf("for something else: %v", err)
	}
}

func TestEntraInDSN(t *testing.T) {
	const dsn = "sqlserver://db.example?database=Shop&fedauth=ActiveDirectoryManagedIdentity"
	for text, want := range map[string]error{dsn: nil, dsn + "&guid+conversion=true": errValues, dsn + "&timezone=Asia/Tokyo": errValues} {
		if _, err := newConnector(Config{DSN: text}); !errors.Is(err, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
