package uploader_test

import (
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
func proxy(t *testing.T) (address string, tunnels *atomic.Int32) {
	t.Helper()
	tunnels = new(atomic.Int32)
	var copies sync.WaitGroup
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	t.Cleanup(func() {
		s.Close()
		copies.Wait()
	})
	return strings.TrimPrefix(s.URL, "http://"), tunnels
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
