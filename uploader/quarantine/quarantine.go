// Package quarantine keeps account of rows that could not be sent: the cloud
// refused them, or they are over the row limit. They never block their table.
//
// Of a row it keeps the key, the row version and the reason, never the
// values: a row is read again when it is tried again. That is when it has
// changed at the source, or when a person asks for it. Rows that the cloud
// lacks for this reason are the gap that explains a difference of row counts.
package quarantine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Row is a row in quarantine. Its key may be personal data: it is for
// "tidemark quarantine list" alone, and String leaves it out.
type Row struct {
	Table   string    `json:"table"`
	Key     string    `json:"key"` // JSON array of the key's values
	Version uint64    `json:"version,string"`
	Reason  string    `json:"reason"`          // at most MaxReason bytes
	Bytes   int64     `json:"bytes,omitempty"` // of the row's line, where its size was the reason
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Tries   int       `json:"tries"`
	Present bool      `json:"present,omitempty"` // the cloud holds an older version of the row
	Retry   bool      `json:"retry,omitempty"`   // a person asked for another try
}

// String names the row without its key, fit for a log.
func (r Row) String() string {
	return fmt.Sprintf("row of %s in version %d: %s", r.Table, r.Version, r.Reason)
}

// MaxReason bounds a reason, in bytes.
const MaxReason = 500

// Limits bound a quarantine. Beyond them the rows that were tried longest ago
// are forgotten, and counted.
type Limits struct {
	Rows  int // of each table; 0 means 10,000
	Bytes int // of keys and reasons over all tables; 0 means 4 MiB
}

// A Store keeps the rows over restarts. Its methods are not called
// concurrently.
type Store interface {
	// Load returns all rows, and how many were forgotten of each table.
	Load() ([]Row, map[string]uint64, error)
	// Save writes a change, all of it or nothing.
	Save(Change) error
}

// A Change is what a Store writes.
type Change struct {
	Put  []Row
	Drop []Ref
	Lost map[string]uint64 // new counts of forgotten rows, of the tables named
}

// A Ref names a row.
type Ref struct{ Table, Key string }

// A Quarantine holds all rows of a site, in memory and in its Store. It is
// safe for concurrent use. After an error, which is always the Store's, it
// goes on with what it knows.
type Quarantine struct {
	store  Store
	limits Limits

	mu     sync.Mutex
	tables map[string]map[string]Row // by table and key
	lost   map[string]uint64
	bytes  int
}

// Open loads what the store holds.
func Open(store Store, limits Limits) (*Quarantine, error) {
	limits.Rows = cmp.Or(limits.Rows, 10_000)
	limits.Bytes = cmp.Or(limits.Bytes, 4<<20)
	q := &Quarantine{store: store, limits: limits, tables: map[string]map[string]Row{}, lost: map[string]uint64{}}
	rows, lost, err := store.Load()
	if err != nil {
		return nil, err
	}
	for table, n := range lost {
		q.lost[table] = n
	}
	for _, r := range rows {
		q.put(r)
	}
	return q, nil
}

// Add takes rows in. Of each, Table, Key, Version, Reason, Bytes and Present
// are read. One that is there already keeps its First, and has been tried
// once more.
func (q *Quarantine) Add(now time.Time, rows ...Row) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	put := map[Ref]Row{}
	for _, r := range rows {
		old, again := q.tables[r.Table][r.Key]
		r.Reason = short(r.Reason)
		r.First, r.Last, r.Tries, r.Retry = now.Round(0), now.Round(0), old.Tries+1, false
		if again {
			r.First = old.First
		}
		q.put(r)
		put[Ref{r.Table, r.Key}] = r
	}
	c := q.trim()
	for _, ref := range c.Drop {
		delete(put, ref)
	}
	for _, r := range put {
		c.Put = append(c.Put, r)
	}
	return q.save(c)
}

// Holds tells whether a row is in quarantine, in whatever version.
func (q *Quarantine) Holds(table, key string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, ok := q.tables[table][key]
	return ok
}

// Drop takes rows out: they have arrived, are gone at the source, or a person
// wants them forgotten. No key means all of the table. It returns how many
// there were.
func (q *Quarantine) Drop(table string, keys ...string) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var c Change
	for _, key := range q.keys(table, keys) {
		q.remove(table, key)
		c.Drop = append(c.Drop, Ref{table, key})
	}
	if len(keys) == 0 && q.lost[table] > 0 {
		c.Lost = map[string]uint64{table: 0}
		delete(q.lost, table)
	}
	return len(c.Drop), q.save(c)
}

// Retry asks for another try of rows. No key means all of the table. It
// returns how many there are.
func (q *Quarantine) Retry(table string, keys ...string) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var c Change
	for _, key := range q.keys(table, keys) {
		r := q.tables[table][key]
		r.Retry = true
		q.tables[table][key] = r
		c.Put = append(c.Put, r)
	}
	return len(c.Put), q.save(c)
}

// Due lists the rows of a table for which another try was asked, at most n.
func (q *Quarantine) Due(table string, n int) []Row {
	due := q.List(table)
	due = slices.DeleteFunc(due, func(r Row) bool { return !r.Retry })
	return due[:min(n, len(due))]
}

// List returns the rows of a table, or with "" of all, by table, first time
// and key.
func (q *Quarantine) List(table string) []Row {
	q.mu.Lock()
	defer q.mu.Unlock()
	var list []Row
	for name, rows := range q.tables {
		if table != "" && name != table {
			continue
		}
		for _, r := range rows {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b Row) int {
		return cmp.Or(strings.Compare(a.Table, b.Table), a.First.Compare(b.First), strings.Compare(a.Key, b.Key))
	})
	return list
}

// Size is what there is to say about one table.
type Size struct {
	Rows  int       // in quarantine
	Bytes int64     // of these, where their size was the reason
	First time.Time // the first of these came; zero: none
	Gap   int64     // of these, those that the cloud lacks
	Lost  uint64    // forgotten for the limits since the table was last emptied
}

// Size counts the rows of a table.
func (q *Quarantine) Size(table string) Size {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := Size{Rows: len(q.tables[table]), Lost: q.lost[table]}
	for _, r := range q.tables[table] {
		s.Bytes += r.Bytes
		if s.First.IsZero() || r.First.Before(s.First) {
			s.First = r.First
		}
		if !r.Present {
			s.Gap++
		}
	}
	return s
}
