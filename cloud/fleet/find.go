package fleet

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Bounds of lists.
const (
	mostDecisions  = 200
	mostQuarantine = 500
)

// A decided is the last decision on a table.
type decided struct {
	Customer, Dataset string
	At                time.Time
	Decision, Reason  string
	Rule              int
}

// A held is a table with rows in quarantine.
type held struct {
	Customer, Dataset, State string
	Rows                     int
}

// A search finds a text in others, whatever the case. Texts of a snapshot are
// many, and few are different: each is looked at once.
type search struct {
	text  string
	known map[string]bool
}

func newSearch(q string) *search {
	return &search{strings.ToLower(strings.TrimSpace(q)), map[string]bool{}}
}

// in tells whether one of texts has what is searched for.
func (s *search) in(texts ...string) bool {
	if s.text == "" { // a snapshot is of all tables, and looks for nothing
		return true
	}
	for _, t := range texts {
		found, ok := s.known[t]
		if !ok {
			found = strings.Contains(strings.ToLower(t), s.text)
			s.known[t] = found
		}
		if found {
			return true
		}
	}
	return false
}

// findDecisions returns the last decisions that moved something or are in
// trouble, of all tables where it is found in; the newest first.
func (v *Snapshot) findDecisions(q string) []decided {
	all, s := []decided{}, newSearch(q)
	for _, c := range v.customers {
		for _, t := range c.Tables {
			name := v.datasets[t.dataset]
			if t.decided != 0 && (t.decision == "upload" || t.decision == "diff" || t.kind == ill) && s.in(c.ID, name, t.decision, t.reason) {
				all = append(all, decided{c.ID, name, time.Unix(t.decided, 0).UTC(), t.decision, t.reason, int(t.rule)})
			}
		}
		if len(all) > 20*mostDecisions {
			all = newestOf(all)
		}
	}
	return newestOf(all)
}

func newestOf(all []decided) []decided {
	slices.SortFunc(all, func(a, b decided) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Customer, b.Customer), cmp.Compare(a.Dataset, b.Dataset))
	})
	return all[:min(len(all), mostDecisions)]
}

// findHeld returns the tables with rows in quarantine where it is found in;
// those with most rows first.
func (v *Snapshot) findHeld(q string) []held {
	var all []held
	s := newSearch(q)
	for _, c := range v.customers {
		for _, t := range c.Tables {
			if name := v.datasets[t.dataset]; t.quarantine > 0 && s.in(c.ID, name) {
				all = append(all, held{c.ID, name, t.state, int(t.quarantine)})
			}
		}
	}
	slices.SortFunc(all, func(a, b held) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Customer, b.Customer), cmp.Compare(a.Dataset, b.Dataset))
	})
	return slices.Clone(all[:min(len(all), mostQuarantine)])
}
