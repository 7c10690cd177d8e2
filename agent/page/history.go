package page

import (
	"context"
	"sync"
	"time"

	"tidemark/agent"
)

// kept is how many samples are kept: one for each minute of a day. A table takes
// 12 KiB of memory for them.
const (
	kept  = 24 * 60
	every = time.Minute
)

// A Point is one sample of a plot.
type Point struct {
	Time  time.Time
	Lag   float64 // seconds
	Rows  float64 // changed in the cloud, per minute
	Bytes float64 // sent, per minute; of the site alone
}

// A History keeps the samples of the last day in memory. Its methods may be
// called from any goroutine.
type History struct {
	mu     sync.Mutex
	times  [kept]int64 // Unix milliseconds, 0 for none
	next   int
	last   time.Time // of the last sample
	bytes  [kept]float32
	sent   int64
	tables map[string]*series
}

// A series is what is kept of one table.
type series struct {
	lag, rows [kept]float32
	sum       int64 // of rows, at the last sample
}

// NewHistory returns one without samples.
func NewHistory() *History { return &History{tables: map[string]*series{}} }

// A Viewer is what a page needs of an agent.
type Viewer interface {
	Status(ctx context.Context) (agent.Status, error)
	Explain(ctx context.Context, table string) (agent.Explanation, error)
}

// Run takes a sample every minute until ctx ends. rows tells how many rows of a
// table have changed in the cloud since the start.
func (h *History) Run(ctx context.Context, v Viewer, rows func(table string) int64) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if s, err := v.Status(ctx); err == nil {
			h.Add(s, rows)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Add adds a sample. The first of a table tells no throughput, because it is not
// known how long its rows have taken.
func (h *History) Add(s agent.Status, rows func(table string) int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := h.next
	h.next = (h.next + 1) % kept
	minutes := s.Time.Sub(h.last).Minutes()
	first := h.last.IsZero() || minutes <= 0
	h.times[i], h.last = s.Time.UnixMilli(), s.Time
	rate := func(now, before int64) float32 {
		if first || now < before {
			return 0
		}
		return float32(float64(now-before) / minutes)
	}
	h.bytes[i], h.sent = rate(s.Cloud.Bytes, h.sent), s.Cloud.Bytes
	there := make(map[string]*series, len(s.Tables))
	for _, t := range s.Tables {
		k, sum := h.tables[t.Name], rows(t.Name)
		if k == nil {
			k = &series{sum: sum}
		}
		k.lag[i], k.rows[i] = float32(t.Lag), rate(sum, k.sum)
		k.sum = sum
		there[t.Name] = k
	}
	h.tables = there // those that left the configuration go
}

// Table returns the samples of a table, the oldest first.
func (h *History) Table(name string) []Point {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := h.tables[name]
	if k == nil {
		return nil
	}
	return h.points(func(i int) Point { return Point{Lag: float64(k.lag[i]), Rows: float64(k.rows[i])} })
}

// Site returns the samples of all tables together: the largest lag, and the sum
// of what moved.
func (h *History) Site() []Point {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.points(func(i int) Point {
		p := Point{Bytes: float64(h.bytes[i])}
		for _, k := range h.tables {
			p.Lag, p.Rows = max(p.Lag, float64(k.lag[i])), p.Rows+float64(k.rows[i])
		}
		return p
	})
}

func (h *History) points(of func(i int) Point) []Point {
	var all []Point
	oldest := h.last.Add(-kept * every)
	for n := range kept {
		i := (h.next + n) % kept
		at := time.UnixMilli(h.times[i])
		if h.times[i] == 0 || at.Before(oldest) || at.After(h.last) { // clocks jump
			continue
		}
		p := of(i)
		p.Time = at
		all = append(all, p)
	}
	return all
}
