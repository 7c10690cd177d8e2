package cloud

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"tidemark/internal/wire"
)

// Bounds of the buckets of request durations, in seconds.
var buckets = [...]float64{0.005, 0.025, 0.1, 0.5, 2.5, 10, 60}

// metrics are the server's own counters, in the text format of Prometheus.
// Their labels come from the contract alone, so that their number is bounded.
type metrics struct {
	mu       sync.Mutex
	requests map[requestLabels]uint64
	took     map[string]*histogram // by path
	bytes    map[moveLabels]uint64
	rows     map[rowLabels]uint64
}

type requestLabels struct {
	method, path string
	status       int
}

type moveLabels struct{ method, path, way string }

type rowLabels struct{ kind, outcome string }

type histogram struct {
	counts [len(buckets)]uint64 // not cumulative
	count  uint64
	sum    float64
}

func (m *metrics) request(method, path string, status int, took time.Duration) {
	if path == "other" { // methods of those are the client's to choose
		method = ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.requests == nil {
		m.requests, m.took = make(map[requestLabels]uint64), make(map[string]*histogram)
	}
	m.requests[requestLabels{method, path, status}]++
	h := m.took[path]
	if h == nil {
		h = new(histogram)
		m.took[path] = h
	}
	h.count++
	h.sum += took.Seconds()
	if i, _ := slices.BinarySearch(buckets[:], took.Seconds()); i < len(buckets) {
		h.counts[i]++
	}
}

// moved counts the bytes of bodies as they travel.
func (m *metrics) moved(method, path string, in int, out int64) {
	if path == "other" {
		method = ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bytes == nil {
		m.bytes = make(map[moveLabels]uint64)
	}
	m.bytes[moveLabels{method, path, "in"}] += uint64(in)
	m.bytes[moveLabels{method, path, "out"}] += uint64(out)
}

// applied counts what became of a batch; one that was answered again was
// counted before.
func (m *metrics) applied(kind wire.BatchKind, a wire.Answer) {
	if a.Replayed {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows == nil {
		m.rows = make(map[rowLabels]uint64)
	}
	for outcome, n := range map[string]int{"inserted": a.Inserted, "updated": a.Updated, "unchanged": a.Unchanged,
		"deleted": a.Deleted, "guarded": a.Guarded, "refused": len(a.Refused)} {
		if n > 0 {
			m.rows[rowLabels{string(kind), outcome}] += uint64(n)
		}
	}
}

// getMetrics answers the counters.
func (s *Server) getMetrics(c *call) error {
	var b bytes.Buffer
	s.metrics.write(&b)
	s.writeGates(&b)
	writeProcess(&b)
	if s.extra != nil {
		s.extra(&b)
	}
	return c.write("text/plain; version=0.0.4; charset=utf-8", b.Bytes())
}

func family(b *bytes.Buffer, name, kind, help string) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (m *metrics) write(b *bytes.Buffer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	family(b, "tidemark_requests_total", "counter", "requests answered")
	for _, l := range slices.SortedFunc(maps.Keys(m.requests), func(x, y requestLabels) int {
		return cmp.Or(cmp.Compare(x.path, y.path), cmp.Compare(x.method, y.method), cmp.Compare(x.status, y.status))
	}) {
		fmt.Fprintf(b, "tidemark_requests_total{method=%q,path=%q,status=\"%d\"} %d\n", l.method, l.path, l.status, m.requests[l])
	}
	family(b, "tidemark_request_seconds", "histogram", "time from the request's head to the end of its answer")
	for _, path := range slices.Sorted(maps.Keys(m.took)) {
		h, sum := m.took[path], uint64(0)
		for i, bound := range buckets {
			sum += h.counts[i]
			fmt.Fprintf(b, "tidemark_request_seconds_bucket{path=%q,le=\"%g\"} %d\n", path, bound, sum)
		}
		fmt.Fprintf(b, "tidemark_request_seconds_bucket{path=%q,le=\"+Inf\"} %d\n", path, h.count)
		fmt.Fprintf(b, "tidemark_request_seconds_sum{path=%q} %g\n", path, h.sum)
		fmt.Fprintf(b, "tidemark_request_seconds_count{path=%q} %d\n", path, h.count)
	}
	family(b, "tidemark_body_bytes_total", "counter", "bytes of bodies as sent, in requests (in) and answers (out)")
	for _, l := range slices.SortedFunc(maps.Keys(m.bytes), func(x, y moveLabels) int {
		return cmp.Or(cmp.Compare(x.path, y.path), cmp.Compare(x.method, y.method), cmp.Compare(x.way, y.way))
	}) {
		fmt.Fprintf(b, "tidemark_body_bytes_total{method=%q,path=%q,way=%q} %d\n", l.method, l.path, l.way, m.bytes[l])
	}
	family(b, "tidemark_rows_total", "counter", "rows of batches by kind and outcome")
	for _, l := range slices.SortedFunc(maps.Keys(m.rows), func(x, y rowLabels) int {
		return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.outcome, y.outcome))
	}) {
		fmt.Fprintf(b, "tidemark_rows_total{kind=%q,outcome=%q} %d\n", l.kind, l.outcome, m.rows[l])
	}
}
