package sqlserver

import (
	"errors"
	"net/url"
	"strings"

	_ "github.com/microsoft/go-mssqldb/integratedauth/krb5" // the authenticator "krb5"
)

// Authentication says who logs in, and how that is proved.
type Authentication string

// The kinds of authentication. The zero value is AuthenticateSQL where there is
// a user that names no domain, else AuthenticateWindows.
const (
	// AuthenticateSQL: User is a login of the server, with Password.
	AuthenticateSQL Authentication = "sql"
	// AuthenticateWindows: the account of the process on Windows; or User,
	// which is DOMAIN\name, with Password, by SSPI or elsewhere by NTLM.
	AuthenticateWindows Authentication = "windows"
	// AuthenticateKerberos: a ticket of a domain, on any system: for User by
	// Password or by a key table, or whatever the credential cache holds.
	AuthenticateKerberos Authentication = "kerberos"
)

// Kerberos is where tickets come from. What is empty is taken from the
// environment (KRB5_CONFIG, KRB5_KTNAME, KRB5CCNAME) and the Kerberos
// configuration.
type Kerberos struct {
	Config string // file; "" is KRB5_CONFIG or /etc/krb5.conf
	Keytab string // file with the user's keys
	Cache  string // file with tickets that somebody else renews
	Realm  string // of User; "" is what follows its @, or the default realm
}

// authenticate says in a connection string how to log in.
func (c Config) authenticate(q url.Values) error {
	domain := strings.Contains(c.User, `\`)
	switch c.Authentication {
	case "":
	case AuthenticateSQL:
		if c.User == "" || domain {
			return errors.New(`a login of the server is needed, and DOMAIN\name is none: that is "windows"`)
		}
	case AuthenticateWindows:
		if c.User != "" && !domain {
			return errors.New(`windows authentication takes DOMAIN\name, or nobody for the service's own account`)
		}
	case AuthenticateKerberos:
		if domain {
			return errors.New(`kerberos takes name@REALM, not DOMAIN\name`)
		}
		q.Set("authenticator", "krb5")
	default:
		return errors.New(`authentication is not "sql", "windows" or "kerberos"`)
	}
	if c.Authentication != AuthenticateKerberos && c.Kerberos != (Kerberos{}) {
		return errors.New("kerberos settings without kerberos authentication")
	}
	for key, value := range map[string]string{
		"ServerSPN":          c.ServerSPN,
		"krb5-configfile":    c.Kerberos.Config,
		"krb5-keytabfile":    c.Kerberos.Keytab,
		"krb5-credcachefile": c.Kerberos.Cache,
		"krb5-realm":         c.Kerberos.Realm,
	} {
		if value != "" {
			q.Set(key, value)
		}
	}
	return nil
}
