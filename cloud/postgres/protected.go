package postgres

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// parseConfig reads a connection string. One to another machine that does not
// speak of TLS means verify-full: of itself the driver would prefer it, with
// whoever answers, and do without.
func parseConfig(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(dsn); err == nil && !here(config) && !saysTLS(u.Query()) {
		q := u.Query()
		q.Set("sslmode", "verify-full")
		u.RawQuery = q.Encode()
		if config, err = pgxpool.ParseConfig(u.String()); err != nil {
			return nil, errors.New("the connection string with sslmode=verify-full is not understood") // the error may repeat it
		}
	}
	for _, end := range ends(config) {
		if end.TLSConfig != nil {
			end.TLSConfig.MinVersion = tls.VersionTLS12
		}
	}
	return config, nil
}

// saysTLS tells whether a connection string, or what libpq takes besides it,
// says how to use TLS.
func saysTLS(q url.Values) bool {
	return q.Has("sslmode") || q.Has("ssl") || q.Has("service") || q.Get("sslrootcert") == "system" ||
		os.Getenv("PGSSLMODE") != "" || os.Getenv("PGSERVICE") != ""
}

// Unprotected tells what a connection lacks to keep others from reading it or
// from standing in for the server; "" is nothing. One that does not leave the
// machine lacks nothing. A connection string that cannot be read is not judged.
func Unprotected(dsn string) string {
	config, err := parseConfig(dsn)
	if err != nil || here(config) {
		return ""
	}
	plain, blind := false, false
	for _, end := range ends(config) {
		plain = plain || end.TLSConfig == nil
		blind = blind || end.TLSConfig != nil && end.TLSConfig.InsecureSkipVerify && end.TLSConfig.VerifyPeerCertificate == nil
	}
	switch {
	case plain && blind:
		return "it is encrypted only if nobody in between objects, and to whoever answers"
	case plain:
		return "nothing is encrypted: others can read the rows"
	case blind:
		return "the server's certificate is not verified: others can stand in for it"
	}
	return ""
}

// ends are the addresses, and with what TLS they are tried.
func ends(c *pgxpool.Config) []*pgconn.FallbackConfig {
	first := &pgconn.FallbackConfig{Host: c.ConnConfig.Host, Port: c.ConnConfig.Port, TLSConfig: c.ConnConfig.TLSConfig}
	return append([]*pgconn.FallbackConfig{first}, c.ConnConfig.Fallbacks...)
}

// here tells whether all addresses are of this machine.
func here(c *pgxpool.Config) bool {
	for _, end := range ends(c) {
		ip, err := netip.ParseAddr(end.Host)
		if !strings.HasPrefix(end.Host, "/") && end.Host != "localhost" && (err != nil || !ip.IsLoopback()) {
			return false
		}
	}
	return true
}
