package cost

import (
	"cmp"
	"crypto/rand"
	"slices"
	"sync"
	"time"
)

// A Meter adds up what the requests of one instance cost: for ever by endpoint
// and dataset, for metrics, and for the minute and the hour that run. Its
// methods may be called at the same time by many goroutines.
type Meter struct {
	instance string // of this process, as no other has it

	mu    sync.Mutex
	total map[line]*Sums
	spans [2]running // minute and hour
	last  *Window    // the minute before
}

// running is the span that runs.
type running struct {
	span time.Duration
	from time.Time
	*gathering
}

// NewMeter returns a Meter that begins now.
func NewMeter(now time.Time) *Meter {
	m := &Meter{instance: rand.Text()[:12], total: make(map[line]*Sums)}
	for i, span := range []time.Duration{Minute, Hour} {
		m.spans[i] = running{span, now.UTC().Truncate(span), newGathering()}
	}
	return m
}

// Add adds a charge. A nil Meter forgets it.
func (m *Meter) Add(c Charge) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	addBounded(m.total, line{c.Endpoint, c.Dataset}, c.Sums)
	for _, r := range m.spans {
		r.add(c)
	}
}

// Turn returns the records of the minute and the hour as they are, and begins
// new ones where those are over. What nothing was added to since has none.
func (m *Meter) Turn(now time.Time) []Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	idle := len(m.spans[0].endpoints) == 0 // then the hour, too, is as it was
	var records []Record
	for i := range m.spans {
		r := &m.spans[i]
		w := r.window()
		if !idle {
			records = append(records, Record{Span: r.span, At: r.from, Instance: m.instance, Window: w})
		}
		from := now.UTC().Truncate(r.span)
		if from.Equal(r.from) {
			continue
		}
		if r.span == Minute {
			m.last = w
		}
		r.from, r.gathering = from, newGathering()
	}
	return records
}

// Totals returns what was added since the process began, by endpoint and
// dataset.
func (m *Meter) Totals() []Line {
	m.mu.Lock()
	defer m.mu.Unlock()
	return (&gathering{endpoints: m.total, customers: newHeavy(0)}).window().Endpoints
}

// Heaviest returns the customers that cost most in the last whole minute, at
// most n of them, the heaviest first.
func (m *Meter) Heaviest(n int) []Line {
	m.mu.Lock()
	last := m.last
	m.mu.Unlock()
	if last == nil {
		return nil
	}
	sums := make(map[string]Sums)
	for _, l := range last.Customers {
		if l.Name != Other {
			s := sums[l.Name]
			s.Add(l.Sums)
			sums[l.Name] = s
		}
	}
	lines := byTime(sums)
	return lines[:min(n, len(lines))]
}

// byTime are the lines of sums, those that took most time first.
func byTime(sums map[string]Sums) []Line {
	lines := make([]Line, 0, len(sums))
	for name, s := range sums {
		lines = append(lines, Line{Name: name, Sums: s})
	}
	slices.SortFunc(lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(a.Name, b.Name))
	})
	return lines
}
