package sqlserver

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// trust has a connection accept what CA or ServerCertificate says. The driver
// does the same by itself, but goes by the names of files, and knows none of
// those that Windows gives them (.cer, .crt).
func (c Config) trust(t *tls.Config) error {
	if t == nil { // nothing is encrypted
		return nil
	}
	switch {
	case c.CA != "":
		certs, err := readCertificates(c.CA)
		if err != nil {
			return fmt.Errorf("ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		for _, cert := range certs {
			t.RootCAs.AddCert(cert)
		}
	case c.ServerCertificate != "":
		certs, err := readCertificates(c.ServerCertificate)
		if err != nil {
			return fmt.Errorf("server certificate: %w", err)
		}
		t.InsecureSkipVerify = true // chain and name; the certificate itself is compared
		t.VerifyConnection = func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, certs[0].Raw) {
				return errNotPinned
			}
			return nil
		}
	}
	return nil
}

// errNotPinned is of a server that shows another certificate than the one that
// the configuration names.
var errNotPinned = errors.New("server certificate doesn't match the provided certificate")

// readCertificates reads one certificate or more, PEM or DER, whatever the
// file is called.
func readCertificates(name string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var der []byte
	for rest := data; ; {
		block, next := pem.Decode(rest)
		if block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			der = append(der, block.Bytes...)
		}
		rest = next
	}
	if der == nil {
		der = data
	}
	certs, err := x509.ParseCertificates(der)
	if err != nil || len(certs) == 0 {
		return nil, fmt.Errorf("%s holds no certificate, neither PEM nor DER", name)
	}
	return certs, nil
}
