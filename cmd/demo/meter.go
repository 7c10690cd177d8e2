package main

import (
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
)

// A meter stands in front of the cloud and counts what it is asked.
type meter struct {
	next http.Handler

	mu     sync.Mutex
	kinds  map[string]int // requests by kind
	tables map[string]traffic
}

// traffic is what came for one table.
type traffic struct {
	requests int
	batches  int   // of rows and of deletes
	bytes    int64 // of bodies, compressed
}

func newMeter(next http.Handler) *meter {
	return &meter{next: next, kinds: map[string]int{}, tables: map[string]traffic{}}
}

// ServeHTTP implements http.Handler.
func (m *meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, table := kindOf(r.Method, r.URL.Path)
	body := &countedBody{ReadCloser: r.Body}
	r.Body = body
	defer func() { // also when the handler breaks the connection
		m.mu.Lock()
		defer m.mu.Unlock()
		m.kinds[kind]++
		if table == "" {
			return
		}
		t := m.tables[table]
		t.requests++
		t.bytes += body.n
		if kind == kindRows || kind == kindDeletes {
			t.batches++
		}
		m.tables[table] = t
	}()
	m.next.ServeHTTP(w, r)
}

// The kinds of requests: by their endpoints, but for deletes.
const (
	kindRows    = "rows"
	kindDeletes = "deletes"
)

// kindOf tells what a request is for, and of which table.
func kindOf(method, path string) (kind, table string) {
	parts := strings.Split(strings.Trim(path, "/"), "/") // v1 customers NAME ...
	if len(parts) >= 5 && parts[3] == "tables" {
		table = parts[4]
	}
	kind = parts[len(parts)-1]
	switch {
	case kind == kindRows && method == http.MethodDelete:
		kind = kindDeletes
	case kind == table:
		kind = "table"
	}
	return kind, table
}

// read returns copies of the counters.
func (m *meter) read() (kinds map[string]int, tables map[string]traffic) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.kinds), maps.Clone(m.tables)
}

type countedBody struct {
	io.ReadCloser
	n int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	return n, err
}
