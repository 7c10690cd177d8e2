package cost

import (
	"cmp"
	"container/heap"
	"slices"
)

// A pair is a customer and a dataset.
type pair struct{ customer, dataset string }

// heavy keeps apart the pairs that cost most time, in bounded memory: the
// space-saving algorithm (Metwally, Agrawal, El Abbadi: Efficient Computation
// of Frequent and Top-k Elements in Data Streams, 2005), weighted by time. A
// pair that is new when all places are taken gets the lightest one's place and
// inherits its weight, so that whoever costs more than the total divided by
// the places is always among them. Sums are not inherited: they are those of
// the pair since it came in, and what was counted for others is in rest, so
// that all together are exact. A pair that never lost its place has exact sums.
type heavy struct {
	places int
	held   map[pair]*weighed
	order  byWeight
	rest   map[string]*Sums // by dataset
}

type weighed struct {
	pair
	weight int64 // nanoseconds, with what was inherited
	sums   Sums
	at     int // in the heap
}

func newHeavy(places int) *heavy {
	return &heavy{places: places, held: make(map[pair]*weighed), rest: make(map[string]*Sums)}
}

func (h *heavy) add(customer, dataset string, s Sums) {
	p := pair{customer, dataset}
	w := h.held[p]
	switch {
	case w != nil:
		w.weight += int64(s.Time)
		w.sums.Add(s)
		heap.Fix(&h.order, w.at)
	case len(h.order) < h.places:
		w = &weighed{pair: p, weight: int64(s.Time), sums: s}
		h.held[p] = w
		heap.Push(&h.order, w)
	default:
		w = h.order[0]
		h.leave(w)
		delete(h.held, w.pair)
		w.pair, w.sums = p, s
		w.weight += int64(s.Time)
		h.held[p] = w
		heap.Fix(&h.order, 0)
	}
}

func (h *heavy) leave(w *weighed) {
	r := h.rest[w.dataset]
	if r == nil {
		r = new(Sums)
		h.rest[w.dataset] = r
	}
	r.Add(w.sums)
}

// heaviest returns up to n pairs, the heaviest first, and all others summed by
// dataset under Other.
func (h *heavy) heaviest(n int) []Line {
	all := slices.Clone(h.order)
	slices.SortFunc(all, func(a, b *weighed) int {
		return cmp.Or(cmp.Compare(b.sums.Time, a.sums.Time), cmp.Compare(a.customer, b.customer), cmp.Compare(a.dataset, b.dataset))
	})
	rest := make(map[string]Sums)
	for dataset, s := range h.rest {
		rest[dataset] = *s
	}
	var lines []Line
	for i, w := range all {
		if i < n {
			lines = append(lines, Line{Name: w.customer, Dataset: w.dataset, Sums: w.sums})
			continue
		}
		r := rest[w.dataset]
		r.Add(w.sums)
		rest[w.dataset] = r
	}
	return append(lines, sorted(Other, rest)...)
}

// byWeight is a heap with the lightest on top.
type byWeight []*weighed

func (b byWeight) Len() int           { return len(b) }
func (b byWeight) Less(i, j int) bool { return b[i].weight < b[j].weight }
func (b byWeight) Swap(i, j int)      { b[i], b[j] = b[j], b[i]; b[i].at, b[j].at = i, j }

// Push implements heap.Interface.
func (b *byWeight) Push(x any) {
	w := x.(*weighed)
	w.at = len(*b)
	*b = append(*b, w)
}

// Pop implements heap.Interface.
func (b *byWeight) Pop() any {
	last := (*b)[len(*b)-1]
	*b = (*b)[:len(*b)-1]
	return last
}
