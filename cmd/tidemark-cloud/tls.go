package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// tlsFlags name the files of TLS.
type tlsFlags struct{ cert, key, clientCA string }

func (t *tlsFlags) add(f *pflag.FlagSet) {
	f.StringVar(&t.cert, "tls-cert", "", "PEM file: the certificate and those between it and its root")
	f.StringVar(&t.key, "tls-key", "", "PEM file: the certificate's key")
	f.StringVar(&t.clientCA, "tls-client-ca", "", "PEM file: roots of client certificates, which are asked for then")
}

// config returns nil when no file is named.
func (t *tlsFlags) config() (*tls.Config, error) {
	const op = "read the certificate"
	switch {
	case t.cert == "" && t.key == "" && t.clientCA == "":
		return nil, nil
	case t.cert == "" || t.key == "":
		return nil, &command.ConfigError{Err: fault.New(op, errors.New("a certificate and its key belong together"), "give both --tls-cert and --tls-key")}
	}
	files := &certificate{certFile: t.cert, keyFile: t.key}
	if _, err := files.load(time.Now()); err != nil {
		return nil, &command.ConfigError{Err: fault.New(op, err, "--tls-cert and --tls-key name PEM files that this user can read")}
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: files.get}
	if t.clientCA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(t.clientCA)
	if err == nil {
		c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		if !c.ClientCAs.AppendCertsFromPEM(pem) {
			err = errors.New(t.clientCA + " holds no certificate")
		}
	}
	if err != nil {
		return nil, &command.ConfigError{Err: fault.New("read the roots of client certificates", err, "--tls-client-ca names a PEM file that this user can read")}
	}
	return c, nil
}

// recheck is how often the files are looked at.
const recheck = time.Minute

// A certificate is read from its files, and anew when they have changed, so
// that a renewal needs no restart.
type certificate struct {
	certFile, keyFile string

	mu     sync.Mutex
	held   *tls.Certificate
	looked time.Time
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.load(time.Now())
}

// load returns the certificate as it was at most a minute ago. While a renewal
// is half written, the one before goes on.
func (c *certificate) load(now time.Time) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := now.Sub(c.looked); c.held != nil && age >= 0 && age < recheck {
		return c.held, nil
	}
	c.looked = now
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err == nil {
		c.held = &pair
	}
	if c.held == nil {
		return nil, err
	}
	return c.held, nil
}
