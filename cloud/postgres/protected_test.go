package postgres_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"tidemark/cloud/postgres"
)

func TestUnprotected(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	for dsn, want := range map[string]string{
		"postgres://u:p@db/d":                                         "",
		"postgres://u:p@db/d?sslmode=verify-full":                     "",
		"postgres://u:p@db/d?sslmode=verify-ca":                       "",
		"postgres://u:p@db/d?sslmode=require":                         "certificate is not verified",
		"postgres://u:p@db/d?sslmode=prefer":                          "only if nobody in between objects",
		"postgres://u:p@db/d?sslmode=allow":                           "only if nobody in between objects",
		"postgres://u:p@db/d?sslmode=disable":                         "nothing is encrypted",
		"postgres://u:p@127.0.0.1,db/d?sslmode=disable":               "nothing is encrypted",
		"postgres://u:p@127.0.0.1/d?sslmode=disable":                  "",
		"postgres://u:p@localhost/d":                                  "",
		"postgres://u:p@[::1]:5432/d":                                 "",
		"postgres:///d?host=/run/postgresql&user=u&sslmode=disable":   "",
		"postgres://u:p@one,two/d?target_session_attrs=read-write":    "",
		"postgres://u:p@one,two/d?target_session_attrs=any&sslmode=x": "", // not understood, which is told where it is opened
	} {
		got := postgres.Unprotected(dsn)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q", dsn, got)
		}
	}
	t.Setenv("PGSSLMODE", "require")
	if got := postgres.Unprotected("postgres://u:p@db/d"); !strings.Contains(got, "not verified") {
		t.Errorf("by the environment: %q", got)
	}
}

// A server whose certificate is not valid is not told who logs in, nor is one
// without TLS, unless the connection string says so.
func TestServerIsVerified(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	for name, tt := range map[string]struct {
		offers byte // the answer to SSLRequest
		query  string
		told   bool // the user's name came
	}{
		"a certificate of nobody's":               {'S', "", false},
		"a certificate of nobody's, not verified": {'S', "?sslmode=require", true},
		"no TLS":                 {'N', "", false},
		"no TLS, which is taken": {'N', "?sslmode=prefer", true},
	} {
		address, told := wiretap(t, tt.offers)
		_, err := postgres.Open(t.Context(), "postgres://spy:secret@"+address+"/d"+tt.query, postgres.Options{})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
		if got := told(); got != tt.told {
			t.Errorf("%s: the user's name came: %v", name, got)
		}
	}
}

// wiretap listens where a Postgres could, and tells whether it was told who
// logs in.
func wiretap(t *testing.T, offers byte) (address string, told func() bool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	ended, heard := make(chan struct{}), false
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			heard = listen(conn, offers, conf) || heard
			_ = conn.Close()
		}
	}()
	return elsewhere(t) + l.Addr().String()[strings.LastIndexByte(l.Addr().String(), ':'):], func() bool {
		_ = l.Close()
		<-ended
		return heard
	}
}

// listen reads what a client says first (Postgres, "Message Formats":
// SSLRequest, StartupMessage).
func listen(conn net.Conn, offers byte, conf *tls.Config) bool {
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	for {
		var head [4]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return false
		}
		body := make([]byte, min(binary.BigEndian.Uint32(head[:]), 4096)-4)
		if _, err := io.ReadFull(conn, body); err != nil {
			return false
		}
		if len(body) != 4 { // no SSLRequest
			return strings.Contains(string(body), "spy")
		}
		if _, err := conn.Write([]byte{offers}); err != nil {
			return false
		}
		if offers == 'S' {
			conn = tls.Server(conn, conf)
		}
	}
}

// elsewhere is an address of this machine that is not a loopback one.
func elsewhere(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	t.Skip("this machine has no address but loopback ones, which need no protection")
	return ""
}
