package cost

import (
	"context"
	"encoding/json"
	"time"
)

// The spans of records, and for how long they are kept.
const (
	Minute = time.Minute
	Hour   = time.Hour

	KeepMinutes = 6 * time.Hour
	KeepHours   = 90 * 24 * time.Hour
)

// A Record is what is written down of one span of time: the window of an
// instance, or the counters of the database at its beginning.
type Record struct {
	Span     time.Duration // Minute or Hour
	At       time.Time     // its beginning, UTC
	Instance string        // "": the database's counters
	Window   *Window
	Counters *Counters
}

// Document is a record's content, for a store.
func (r Record) Document() (string, error) {
	b, err := json.Marshal(struct {
		*Window
		Counters *Counters `json:"counters,omitempty"`
	}{r.Window, r.Counters})
	return string(b), err
}

// Parse reads the content of a record.
func (r *Record) Parse(document string) error {
	var d struct {
		*Window
		Counters *Counters `json:"counters"`
	}
	err := json.Unmarshal([]byte(document), &d)
	r.Window, r.Counters = d.Window, d.Counters
	return err
}

// Records are what reports are made of.
type Records interface {
	// Costs returns the records of a span that begin from since on and before
	// until, by their beginning: all of them, or the database's counters alone.
	Costs(ctx context.Context, span time.Duration, since, until time.Time, counters bool) ([]Record, error)
}

// A Store keeps records.
type Store interface {
	// KeepCosts writes records, each in place of the one of its span,
	// beginning and instance; but the database's counters that are there stay:
	// every instance of a fleet writes them.
	KeepCosts(ctx context.Context, records []Record) error
	Records
	// DropCosts removes the records of a span that begin before a time.
	DropCosts(ctx context.Context, span time.Duration, before time.Time) error
}
