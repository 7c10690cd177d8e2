package main

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A recorder carries the requests of all agents, and counts them.
type recorder struct {
	clock     *clock
	transport *http.Transport

	mu      sync.Mutex
	minutes map[int]*traffic
}

// A traffic is what came in some simulated time.
type traffic struct {
	requests map[string]int // by method and what it is about
	refused  int            // 429 or 5xx
	failed   int            // without an answer
	batches  int
	rows     int
	diffs    int
	manifest int           // comparisons that went by manifests
	longest  time.Duration // of all answers, in real time
}

func newRecorder(c *clock) *recorder {
	return &recorder{clock: c, minutes: map[int]*traffic{}, transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	begun := time.Now()
	resp, err := r.transport.RoundTrip(req)
	took := time.Since(begun)
	r.note(func(t *traffic) {
		t.requests[req.Method+" "+about(req.URL.Path)]++
		t.longest = max(t.longest, took)
		switch {
		case err != nil:
			t.failed++
		case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
			t.refused++
		}
	})
	return resp, err
}

// about is the last part of a path, without names.
func about(path string) string {
	last := path[strings.LastIndexByte(path, '/')+1:]
	switch last {
	case "versions", "policy", "report", "schema", "rows", "summary", "manifest":
		return last
	}
	return "table"
}

func (r *recorder) note(f func(*traffic)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.clock.minute()
	t := r.minutes[m]
	if t == nil {
		t = &traffic{requests: map[string]int{}}
		r.minutes[m] = t
	}
	f(t)
}

func (r *recorder) sent(rows int) { r.note(func(t *traffic) { t.batches++; t.rows += rows }) }

func (r *recorder) compared(byManifest bool) {
	r.note(func(t *traffic) {
		t.diffs++
		if byManifest {
			t.manifest++
		}
	})
}

func (r *recorder) idle() { r.transport.CloseIdleConnections() }

// between sums up the minutes from one to before another.
func (r *recorder) between(from, to int) traffic {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := traffic{requests: map[string]int{}}
	for m := from; m < to; m++ {
		if t := r.minutes[m]; t != nil {
			sum.add(*t)
		}
	}
	return sum
}

// each returns the minutes from one to before another.
func (r *recorder) each(from, to int) []traffic {
	var all []traffic
	for m := from; m < to; m++ {
		all = append(all, r.between(m, m+1))
	}
	return all
}

func (t *traffic) add(o traffic) {
	for k, n := range o.requests {
		t.requests[k] += n
	}
	t.refused += o.refused
	t.failed += o.failed
	t.batches += o.batches
	t.rows += o.rows
	t.diffs += o.diffs
	t.manifest += o.manifest
	t.longest = max(t.longest, o.longest)
}

func (t traffic) total() int {
	n := 0
	for v := range maps.Values(t.requests) {
		n += v
	}
	return n
}
