package cost

import (
	"cmp"
	"maps"
	"slices"
)

// Bounds of what one window holds.
const (
	places       = 1024 // customers with a dataset, while it is added up
	maxCustomers = 64   // of them, written down
	maxLines     = 512  // endpoints with a dataset
)

// A Line is a part of a window.
type Line struct {
	Name    string `json:"name"` // an endpoint or a customer, or Other
	Dataset string `json:"dataset,omitempty"`
	Sums
}

// A Window is what one instance was asked for in a minute or an hour. Each of
// its lists is the whole.
type Window struct {
	Endpoints []Line `json:"endpoints"`
	Customers []Line `json:"customers"` // the heaviest, and the others by dataset
}

// Total sums a window up.
func (w *Window) Total() (s Sums) {
	for _, l := range w.Endpoints {
		s.Add(l.Sums)
	}
	return s
}

// A gathering becomes a window.
type gathering struct {
	endpoints map[line]*Sums
	customers *heavy
}

type line struct{ endpoint, dataset string }

func newGathering() *gathering {
	return &gathering{endpoints: make(map[line]*Sums), customers: newHeavy(places)}
}

func (g *gathering) add(c Charge) {
	addBounded(g.endpoints, line{c.Endpoint, c.Dataset}, c.Sums)
	g.customers.add(c.Customer, c.Dataset, c.Sums)
}

// addBounded adds s at l; where there are too many, to the endpoint's others.
func addBounded(to map[line]*Sums, l line, s Sums) {
	held := to[l]
	if held == nil && len(to) >= maxLines {
		l.dataset = Other // as many more as there are endpoints
		held = to[l]
	}
	if held == nil {
		held = new(Sums)
		to[l] = held
	}
	held.Add(s)
}

func (g *gathering) window() *Window {
	var w Window
	for l, s := range g.endpoints {
		w.Endpoints = append(w.Endpoints, Line{Name: l.endpoint, Dataset: l.dataset, Sums: *s})
	}
	slices.SortFunc(w.Endpoints, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Dataset, b.Dataset), cmp.Compare(a.Name, b.Name))
	})
	w.Customers = g.customers.heaviest(maxCustomers)
	return &w
}

// sorted are lines of one name, by dataset.
func sorted(name string, sums map[string]Sums) []Line {
	var lines []Line
	for _, dataset := range slices.Sorted(maps.Keys(sums)) {
		lines = append(lines, Line{Name: name, Dataset: dataset, Sums: sums[dataset]})
	}
	return lines
}
