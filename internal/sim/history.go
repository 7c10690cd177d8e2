package sim

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// A history is what happened, in order. It holds the first thing that must
// not happen.
type history struct {
	began time.Time

	mu      sync.Mutex
	lines   []string
	failure string
	failed  chan struct{}
	faults  map[string]int
}

func newHistory() *history {
	return &history{began: time.Now(), failed: make(chan struct{}), faults: map[string]int{}}
}

func (h *history) say(who, format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, fmt.Sprintf("%14s  %-7s %s", time.Since(h.began).Round(time.Microsecond), who, fmt.Sprintf(format, args...)))
}

// fault counts one that really struck.
func (h *history) fault(kind string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults[kind]++
}

func (h *history) fail(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failure != "" {
		return
	}
	h.failure = fmt.Sprintf(format, args...)
	h.lines = append(h.lines, fmt.Sprintf("%14s  FAILED  %s", time.Since(h.began).Round(time.Microsecond), h.failure))
	close(h.failed)
}

func (h *history) broken() bool {
	select {
	case <-h.failed:
		return true
	default:
		return false
	}
}

// A Result is how a history ended.
type Result struct {
	Plan    Plan
	Failure string // "" when everything held
	Lines   []string
	Faults  map[string]int // that struck, by kind
	Virtual time.Duration
	Commits int
}

// String is the history for people.
func (r Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, %+v\n", r.Plan.Seed, r.Plan.Setup)
	for _, l := range r.Lines {
		b.WriteString(l + "\n")
	}
	return b.String()
}
