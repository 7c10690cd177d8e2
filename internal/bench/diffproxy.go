package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tidemark/internal/wire"
)

// A front stands between agent and API, counts what passes, and can answer
// like a cloud that keeps no summaries.
type front struct {
	url     string
	without atomic.Bool // no summaries
	server  *http.Server
	served  chan error
	wire    atomic.Int64 // bytes of connections, both ways

	mu     sync.Mutex
	byPath map[string]tally
}

// A tally is what requests of one kind took: bodies as they are on the wire,
// compressed.
type tally struct{ requests, up, down int64 }

// traffic is what passed between two moments.
type traffic struct {
	byPath map[string]tally
	bodies tally
	wire   int64 // bodies and headers, without TCP and TLS
}

func startFront(ctx context.Context, a *api) (*front, error) {
	to, err := url.Parse(a.url)
	if err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &front{url: "http://" + l.Addr().String(), byPath: map[string]tally{}, served: make(chan error, 1)}
	p := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 8},
		FlushInterval: -1,
	}
	f.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := tally{requests: 1}
		r.Body = &countedBody{r.Body, &t.up}
		if what := what(r); f.without.Load() && strings.HasPrefix(what, "summary") {
			refuse(w)
		} else {
			p.ServeHTTP(&countedAnswer{w, &t.down}, r)
		}
		f.add(what(r), t)
	})}
	go func() { f.served <- f.server.Serve(&countedListener{l, &f.wire}) }()
	return f, nil
}

// refuse answers as a cloud without a summary of the table.
func refuse(w http.ResponseWriter) {
	problem := wire.NewProblem(wire.NoSummary, "", "")
	w.Header().Set("Content-Type", wire.ProblemType)
	w.WriteHeader(problem.Status)
	_ = json.NewEncoder(w).Encode(problem) // the agent that went away is told nothing
}

const versionRequest = "version"

// what names a request for people.
func what(r *http.Request) string {
	_, last, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/customers/"), "/tables/")
	_, last, _ = strings.Cut(last, "/")
	switch {
	case last == "summary" && r.Method == http.MethodGet:
		return "summary"
	case last == "summary":
		return "summary: leaves"
	case last == "manifest" && r.Header.Get("Content-Type") == wire.SummaryType:
		return "summary: rows"
	case last == "rows" && r.Method == http.MethodDelete:
		return "deletes"
	case last == "":
		return versionRequest
	}
	return last
}

func (f *front) add(what string, t tally) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.byPath[what]
	f.byPath[what] = tally{n.requests + t.requests, n.up + t.up, n.down + t.down}
}

// take returns what passed since the last call.
func (f *front) take() traffic {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := traffic{byPath: f.byPath, wire: f.wire.Swap(0)}
	for _, n := range t.byPath {
		t.bodies = tally{t.bodies.requests + n.requests, t.bodies.up + n.up, t.bodies.down + n.down}
	}
	f.byPath = map[string]tally{}
	return t
}

func (f *front) close() error {
	err := f.server.Close()
	if served := <-f.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

type countedBody struct {
	io.ReadCloser
	n *int64
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	*c.n += int64(n)
	return n, err
}

type countedAnswer struct {
	http.ResponseWriter
	n *int64
}

func (c *countedAnswer) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	*c.n += int64(n)
	return n, err
}

func (c *countedAnswer) Unwrap() http.ResponseWriter { return c.ResponseWriter }

type countedListener struct {
	net.Listener
	n *atomic.Int64
}

func (l *countedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countedConn{c, l.n}, nil
}

type countedConn struct {
	net.Conn
	n *atomic.Int64
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.n.Add(int64(n))
	return n, err
}
