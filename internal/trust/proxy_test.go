//go:build unix

package trust_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// startProxy is a proxy that knows CONNECT, and lets joe through.
func startProxy(t *testing.T, password string) (address string) {
	t.Helper()
	var copies sync.WaitGroup
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
		if user, got, ok := r.BasicAuth(); !ok || user != "joe" || got != password {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		near, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			_ = far.Close()
			return
		}
		_, _ = io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n")
		pipe := func(to net.Conn, from io.Reader) {
			_, _ = io.Copy(to, from)
			_, _ = near.Close(), far.Close()
		}
		copies.Go(func() { pipe(far, buffered) })
		copies.Go(func() { pipe(near, far) })
	}))
	t.Cleanup(func() {
		s.Close()
		copies.Wait()
	})
	return s.Listener.Addr().String()
}

// insecure takes any certificate: the page's reader is not what is tested.
func insecure() *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
}
