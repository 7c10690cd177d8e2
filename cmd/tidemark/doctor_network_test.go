package main

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidemark/agent/config"
	"tidemark/uploader"
)

// An authority signs certificates for tests.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().AddDate(-5, 0, 0), NotAfter: time.Now().AddDate(5, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return authority{key, cert, file}
}

// serve answers with a certificate for a host, valid from and until days from
// now.
func (a authority) serve(t *testing.T, host string, from, until int, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().AddDate(0, 0, from), NotAfter: time.Now().AddDate(0, 0, until), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if ip := net.ParseIP(host); ip != nil {
		of.DNSNames, of.IPAddresses = nil, []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, of, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestNetworkFindings(t *testing.T) {
	ca := newAuthority(t)
	answer := func(ahead time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" {
				t.Error("a key was sent to whoever answers")
			}
			w.Header().Set("Date", time.Now().Add(-ahead).UTC().Format(http.TimeFormat))
		}
	}
	year := 365 * 24 * time.Hour
	good := ca.serve(t, "127.0.0.1", -10, 90, answer(0)).URL
	proxy := httptest.NewServer(http.HandlerFunc(connect))
	t.Cleanup(proxy.Close)
	for _, test := range []struct {
		what, url, ca, proxy string
		pins                 string // of the configuration, as YAML
		now                  time.Duration
		want                 []string // beginnings of findings
		ok                   bool
	}{
		{what: "good", url: good, ca: ca.file, ok: true, want: []string{"ok connection: 127.0.0.1:", "ok certificate: of 127.0.0.1, by Test CA, until ", "ok clock"}},
		{what: "unknown authority", url: good, want: []string{"ok connection", "wrong certificate: | x509: certificate signed by unknown authority | cloud.ca"}},
		{
			what: "expired", url: ca.serve(t, "127.0.0.1", -90, -1, answer(0)).URL, ca: ca.file,
			want: []string{"ok connection", "wrong certificate: | expired | check the clock"},
		},
		{
			what: "its key is pinned, and the next one", url: good, ca: ca.file, pins: pinsOf(otherPin, uploader.KeyPin(leafOf(t, good))), ok: true,
			want: []string{"ok connection", "ok certificate", "ok clock"},
		},
		{
			what: "its authority is pinned", url: good, ca: ca.file, pins: pinsOf(uploader.KeyPin(ca.cert)), ok: true,
			want: []string{"ok connection", "ok certificate", "ok clock"},
		},
		{
			what: "another key is pinned", url: good, ca: ca.file, pins: pinsOf(otherPin),
			want: []string{"ok connection", "wrong certificate: | none that cloud.pin or cloud.pins names | in between"},
		},
		{
			what: "soon over", url: ca.serve(t, "127.0.0.1", -90, 10, answer(0)).URL, ca: ca.file, ok: true,
			want: []string{"ok connection", "advice certificate: | it ends in 9d", "ok clock"},
		},
		{
			what: "another host", url: ca.serve(t, "cloud.example", -9, 90, answer(0)).URL, ca: ca.file,
			want: []string{"ok connection", "wrong certificate: | check cloud.url"},
		},
		{
			what: "a clock a year off", url: good, ca: ca.file, now: year,
			want: []string{"ok connection", "wrong certificate: | the clock of this machine says"},
		},
		{
			what: "a clock a minute off", url: ca.serve(t, "127.0.0.1", -9, 90, answer(time.Minute)).URL, ca: ca.file, ok: true,
			want: []string{"ok connection", "ok certificate", "advice clock: 1m ahead of the cloud's | NTP"},
		},
		{
			what: "a clock an hour off", url: ca.serve(t, "127.0.0.1", -9, 90, answer(-time.Hour)).URL, ca: ca.file, ok: true,
			want: []string{"ok connection", "ok certificate", "wrong clock: | behind the cloud's"},
		},
		{what: "nobody", url: "https://127.0.0.1:1", want: []string{"wrong connection: | refused | firewall"}},
		{what: "no such name", url: "https://tidemark.invalid", want: []string{"wrong name: | tidemark.invalid | cloud.proxy"}},
		{what: "no TLS", url: strings.Replace(proxy.URL, "http:", "https:", 1), ok: true, want: []string{"ok connection"}},
		{
			what: "by a proxy", url: good, ca: ca.file, proxy: strings.Replace(proxy.URL, "//", "//joe:${env:PROXY_PASSWORD}@", 1), ok: true,
			want: []string{"ok proxy: http://joe:xxxxx@127.0.0.1", "ok connection", "ok certificate", "ok clock"},
		},
		{
			what: "a proxy that refuses", url: "https://refused.example", proxy: proxy.URL,
			want: []string{"ok proxy", "ok connection", "wrong connection: Bad Gateway"},
		},
	} {
		t.Run(test.what, func(t *testing.T) {
			t.Setenv("PROXY_PASSWORD", "hunter2")
			c, err := config.Parse("tidemark.yaml", fmt.Appendf(nil, `
customer: acme
cloud: {url: %q, key: "${env:KEY}", ca: %q, proxy: %q%s}
source: {server: db, database: d, user: u, password: "${env:PW}", tables: [dbo.a]}
`, test.url, test.ca, cmp.Or(test.proxy, "none"), test.pins))
			if err != nil {
				t.Fatal(err)
			}
			got, ok := examineNetwork(t.Context(), c, time.Now().Add(test.now))
			if ok != test.ok || len(got) != len(test.want) {
				t.Fatalf("ok %v, %+v", ok, got)
			}
			for i, f := range got {
				text := fmt.Sprintf("%s %s: %s %s", f.Verdict, f.What, f.Message, f.Hint)
				for n, part := range strings.Split(test.want[i], " | ") {
					if n == 0 && !strings.HasPrefix(text, part) || !strings.Contains(text, part) {
						t.Errorf("%s does not have %q", text, part)
					}
				}
				if strings.Contains(text, "hunter2") {
					t.Error(text)
				}
			}
		})
	}
}

// otherPin is of no key here.
const otherPin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

func pinsOf(pins ...string) string { return fmt.Sprintf(", pins: [%s]", strings.Join(pins, ", ")) }

// leafOf is the certificate that a server shows.
func leafOf(t *testing.T, url string) *x509.Certificate {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0]
}

// connect is a proxy.
func connect(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect || strings.HasPrefix(r.Host, "refused") {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	to, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	from, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		_ = to.Close()
		return
	}
	_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
	_, _ = io.Copy(from, to)
	_ = from.Close()
}
