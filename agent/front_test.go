package agent_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"tidemark/internal/wire"
)

// A front is the network before the API.
type front struct {
	api    http.Handler
	leases bool // of the API come through

	mu   sync.Mutex
	rule func(*http.Request) fate
	seen map[string]int // requests by method and last part of the path

	lease string        // of the last answer with one
	clock time.Duration // of the cloud, before this machine's
}

// A fate is what becomes of a request.
type fate int

const (
	arrives    fate = iota
	lostOnWay       // the API never sees it
	lostAnswer      // the API has done it, the agent does not learn of it
)

// set makes a rule hold; nil lets everything through.
func (f *front) set(rule func(*http.Request) fate) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rule = rule
}

// batches is whether a request brings rows or deletes.
func batches(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/rows") }

// nth makes a rule for the nth request that matches, from 1.
func nth(n int, match func(*http.Request) bool, then func() fate) func(*http.Request) fate {
	return func(r *http.Request) fate {
		if !match(r) {
			return arrives
		}
		if n--; n == 0 {
			return then()
		}
		return arrives
	}
}

// counts returns the requests so far, and begins anew.
func (f *front) counts() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.seen
	f.seen = nil
	return seen
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	if f.seen == nil {
		f.seen = map[string]int{}
	}
	f.seen[r.Method+" "+r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]]++
	fate := arrives
	if f.rule != nil {
		fate = f.rule(r)
	}
	api, leases := f.api, f.leases
	if f.clock != 0 {
		w.Header().Set("Date", time.Now().Add(f.clock).UTC().Format(http.TimeFormat))
	}
	f.mu.Unlock()
	switch fate {
	case lostOnWay:
		panic(http.ErrAbortHandler)
	case lostAnswer:
		api.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	if !leases {
		w = leaseless{w}
	}
	api.ServeHTTP(w, r)
	if lease := w.Header().Get(wire.HeaderLease); lease != "" {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.lease = lease
	}
}

// total is how many requests came since the last counts.
func (f *front) total() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, seen := range f.seen {
		n += seen
	}
	return n
}

// leaseless is the answer of a cloud that has no leases.
type leaseless struct{ http.ResponseWriter }

func (w leaseless) WriteHeader(code int) {
	w.Header().Del(wire.HeaderLease)
	w.ResponseWriter.WriteHeader(code)
}

func (w leaseless) Write(b []byte) (int, error) {
	w.Header().Del(wire.HeaderLease)
	return w.ResponseWriter.Write(b)
}

func (w leaseless) Unwrap() http.ResponseWriter { return w.ResponseWriter }
