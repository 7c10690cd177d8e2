package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A renewed certificate is served within a minute; one that is half written
// is not.
func TestCertificateIsReadAnew(t *testing.T) {
	dir := t.TempDir()
	write := func(serial int64) (der []byte) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(serial)}
		if der, err = x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key); err != nil {
			t.Fatal(err)
		}
		pkcs, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		for name, block := range map[string]*pem.Block{"crt": {Type: "CERTIFICATE", Bytes: der}, "key": {Type: "PRIVATE KEY", Bytes: pkcs}} {
			if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return der
	}
	c := &certificate{certFile: filepath.Join(dir, "crt"), keyFile: filepath.Join(dir, "key")}
	now := time.Now()
	holds := func(after time.Duration, want []byte) {
		t.Helper()
		got, err := c.load(now.Add(after))
		if err != nil || !bytes.Equal(got.Certificate[0], want) {
			t.Errorf("after %v: another certificate, or %v", after, err)
		}
	}
	if _, err := c.load(now); err == nil {
		t.Error("no files, and no error")
	}
	first := write(1)
	holds(0, first)
	second := write(2)
	holds(recheck-1, first)
	holds(recheck, second)
	if err := os.WriteFile(filepath.Join(dir, "crt"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	holds(2*recheck, second)
}
