package main

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"

	"go.uber.org/zap"

	"tidemark/cloud/postgres"
)

// exposure is why each of a server's connections is unprotected; "" is not at
// all. What does not leave the machine is protected.
type exposure []struct{ connection, why, hint string }

// exposed looks at what flags and environment say.
func (a *app) exposed(f serveFlags, t *tls.Config) exposure {
	const mode = "sslmode=verify-full in its URL, with sslrootcert for an authority of your own"
	e := exposure{
		{"agents", "", "--tls-cert and --tls-key, or --behind-proxy where something in front speaks HTTPS"},
		{"store", unprotectedStore(a.storeURL()), mode},
		{"replica", "", mode},
	}
	if host, _, err := net.SplitHostPort(f.listen); t == nil && len(f.proxies) == 0 && err == nil && !isLoopback(host) {
		e[0].why = "without TLS keys and rows arrive as they are: others can read them"
	}
	if f.fleet.listen != "" {
		e[2].why = unprotectedStore(cmp.Or(f.fleet.store, os.Getenv(fleetStoreVar)))
	}
	return e
}

func unprotectedStore(url string) string {
	if !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		return ""
	}
	return postgres.Unprotected(url)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// warn tells the log.
func (e exposure) warn(log *zap.Logger) {
	for _, c := range e {
		if c.why != "" {
			log.Warn("a connection is unprotected", zap.String("connection", c.connection), zap.String("why", c.why), zap.String("hint", c.hint))
		}
	}
}

// WriteMetrics writes them for Prometheus.
func (e exposure) WriteMetrics(w io.Writer) {
	fmt.Fprintln(w, "# HELP tidemark_connection_unprotected whether TLS or verification is off on connections that leave the machine\n# TYPE tidemark_connection_unprotected gauge")
	for _, c := range e {
		value := 0
		if c.why != "" {
			value = 1
		}
		fmt.Fprintf(w, "tidemark_connection_unprotected{connection=%q} %d\n", c.connection, value)
	}
}
