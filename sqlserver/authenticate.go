package sqlserver

import (
	"errors"
	"fmt"
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
	// AuthenticateEntra: an identity of Entra ID, as Entra says.
	AuthenticateEntra Authentication = "entra"
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

// Entra is which identity of Entra ID logs in.
type Entra struct {
	Method      EntraMethod
	Certificate string // file with certificate and key of a service principal, in place of Password; PEM or PKCS#12
}

// An EntraMethod is how a program proves its identity to Entra ID.
type EntraMethod string

// The methods. The zero value is EntraDefault.
const (
	// EntraServicePrincipal: User is the application's id, with @tenant where
	// it is not the server's; with Password or Certificate.
	EntraServicePrincipal EntraMethod = "service-principal"
	// EntraManagedIdentity: the identity of the machine, or of those that are
	// assigned to it the one whose client id is User.
	EntraManagedIdentity EntraMethod = "managed-identity"
	// EntraDefault: what the environment offers first (AZURE_CLIENT_ID and its
	// like, workload identity, managed identity, Azure CLI).
	EntraDefault EntraMethod = "default"
)

// workflows are the methods by the name that go-mssqldb has for them
// (package azuread).
var workflows = map[EntraMethod]string{
	"":                    "ActiveDirectoryDefault",
	EntraDefault:          "ActiveDirectoryDefault",
	EntraManagedIdentity:  "ActiveDirectoryManagedIdentity",
	EntraServicePrincipal: "ActiveDirectoryServicePrincipal",
}

func (c Config) authenticateEntra(q url.Values) error {
	workflow, known := workflows[c.Entra.Method]
	proof := c.Password != "" || c.Entra.Certificate != ""
	switch {
	case !known:
		return errors.New(`the method is not "service-principal", "managed-identity" or "default"`)
	case c.Entra.Method == EntraServicePrincipal && (c.User == "" || !proof):
		return errors.New("a service principal needs its id, and a password or a certificate")
	case c.Entra.Method != EntraServicePrincipal && proof:
		return errors.New("only a service principal has a password or a certificate")
	case c.User != "" && workflow == workflows[EntraDefault]:
		return errors.New("which user it is, the environment says")
	case c.Encrypt == EncryptOff || c.Encrypt == EncryptLogin:
		return errors.New("a token is only sent over an encrypted connection")
	}
	q.Set("fedauth", workflow)
	if c.Entra.Certificate != "" {
		q.Set("clientcertpath", c.Entra.Certificate)
	}
	return nil
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
	case AuthenticateEntra:
		if err := c.authenticateEntra(q); err != nil {
			return fmt.Errorf("entra: %w", err)
		}
	default:
		return errors.New(`authentication is not "sql", "windows", "kerberos" or "entra"`)
	}
	if c.Authentication != AuthenticateEntra && c.Entra != (Entra{}) {
		return errors.New("entra settings without entra authentication")
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
