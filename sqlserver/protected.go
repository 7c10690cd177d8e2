package sqlserver

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/microsoft/go-mssqldb/msdsn"
)

// protected returns a connection string that says how it is encrypted. Of one
// that does not, the driver encrypts the login alone, for whoever answers; here
// everything is, for a server whose certificate is valid.
func protected(dsn string) (string, error) {
	p, err := msdsn.Parse(dsn)
	if err != nil {
		return "", err
	}
	if p.TLSConfig != nil && p.TLSConfig.MinVersion != 0 && p.TLSConfig.MinVersion < tls.VersionTLS12 {
		return "", errors.New("tlsmin is below 1.2")
	}
	if _, said := p.Parameters[msdsn.Encrypt]; said {
		return dsn, nil
	}
	if !strings.HasPrefix(dsn, "sqlserver://") {
		return strings.TrimRight(dsn, "; ") + ";encrypt=true", nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errors.New("the connection string is no URL") // the error would repeat it
	}
	q := u.Query()
	q.Set(msdsn.Encrypt, "true")
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// Unprotected tells what a connection of this configuration lacks to keep others
// from reading it or from standing in for the server; "" is nothing. One that
// does not leave the machine lacks nothing. A configuration that cannot be
// opened is not judged.
func (c Config) Unprotected() string {
	dsn, err := c.connectionString()
	if err != nil {
		return ""
	}
	p, err := msdsn.Parse(dsn)
	if err != nil || here(p.Host) {
		return ""
	}
	switch {
	case p.Encryption == msdsn.EncryptionDisabled:
		return "nothing is encrypted, not even the login's password"
	case p.Encryption == msdsn.EncryptionOff && p.TrustServerCertificate:
		return "only the login is encrypted, and to whoever answers: others can read the rows, and stand in for the server"
	case p.Encryption == msdsn.EncryptionOff:
		return "only the login is encrypted: others can read the rows"
	case p.TrustServerCertificate:
		return "the server's certificate is not verified: others can stand in for the server, and read and change everything"
	}
	return ""
}

// here tells whether a host is this machine.
func here(host string) bool {
	host = strings.Trim(host, "[]")
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || host == "." || host == "(local)" || err == nil && ip.IsLoopback()
}
