package sqlserver_test

import (
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/tds"
	"tidemark/sqlserver"
)

// startServer starts a stand-in of its own: a real server's certificate and
// protocol are not a test's to choose.
func startServer(t *testing.T, o tds.Options) (*mssqltest.Server, sqlserver.Config) {
	t.Helper()
	stand, err := mssqltest.Start(mssqltest.Options{Password: "Stand-in 1", TDS: o})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stand.Close(); err != nil {
			t.Error(err)
		}
	})
	host, port, err := net.SplitHostPort(stand.Addr())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return stand, sqlserver.Config{Server: host, Port: n, Database: stand.DB().Name(), User: "sa", Password: "Stand-in 1"}
}

// class opens the source once and tells what came of it; "" is good.
func class(t *testing.T, c sqlserver.Config) sqlserver.Class {
	t.Helper()
	s, err := sqlserver.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err = s.Probe(t.Context(), nil); err == nil {
		return ""
	}
	got, hint := sqlserver.Classify(err)
	if hint == "" {
		t.Errorf("%v: no hint", err)
	}
	return got
}

// The server's certificate is checked as the configuration says.
func TestCertificates(t *testing.T) {
	stand, base := startServer(t, tds.Options{})
	other, err := tds.SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	own, foreign := write("own.pem", stand.TLS().Certificate().Raw), write("foreign.pem", other.Leaf.Raw)
	ownCRT, foreignCER := write("own.crt", stand.TLS().Certificate().Raw), filepath.Join(dir, "foreign.cer")
	ownCER := filepath.Join(dir, "own.cer") // as Windows exports them: DER
	for name, der := range map[string][]byte{ownCER: stand.TLS().Certificate().Raw, foreignCER: other.Leaf.Raw} {
		if err := os.WriteFile(name, der, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		set  func(*sqlserver.Config)
		want sqlserver.Class
	}{
		"system's authorities":       {func(*sqlserver.Config) {}, sqlserver.ClassTLS},
		"trusted blindly":            {func(c *sqlserver.Config) { c.TrustServerCertificate = true }, ""},
		"own authority":              {func(c *sqlserver.Config) { c.CA = own }, ""},
		"another's authority":        {func(c *sqlserver.Config) { c.CA = foreign }, sqlserver.ClassTLS},
		"authority, another name":    {func(c *sqlserver.Config) { c.CA, c.HostNameInCertificate = own, "elsewhere.example" }, sqlserver.ClassTLS},
		"authority, name it has too": {func(c *sqlserver.Config) { c.CA, c.HostNameInCertificate = own, "localhost" }, ""},
		"pinned":                     {func(c *sqlserver.Config) { c.ServerCertificate = own }, ""},
		"another one pinned":         {func(c *sqlserver.Config) { c.ServerCertificate = foreign }, sqlserver.ClassTLS},
		"own authority, .crt":        {func(c *sqlserver.Config) { c.CA = ownCRT }, ""},
		"own authority, DER":         {func(c *sqlserver.Config) { c.CA = ownCER }, ""},
		"another's, DER":             {func(c *sqlserver.Config) { c.CA = foreignCER }, sqlserver.ClassTLS},
		"pinned, DER":                {func(c *sqlserver.Config) { c.ServerCertificate = ownCER }, ""},
		"another one pinned, DER":    {func(c *sqlserver.Config) { c.ServerCertificate = foreignCER }, sqlserver.ClassTLS},
		"login alone is encrypted":   {func(c *sqlserver.Config) { c.Encrypt, c.CA = sqlserver.EncryptLogin, own }, ""},
		"nothing is encrypted":       {func(c *sqlserver.Config) { c.Encrypt = sqlserver.EncryptOff }, ""},
	} {
		c := base
		tt.set(&c)
		if got := class(t, c); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// A server without encryption gets no password when encryption is asked for.
func TestServerWithoutEncryption(t *testing.T) {
	stand, base := startServer(t, tds.Options{Encryption: tds.EncryptionUnavailable})
	for encrypt, want := range map[sqlserver.Encrypt]sqlserver.Class{
		sqlserver.EncryptAll: sqlserver.ClassTLS, sqlserver.EncryptStrict: sqlserver.ClassTLS, sqlserver.EncryptOff: "",
	} {
		c := base
		c.Encrypt = encrypt
		stand.TakeStatements()
		if got := class(t, c); got != want {
			t.Errorf("%s: %q, want %q", encrypt, got, want)
		}
		if n := len(stand.TakeStatements()); (n > 0) != (want == "") {
			t.Errorf("%s: %d statements", encrypt, n)
		}
	}
}

// A wrong password, name or database each has its own state, and none names
// the password.
func TestRefusedLogins(t *testing.T) {
	_, base := startServer(t, tds.Options{})
	base.TrustServerCertificate = true
	for name, tt := range map[string]struct {
		set  func(*sqlserver.Config)
		want sqlserver.Class
	}{
		"password": {func(c *sqlserver.Config) { c.Password = "wrong" }, sqlserver.ClassLogin},
		"user":     {func(c *sqlserver.Config) { c.User = "nobody" }, sqlserver.ClassLogin},
		"database": {func(c *sqlserver.Config) { c.Database = "elsewhere" }, sqlserver.ClassDatabase},
		"port":     {func(c *sqlserver.Config) { c.Port = 1 }, sqlserver.ClassUnreached},
		"name":     {func(c *sqlserver.Config) { c.Server = "no-such-host.invalid" }, sqlserver.ClassUnreached},
	} {
		c := base
		tt.set(&c)
		c.Limits.StatementTimeout = 30 * time.Second
		if got := class(t, c); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
