package metrics

import (
	"maps"
	"sync"
	"time"

	"tidemark/agent/journal"
)

// A Recorder adds up what the journal's entries tell. The zero Recorder is
// ready; its methods may be called from any goroutine.
type Recorder struct {
	mu     sync.Mutex
	tables map[string]*Counters
}

// Counters are the sums of one table since the start of the process.
type Counters struct {
	Decisions map[string]int64         // by action
	Took      map[string]time.Duration // by action, where it did something
	Failures  int64

	Read, Inserted, Updated, Deleted, Unchanged, Quarantined int64 // rows

	Bytes    int64 // of row lines before compression
	Requests int64 // to the cloud
}

// Add adds an entry. It is made for agent.Options.Decided.
func (r *Recorder) Add(e journal.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.tables[e.Table]
	if c == nil {
		c = &Counters{Decisions: map[string]int64{}, Took: map[string]time.Duration{}}
		if r.tables == nil {
			r.tables = map[string]*Counters{}
		}
		r.tables[e.Table] = c
	}
	c.Decisions[e.Action]++
	o := e.Outcome
	if o.Duration > 0 {
		c.Took[e.Action] += o.Duration
	}
	if o.Error != "" {
		c.Failures++
	}
	c.Read += o.Rows
	c.Inserted += o.Inserted
	c.Updated += o.Updated
	c.Deleted += o.Deleted
	c.Unchanged += o.Unchanged
	c.Quarantined += o.Quarantined
	c.Bytes += o.Bytes
	c.Requests += int64(o.Requests)
}

// Table returns the sums of a table.
func (r *Recorder) Table(name string) Counters {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.tables[name]
	if c == nil {
		return Counters{}
	}
	copied := *c
	copied.Decisions, copied.Took = maps.Clone(c.Decisions), maps.Clone(c.Took)
	return copied
}
