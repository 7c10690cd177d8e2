package uploader

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"tidemark/internal/fault"
)

// TLS of a Client. TLS 1.2 is the least that is spoken.
type TLS struct {
	CA          string // PEM file of certificates to trust besides the system's; "" for none
	Certificate string // PEM file of the client certificate, read again for every handshake; "" for none
	Key         string // PEM file of its key
	// Pin is the SHA-256 of the server certificate, 64 hexadecimal digits. Pins
	// are those of keys (see KeyPin), of the server's or of any over it. Where
	// there are any, one must match, besides a valid chain.
	Pin  string
	Pins []string
}

// newTransport returns the client's own transport to a host.
func newTransport(c Config, host string) (*http.Transport, error) {
	conf, err := c.TLS.config(host)
	if err != nil {
		return nil, err
	}
	proxy, err := proxyOf(c.Proxy)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: c.Timeouts.Connect, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:               proxy,
		DialContext:         dialer.DialContext,
		TLSClientConfig:     conf,
		TLSHandshakeTimeout: c.Timeouts.TLS,
		ForceAttemptHTTP2:   true, // it is off by default beside a TLS configuration
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     90 * time.Second,
		// A connection that died unseen is found by pings, not by waiting.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}, nil
}

func (t TLS) config(host string) (*tls.Config, error) {
	const op = "prepare TLS to the cloud"
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fault.New(op, err, "cloud.ca is a PEM file that the service can read.")
		}
		if conf.RootCAs, err = x509.SystemCertPool(); err != nil {
			conf.RootCAs = x509.NewCertPool() // a system without any
		}
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.New(op, fmt.Errorf("%s holds no certificate", t.CA), "cloud.ca is a PEM file: -----BEGIN CERTIFICATE-----.")
		}
	}
	if t.Certificate != "" || t.Key != "" {
		load := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
			return &cert, fault.New("read the client certificate", err, "cloud.client_cert and cloud.client_key are PEM files that belong together.")
		}
		if _, err := load(nil); err != nil {
			return nil, err
		}
		conf.GetClientCertificate = load
	}
	p, err := t.pins()
	if err != nil {
		return nil, err
	}
	if !p.none() {
		conf.VerifyConnection = p.verify(host)
	}
	return conf, nil
}

func proxyOf(s string) (func(*http.Request) (*url.URL, error), error) {
	switch s {
	case "", "system":
		return http.ProxyFromEnvironment, nil
	case "none":
		return nil, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" {
		// The address is not shown: it may hold a password.
		return nil, fault.New("configure the cloud client", errors.New("the proxy's address is not well-formed"),
			`cloud.proxy is "system", "none", or an address such as http://proxy.example.com:3128.`)
	}
	return http.ProxyURL(u), nil
}

// hintOf tells what a person can do about a failed connection.
func hintOf(err error) string {
	if hint := fault.Hint(err); hint != "" {
		return hint
	}
	var dns *net.DNSError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch text := err.Error(); {
	case errors.As(err, &dns):
		return "The host's name is not known here: check cloud.url and the name server, or set cloud.proxy."
	case errors.As(err, &unknown):
		return "The server's certificate is from an authority that is not trusted here: put its certificate into cloud.ca. If a firewall opens TLS, that is the firewall's."
	case errors.As(err, &host):
		return "The server's certificate is for another host: check cloud.url."
	case errors.As(err, &invalid):
		return "The server's certificate is not valid now: check the clock of this machine, then tell the operator."
	case strings.Contains(text, "protocol version not supported"), strings.Contains(text, "unsupported protocol version"):
		return "The server, or what opens TLS before it, speaks no TLS 1.2: tell the operator."
	case errors.As(err, &record), strings.Contains(text, "HTTP response to HTTPS client"):
		return "The server does not speak TLS on this port: check cloud.url."
	case strings.Contains(text, "proxyconnect"), strings.Contains(text, "Proxy Authentication Required"):
		return "The proxy does not let the connection through: check cloud.proxy, its user and password."
	case strings.Contains(text, "certificate required"), strings.Contains(text, "bad certificate"):
		return "The server wants a client certificate: set cloud.client_cert and cloud.client_key."
	}
	return "Check that this machine reaches cloud.url, by a proxy where the site has one (cloud.proxy)."
}
