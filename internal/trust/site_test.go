//go:build unix

package trust_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/engine"
)

const (
	login  = "sync"
	tables = "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, mail nvarchar(100), rv rowversion NOT NULL)"
)

// startSource is a SQL Server with a table of one row and a login for the agent.
func startSource(t *testing.T, password string) *mssqltest.Server {
	t.Helper()
	server, err := mssqltest.Start(mssqltest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	server.AddLogin(&engine.Login{Name: login, Password: password, SelectAll: true, ViewDefinition: true})
	if err := server.DB().Exec(t.Context(), tables, "INSERT INTO dbo.t (id, mail) VALUES (0, 'a@example.com')"); err != nil {
		t.Fatal(err)
	}
	return server
}

// certificate writes a server's certificate for 127.0.0.1, which is its own
// authority, and its key.
func (s *stage) certificate(cert, key string) {
	s.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		s.t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	s.write(key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs})))
}
