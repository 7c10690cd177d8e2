package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tidemark/internal/wire"
)

// A site is who asks a server in a script: customer acme, whose key is in
// acme.key, with the certificate of server.crt for a root.
type site struct {
	address, dir string
	batch        chan string // status of the batch in work
	rest         *io.PipeWriter
	half         []byte
}

var siteSchema = wire.Schema{Columns: []wire.Column{{Name: "id", Type: wire.Type{Kind: wire.Int}}}, Key: []string{"id"}, Versioning: wire.ByRowVersion}

func (s *site) do(ts *testscript.TestScript, method, url string, body io.Reader, change ...func(*http.Request)) (*http.Response, error) {
	r, err := http.NewRequest(method, url, body)
	ts.Check(err)
	if key, err := os.ReadFile(filepath.Join(s.dir, "acme.key")); err == nil {
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(key)))
	}
	for _, f := range change {
		f(r)
	}
	roots := x509.NewCertPool()
	if pem, err := os.ReadFile(filepath.Join(s.dir, "server.crt")); err == nil {
		roots.AppendCertsFromPEM(pem)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ExpectContinueTimeout: 10 * time.Minute}
	defer transport.CloseIdleConnections()
	return (&http.Client{Transport: transport, Timeout: 10 * time.Minute}).Do(r)
}

// asked waits until a server listens and has it answer with that status:
// "asked 200 http://$LISTEN/readyz".
func asked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: asked STATUS URL")
	}
	s := ts.Value("site").(*site)
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		got, err := s.do(ts, http.MethodGet, args[1], nil)
		if err != nil && time.Now().Before(deadline) {
			continue
		}
		ts.Check(err)
		got.Body.Close()
		if strconv.Itoa(got.StatusCode) != args[0] {
			ts.Fatalf("%s: %s, not %s", args[1], got.Status, args[0])
		}
		if got.Header.Get(wire.HeaderRequestID) == "" {
			ts.Fatalf("%s: the answer has no request id", args[1])
		}
		return
	}
}

// beginBatch sends the first half of a batch, and returns when the server
// waits for the other.
func beginBatch(ts *testscript.TestScript, _ bool, _ []string) {
	s := ts.Value("site").(*site)
	if s.rest != nil { // a batch whose server is gone
		ts.Check(s.rest.Close())
		<-s.batch
	}
	table := "http://" + s.address + "/v1/customers/acme/tables/t"
	schema, err := json.Marshal(siteSchema)
	ts.Check(err)
	got, err := s.do(ts, http.MethodPut, table+"/schema", bytes.NewReader(schema), func(r *http.Request) { r.Header.Set("Content-Type", "application/json") })
	ts.Check(err)
	got.Body.Close()
	mark := uint64(1)
	body, err := wire.EncodeBody(nil, wire.Header{Protocol: wire.Protocol, Kind: wire.Load, Seq: 1, ID: strings.Repeat("a", 32), Writer: wire.Writer{ID: "w", Name: "site-1"}, Epoch: "e",
		Schema: siteSchema.Fingerprint(), Columns: []string{"id"}, Rows: 1, Start: true, Complete: true, Watermark: &mark}, []byte("[\"1\",7]\n"))
	ts.Check(err)
	pipe, rest := io.Pipe()
	s.rest, s.half, s.batch = rest, body[len(body)/2:], make(chan string, 1)
	go func() {
		got, err := s.do(ts, http.MethodPost, table+"/rows", pipe, func(r *http.Request) {
			r.Header.Set("Content-Type", wire.ContentType)
			r.Header.Set("Content-Encoding", "zstd")
			r.Header.Set("Expect", "100-continue")
		})
		if err != nil {
			s.batch <- err.Error()
			return
		}
		text, _ := io.ReadAll(got.Body)
		got.Body.Close()
		s.batch <- got.Status + " " + string(text)
	}()
	_, err = rest.Write(body[:len(body)/2]) // once the server says 100 Continue
	ts.Check(err)
}

// endBatch sends the other half; the batch must have been applied.
func endBatch(ts *testscript.TestScript, _ bool, _ []string) {
	s := ts.Value("site").(*site)
	for { // the server is on its way out: it refuses others
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			break
		}
		c.Close()
		time.Sleep(5 * time.Millisecond)
	}
	_, err := s.rest.Write(s.half)
	ts.Check(err)
	ts.Check(s.rest.Close())
	if got := <-s.batch; !strings.HasPrefix(got, "200 ") || !strings.Contains(got, `"inserted":1`) {
		ts.Fatalf("the batch in work: %s", got)
	}
}

// newCertificate makes server.crt and server.key, for 127.0.0.1.
func newCertificate(ts *testscript.TestScript, _ bool, _ []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	ts.Check(err)
	pkcs, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	for name, block := range map[string]*pem.Block{"server.crt": {Type: "CERTIFICATE", Bytes: der}, "server.key": {Type: "PRIVATE KEY", Bytes: pkcs}} {
		ts.Check(os.WriteFile(ts.MkAbs(name), pem.EncodeToMemory(block), 0o600))
	}
}
