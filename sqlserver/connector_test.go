package sqlserver

import (
	"context"
	"errors"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/microsoft/go-mssqldb/msdsn"
)

func TestConnectionStrings(t *testing.T) {
	base := Config{Server: "db.example", Database: "Shop", User: "sync", Password: "p@ss;w{o}rd/?"}
	with := func(f func(*Config)) Config { c := base; f(&c); return c }
	tests := []struct {
		name  string
		c     Config
		check func(msdsn.Config) bool
	}{
		{"defaults", base, func(p msdsn.Config) bool {
			return p.Encryption == msdsn.EncryptionRequired && !p.TrustServerCertificate && p.TLSConfig.MinVersion == 0x0303 &&
				p.AppName == "Tidemark" && p.PacketSize == 16384 && p.Password == base.Password && p.User == "sync" && p.Database == "Shop" && !p.MultiSubnetFailover
		}},
		{"strict", with(func(c *Config) { c.Encrypt = EncryptStrict }), func(p msdsn.Config) bool { return p.Encryption == msdsn.EncryptionStrict }},
		{"login", with(func(c *Config) { c.Encrypt = EncryptLogin }), func(p msdsn.Config) bool {
			return p.Encryption == msdsn.EncryptionOff && !p.TrustServerCertificate
		}},
		{"off", with(func(c *Config) { c.Encrypt = EncryptOff }), func(p msdsn.Config) bool { return p.Encryption == msdsn.EncryptionDisabled }},
		{"trust", with(func(c *Config) { c.TrustServerCertificate = true }), func(p msdsn.Config) bool { return p.TrustServerCertificate && p.TLSConfig.InsecureSkipVerify }},
		{"port wins over instance", with(func(c *Config) { c.Port, c.Instance = 1444, "X" }), func(p msdsn.Config) bool { return p.Port == 1444 && p.Instance == "" }},
		{"instance", with(func(c *Config) { c.Instance = "SQLEXPRESS" }), func(p msdsn.Config) bool { return p.Instance == "SQLEXPRESS" && p.Host == "db.example" }},
		{"IPv6", with(func(c *Config) { c.Server, c.Port = "::1", 1433 }), func(p msdsn.Config) bool { return p.Host == "::1" && p.Port == 1433 }},
		{"read-only", with(func(c *Config) { c.ReadOnlyIntent = true }), func(p msdsn.Config) bool { return p.ReadOnlyIntent }},
		{"multi-subnet", with(func(c *Config) { c.MultiSubnetFailover = true }), func(p msdsn.Config) bool { return p.MultiSubnetFailover }},
		{"name in certificate", with(func(c *Config) { c.HostNameInCertificate = "real.example" }), func(p msdsn.Config) bool { return p.TLSConfig.ServerName == "real.example" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dsn, err := tt.c.dsn()
			if err != nil {
				t.Fatal(err)
			}
			p, err := msdsn.Parse(dsn)
			if err != nil {
				t.Fatal(err)
			}
			if !tt.check(p) {
				t.Errorf("%+v", p)
			}
			u, err := url.Parse(dsn)
			if err != nil {
				t.Fatal(err)
			}
			if q := u.Query(); q.Get("encrypt") == "" || q.Get("TrustServerCertificate") == "" {
				t.Error("encrypt and TrustServerCertificate are not both said")
			}
		})
	}
}

func TestWrongConfigurations(t *testing.T) {
	for name, c := range map[string]Config{
		"no server":             {},
		"unknown encryption":    {Server: "x", Encrypt: "maybe"},
		"strict but trusting":   {Server: "x", Encrypt: EncryptStrict, TrustServerCertificate: true},
		"pin and CA":            {Server: "x", ServerCertificate: "a.pem", CA: "b.pem"},
		"CA file is missing":    {Server: "x", CA: "/no/such/file.pem"},
		"CA file is none":       {Server: "x", CA: "connector_test.go"},
		"pin is none":           {Server: "x", ServerCertificate: "connector_test.go"},
		"read-only, no name":    {Server: "x", ReadOnlyIntent: true},
		"DSN of nothing":        {DSN: "sqlserver://x?encrypt=maybe"},
		"fewer than no session": {Server: "x", Connections: -1},
	} {
		if s, err := Open(c); err == nil {
			_ = s.Close()
			t.Errorf("%s: opened", name)
		}
	}
}

// A server that takes the connection and then says nothing does not hold the
// caller longer than its context.
func TestSilentServer(t *testing.T) {
	t.Parallel() // it waits
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	held := make(chan net.Conn, 16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			held <- c
		}
	}()
	defer func() {
		_ = l.Close()
		<-done
		close(held)
		for c := range held {
			_ = c.Close()
		}
	}()
	for _, encrypt := range []Encrypt{EncryptStrict, EncryptAll, EncryptOff} {
		s, err := Open(Config{Server: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, User: "u", Password: "p", Encrypt: encrypt})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		start := time.Now()
		_, err = s.Probe(ctx, nil)
		cancel()
		if took := time.Since(start); took > connectTime*3/4 { // the limit without one
			t.Errorf("%s: took %v", encrypt, took)
		}
		if class, _ := Classify(err); class != ClassUnreached || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %s: %v", encrypt, class, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestLimitsFallBack(t *testing.T) {
	got := Limits{ChunkRows: 7}.or(Limits{QueryTime: time.Minute, ChunkRows: 9}).or(defaultLimits)
	want := defaultLimits
	want.ChunkRows, want.QueryTime = 7, time.Minute
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
