package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// get prints what a page answers; "! get" is for one that refuses. The host asked
// for may be another than the address.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: [!] get URL [HOST]")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], nil)
	ts.Check(err)
	if len(args) > 1 {
		r.Host = args[1]
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(r)
	ts.Check(err)
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	_, _ = ts.Stdout().Write(body)
	if ok := answer.StatusCode == http.StatusOK; ok == neg {
		ts.Fatalf("%s: %s", args[0], answer.Status)
	}
}

// refuses says that nobody listens at an address.
func refuses(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: refuses ADDRESS")
	}
	if c, err := net.Dial("tcp", args[0]); err == nil {
		_ = c.Close()
		ts.Fatalf("%s answers", args[0])
	}
}

// ports sets PORT1 and PORT2 to ports that are free, and TAKEN to one that
// another program has until the end of the script.
func ports(e *testscript.Env) error {
	for _, name := range []string{"PORT1", "PORT2"} {
		for {
			port := 10_000 + rand.IntN(20_000) // below those that systems give to whoever asks for any
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				continue
			}
			e.Setenv(name, fmt.Sprint(port))
			_ = l.Close()
			break
		}
	}
	other := httptest.NewServer(http.NotFoundHandler())
	e.Defer(other.Close)
	e.Setenv("TAKEN", fmt.Sprint(other.Listener.Addr().(*net.TCPAddr).Port))
	return nil
}
