package scheduler

import (
	"cmp"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

// Config of a Queue. The zero value of every field but Seed is usable.
type Config struct {
	Seed    string        // spreads the first cycles over sites: the customer
	Running int           // tables that may be worked on at once, over all sources; 0 means 4
	Spread  time.Duration // over which the first cycles are spread, at most one interval; 0 means one minute

	Wall func() time.Time // time of day for windows; nil means time.Now. All else runs by the monotonic clock.
	Rand func() float64   // in [0, 1); nil means math/rand/v2
}

// A Source is a source with its tables.
type Source struct {
	Name    string
	Running int // tables of this source that may be worked on at once; 0 means 2
	Tables  []Table
}

// A Table is a table that is due again and again.
type Table struct {
	Name     string                   // unique over all sources
	Interval time.Duration            // between two cycles, over 0; jittered by a tenth
	Open     func(now time.Time) bool // whether it may run at this time of day; nil means always
	Spread   time.Duration            // as in Config, when the interval is a new one; 0 means the Config's
}

// Errors of Now, found with errors.Is.
var (
	ErrUnknown = errors.New("no such table in the queue")
	ErrPaused  = errors.New("the table is paused")
)

// pollWindows is how often a table that missed its turn is held against its
// window.
const pollWindows = 30 * time.Second

// A Queue knows when tables are due, and runs their cycles. It is safe for
// concurrent use.
type Queue struct {
	config Config
	slots  *slots
	wake   chan struct{} // buffered: something has changed

	mu     sync.Mutex
	tables map[string]*entry
	ticks  map[tick]time.Time // the next one
	paused bool               // all of them
}

// A tick is what tables of one source and interval have in common.
type tick struct {
	source   string
	interval time.Duration
}

type entry struct {
	Table
	source  string
	running bool
	paused  bool
	asked   bool      // by a person: next, before its tick
	missed  bool      // its tick passed while its window was closed, or it was paused
	gone    bool      // removed while it runs
	rest    time.Time // not before, but when asked
}

func (e *entry) tick() tick { return tick{e.source, e.Interval} }

// NewQueue returns an empty queue.
func NewQueue(c Config) *Queue {
	c.Running = cmp.Or(c.Running, 4)
	c.Spread = cmp.Or(c.Spread, time.Minute)
	if c.Wall == nil {
		c.Wall = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	return &Queue{
		config: c, slots: newSlots(c.Running), wake: make(chan struct{}, 1),
		tables: map[string]*entry{}, ticks: map[tick]time.Time{},
	}
}

// Set replaces the tables. One that was there keeps its pause, its rest and,
// with the same interval, its time; one that is gone and runs ends its cycle.
func (q *Queue) Set(sources []Source) {
	q.mu.Lock()
	defer q.mu.Unlock()
	old := q.tables
	q.tables = map[string]*entry{}
	ticks := map[tick]time.Time{}
	now := time.Now()
	limits := map[string]int{}
	for _, s := range sources {
		limits[s.Name] = cmp.Or(s.Running, 2)
		for _, t := range s.Tables {
			e := old[t.Name]
			if e == nil {
				e = &entry{}
			}
			e.Table, e.source, e.gone = t, s.Name, false
			q.tables[t.Name] = e
			k := e.tick()
			if at, ok := q.ticks[k]; ok {
				ticks[k] = at
			} else if _, ok := ticks[k]; !ok {
				ticks[k] = now.Add(q.phase(k, cmp.Or(t.Spread, q.config.Spread)))
			}
		}
	}
	for name, e := range old {
		if q.tables[name] == nil && e.running {
			e.gone = true // remembered until its cycle ends, so that no second one begins
			q.tables[name] = e
		}
	}
	q.ticks = ticks
	q.slots.limit(limits)
	q.changed()
}

// phase is where in the first interval a tick lies: the same after every
// restart, another one for every site and source.
func (q *Queue) phase(k tick, spread time.Duration) time.Duration {
	h := fnv.New64a()
	for _, part := range []string{q.config.Seed, k.source, k.interval.String()} {
		h.Write([]byte(part)) // never fails
		h.Write([]byte{0})
	}
	// FNV of short texts that differ in their ends differs in its low bits.
	share := float64(h.Sum64()%100_003) / 100_003
	return time.Duration(share * float64(min(spread, k.interval)))
}

// after is when the tick behind one at the given time is due.
func (q *Queue) after(at time.Time, interval time.Duration) time.Time {
	return at.Add(time.Duration((0.9 + 0.2*q.config.Rand()) * float64(interval)))
}

// Now asks for a cycle of the table: at once, or behind the one that runs.
// It passes over rest and window, not over a pause.
func (q *Queue) Now(table string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := q.tables[table]
	switch {
	case e == nil || e.gone:
		return ErrUnknown
	case e.paused || q.paused:
		return ErrPaused
	}
	e.asked = true
	q.changed()
	return nil
}

// Pause lets no cycle of the table begin, or with "" of any, until Resume.
// One that runs goes on. A table that is not known is ignored.
func (q *Queue) Pause(table string) { q.pause(table, true) }

// Resume ends a pause. What missed its turn has it now.
func (q *Queue) Resume(table string) { q.pause(table, false) }

func (q *Queue) pause(table string, on bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if table == "" {
		q.paused = on
	} else if e := q.tables[table]; e != nil {
		e.paused = on
	}
	q.changed()
}

// Due returns when the next cycle of the table begins if nothing comes
// between; false when it is paused or not known. It is in the past when it
// runs or waits for its window.
func (q *Queue) Due(table string) (time.Time, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := q.tables[table]
	if e == nil || e.gone || e.paused || q.paused {
		return time.Time{}, false
	}
	at := q.ticks[e.tick()]
	for at.Before(e.rest) {
		at = at.Add(e.Interval)
	}
	return at, true
}

func (q *Queue) changed() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
