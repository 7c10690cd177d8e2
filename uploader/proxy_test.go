package uploader_test

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tidemark/internal/fault"
	"tidemark/uploader"
)

// proxy is an HTTP proxy that knows CONNECT and wants a password.
func proxy(t *testing.T, edit ...func(*httptest.Server)) (address string, tunnels *atomic.Int32) {
	t.Helper()
	tunnels = new(atomic.Int32)
	var copies sync.WaitGroup
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
		if user, password, ok := r.BasicAuth(); !ok || user != "site" || password != "p@ss" {
			w.Header().Set("Proxy-Authenticate", "Basic")
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		if r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		near, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		tunnels.Add(1)
		_, _ = io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n")
		pipe := func(to net.Conn, from io.Reader) {
			_, _ = io.Copy(to, from)
			_ = near.Close()
			_ = far.Close()
		}
		copies.Go(func() { pipe(far, buffered) })
		copies.Go(func() { pipe(near, far) })
	}))
	for _, e := range edit {
		e(s)
	}
	if s.TLS != nil {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(func() {
		s.Close()
		copies.Wait()
	})
	return s.Listener.Addr().String(), tunnels
}

func TestProxy(t *testing.T) {
	cloud := server(t, good)
	address, tunnels := proxy(t)
	through := func(u string) *uploader.Client {
		return over(t, cloud.URL, func(c *uploader.Config) { c.TLS.CA, c.Proxy = caFile(t, cloud), u })
	}
	c := through("http://site:p%40ss@" + address)
	if _, err := c.Versions(t.Context()); err != nil || tunnels.Load() != 1 {
		t.Errorf("%d tunnels: %v", tunnels.Load(), err)
	}
	err := fails(t, through("http://site:secret@"+address))
	if !strings.Contains(fault.Hint(err), "cloud.proxy") || strings.Contains(err.Error(), "secret") {
		t.Errorf("a wrong password: %v, hint %q", err, fault.Hint(err))
	}
	err = fails(t, through("http://site:secret@127.0.0.1:1"))
	if !strings.Contains(fault.Hint(err), "cloud.proxy") || strings.Contains(err.Error(), "secret") {
		t.Errorf("no proxy there: %v, hint %q", err, fault.Hint(err))
	}
	if err := c.Close(); err != nil { // before the proxy goes, which waits for its tunnels
		t.Error(err)
	}
}

// A proxy that is spoken to by TLS has another certificate than the cloud's:
// that one is verified, and only the cloud's is held against the pins.
func TestPinsAreNotTheProxys(t *testing.T) {
	cert, key := clientCertificate(t)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	address, tunnels := proxy(t, func(s *httptest.Server) { s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}} })
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	cloud := server(t, good)
	ca := file(t, "both.pem", append(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cloud.Certificate().Raw})...))
	through := func(pin string) *uploader.Client {
		return over(t, cloud.URL, func(c *uploader.Config) {
			c.Proxy, c.TLS = "https://site:p%40ss@localhost:"+port, uploader.TLS{CA: ca, Pins: []string{pin}}
		})
	}
	if _, err := through(uploader.KeyPin(cloud.Certificate())).Versions(t.Context()); err != nil || tunnels.Load() == 0 {
		t.Errorf("%d tunnels, %v", tunnels.Load(), err)
	}
	if err := fails(t, through(uploader.KeyPin(pair.Leaf))); !strings.Contains(fault.Hint(err), "cloud.pins") {
		t.Errorf("the proxy's key is pinned, told %v", err)
	}
}
