package uploader

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tidemark/internal/fault"
)

// keyPinPrefix begins a pin of a key, as RFC 7469 writes it.
const keyPinPrefix = "sha256/"

// KeyPin returns the pin of a certificate's key: the SHA-256 of its
// SubjectPublicKeyInfo. A renewal with the same key keeps it.
func KeyPin(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return keyPinPrefix + base64.StdEncoding.EncodeToString(sum[:])
}

// pins are what a server's certificate is held against: a verified chain must
// have one of the keys, or its first certificate be the one. The zero value
// takes any.
type pins struct {
	certificate []byte // SHA-256 of the whole certificate; nil for none
	keys        []string
}

// Pinned tells whether a verified chain has what t pins, which is so where it
// pins nothing. It is an error where a pin is not well-formed.
func (t TLS) Pinned(chain []*x509.Certificate) (bool, error) {
	p, err := t.pins()
	return err == nil && p.match(chain), err
}

func (t TLS) pins() (p pins, err error) {
	const op = "prepare TLS to the cloud"
	if t.Pin != "" {
		if p.certificate, err = hex.DecodeString(strings.ToLower(t.Pin)); err != nil || len(p.certificate) != sha256.Size {
			return pins{}, fault.New(op, errors.New("the pin is not 64 hexadecimal digits"), "cloud.pin is the SHA-256 of the server's certificate.")
		}
	}
	for _, text := range t.Pins {
		digits, ok := strings.CutPrefix(text, keyPinPrefix)
		if sum, err := base64.StdEncoding.DecodeString(digits); !ok || err != nil || len(sum) != sha256.Size {
			return pins{}, fault.New(op, errors.New("a pin is not sha256/ and 44 characters of base 64"), "cloud.pins are SHA-256 of keys; `tidemark doctor` shows the server's.")
		}
		p.keys = append(p.keys, text)
	}
	return p, nil
}

func (p pins) none() bool { return p.certificate == nil && len(p.keys) == 0 }

func (p pins) match(chain []*x509.Certificate) bool {
	if p.none() {
		return true
	}
	if sum := sha256.Sum256(chain[0].Raw); p.certificate != nil && string(sum[:]) == string(p.certificate) {
		return true
	}
	return slices.ContainsFunc(chain, func(c *x509.Certificate) bool { return slices.Contains(p.keys, KeyPin(c)) })
}

// verify holds a connection to host, whose chain is verified already, against
// the pins. A proxy that is spoken to by TLS has a certificate of its own: one
// that is not for host is not the cloud's, and was verified for the proxy.
func (p pins) verify(host string) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		first := s.PeerCertificates[0]
		clouds := func() bool { return first.VerifyHostname(host) == nil }
		if slices.ContainsFunc(s.VerifiedChains, p.match) || !clouds() {
			return nil
		}
		return fault.New("check the server's certificate", fmt.Errorf("it is not pinned, its SHA-256 is %x, its key's pin %s", sha256.Sum256(first.Raw), KeyPin(first)),
			"If the operator has changed the certificate, change cloud.pin or cloud.pins; if not, someone is in between.")
	}
}
