package uploader_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tidemark/internal/fault"
	"tidemark/uploader"
)

// These tests go over a real network, the machine's own.

// server starts a TLS server that answers every question.
func server(t *testing.T, h http.HandlerFunc, edit ...func(*httptest.Server)) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	for _, e := range edit {
		e(s)
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func good(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, noTables)
}

// file writes a file of the test's own.
func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func caFile(t *testing.T, s *httptest.Server) string {
	return file(t, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

// over returns a client with a network.
func over(t *testing.T, url string, edit func(*uploader.Config)) *uploader.Client {
	t.Helper()
	return client(t, nil, func(c *uploader.Config) {
		c.BaseURL, c.Transport, c.Proxy = url, nil, "none"
		c.Retry.Initial = 10 * time.Millisecond
		edit(c)
	})
}

// fails asks until the first try has failed, and returns why.
func fails(t *testing.T, c *uploader.Client) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	asked := make(chan struct{})
	defer func() { <-asked }()
	go func() {
		defer close(asked)
		for !c.State().Away && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err := c.Versions(ctx)
	if err == nil {
		t.Fatal("answered")
	}
	return err
}

// otherPin is of no key here.
const otherPin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

func TestTLS(t *testing.T) {
	client1, key1 := clientCertificate(t)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(client1)
	mutual := func(s *httptest.Server) {
		s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	}
	pin := func(s *httptest.Server) string {
		sum := sha256.Sum256(s.Certificate().Raw)
		return hex.EncodeToString(sum[:])
	}
	tests := []struct {
		name   string
		server func(*httptest.Server)
		client func(*testing.T, *httptest.Server, *uploader.TLS)
		hint   string // of the error; "" when it works
	}{
		{"own CA", nil, func(t *testing.T, s *httptest.Server, c *uploader.TLS) { c.CA = caFile(t, s) }, ""},
		{"unknown CA", nil, func(*testing.T, *httptest.Server, *uploader.TLS) {}, "cloud.ca"},
		{"pin", nil, func(t *testing.T, s *httptest.Server, c *uploader.TLS) {
			c.CA, c.Pin = caFile(t, s), strings.ToUpper(pin(s))
		}, ""},
		{"another pin", nil, func(t *testing.T, s *httptest.Server, c *uploader.TLS) {
			c.CA, c.Pin = caFile(t, s), strings.Repeat("ab", 32)
		}, "cloud.pin"},
		{"a pinned key, with the one to come", nil, func(t *testing.T, s *httptest.Server, c *uploader.TLS) {
			c.CA, c.Pins = caFile(t, s), []string{otherPin, uploader.KeyPin(s.Certificate())}
		}, ""},
		{"another certificate of the pinned key", nil, func(t *testing.T, s *httptest.Server, c *uploader.TLS) {
			c.CA, c.Pin, c.Pins = caFile(t, s), strings.Repeat("ab", 32), []string{uploader.KeyPin(s.Certificate())}
		}, ""},
		{"another pinned key", nil, func(t *testing.T, s *httptest.Server, c *uploader.TLS) {
			c.CA, c.Pins = caFile(t, s), []string{otherPin}
		}, "cloud.pins"},
		{"a pinned key without a chain", nil, func(_ *testing.T, s *httptest.Server, c *uploader.TLS) {
			c.Pins = []string{uploader.KeyPin(s.Certificate())}
		}, "cloud.ca"},
		{"a pin without a chain", nil, func(_ *testing.T, s *httptest.Server, c *uploader.TLS) { c.Pin = pin(s) }, "cloud.ca"},
		{"client certificate", mutual, func(t *testing.T, s *httptest.Server, c *uploader.TLS) {
			c.CA, c.Certificate, c.Key = caFile(t, s), file(t, "cert.pem", client1), file(t, "key.pem", key1)
		}, ""},
		{"no client certificate", mutual, func(t *testing.T, s *httptest.Server, c *uploader.TLS) { c.CA = caFile(t, s) }, "cloud.client_cert"},
		{"TLS 1.1", func(s *httptest.Server) {
			s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		},
			func(t *testing.T, s *httptest.Server, c *uploader.TLS) { c.CA = caFile(t, s) }, "TLS 1.2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := server(t, good, func(s *httptest.Server) {
				if tt.server != nil {
					tt.server(s)
				}
			})
			c := over(t, s.URL, func(c *uploader.Config) { tt.client(t, s, &c.TLS) })
			if tt.hint == "" {
				if _, err := c.Versions(t.Context()); err != nil {
					t.Error(err)
				}
				return
			}
			if err := fails(t, c); !strings.Contains(fault.Hint(err), tt.hint) {
				t.Errorf("told %v with hint %q", err, fault.Hint(err))
			}
		})
	}
}

func TestPlainServerBehindHTTPS(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(good))
	defer s.Close()
	c := over(t, strings.Replace(s.URL, "http:", "https:", 1), func(*uploader.Config) {})
	if err := fails(t, c); !strings.Contains(fault.Hint(err), "does not speak TLS") {
		t.Errorf("told %v with hint %q", err, fault.Hint(err))
	}
	if _, err := over(t, s.URL, func(*uploader.Config) {}).Versions(t.Context()); err != nil {
		t.Errorf("over http: %v", err)
	}
}

func TestHTTP2AndKeepAlive(t *testing.T) {
	var connections atomic.Int32
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("spoken: %s", r.Proto)
		}
		good(w, r)
	}, func(s *httptest.Server) {
		s.EnableHTTP2 = true
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		}
	})
	c := over(t, s.URL, func(c *uploader.Config) { c.TLS.CA = caFile(t, s) })
	for range 10 {
		if _, err := c.Versions(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for ten questions", n)
	}
}

// The key does not follow a redirect.
func TestRedirectIsNotFollowed(t *testing.T) {
	other := server(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("followed, with %q", r.Header.Get("Authorization"))
	})
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/new", http.StatusPermanentRedirect)
	})
	c := over(t, s.URL, func(c *uploader.Config) { c.TLS.CA = caFile(t, s) })
	if err := fails(t, c); !strings.Contains(fault.Hint(err), other.URL) {
		t.Errorf("told %v with hint %q", err, fault.Hint(err))
	}
}

// A connection that is cut in the middle of a body or of an answer costs
// another try, with the same bytes.
func TestCutConnections(t *testing.T) {
	lines := noise(2_000_000)
	var mu sync.Mutex
	var whole [][]byte
	n := 0
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n++
		try := n
		mu.Unlock()
		if try == 1 {
			_, _ = io.CopyN(io.Discard, r.Body, 100_000)
			panic(http.ErrAbortHandler)
		}
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		whole = append(whole, b)
		mu.Unlock()
		a, err := io.ReadAll(applied().Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		if try == 2 {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write(a)
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(a)
	})
	c := over(t, s.URL, func(c *uploader.Config) { c.TLS.CA = caFile(t, s) })
	if _, err := c.Send(t.Context(), "dbo.orders", header(1), zipped(lines)); err != nil {
		t.Fatal(err)
	}
	if len(whole) != 2 || !bytes.Equal(whole[0], whole[1]) {
		t.Errorf("%d whole bodies", len(whole))
	}
	if _, got := decoded(t, whole[1]); !bytes.Equal(got, lines) {
		t.Error("other lines arrived")
	}
}
