package summary

import (
	"math"
	"math/bits"
	"slices"
)

// What a layout aims at, in rows.
const (
	leafRows    = 128  // of a leaf: between 64 and 256
	leastOfNode = 1024 // of a node of a large table: below, the nodes are too many to send
	goodNode    = 4096
	largeTable  = 1 << 17
)

// Layout chooses a layout for the table that was sampled: its number and the
// current epoch's are the caller's.
//
// It is ordered wherever an ordered one gives leaves of about leafRows rows:
// by the last key column if that does, else by one before it, as for the
// lines of orders, of which there are a few each. A leaf's rows are estimated
// by how many pairs of the sample would share one, which needs no order of
// the sample and sees clusters.
func (s *Sampler) Layout(number uint64, epoch int64) Layout {
	best, least := Layout{}, math.Inf(1)
	for i, column := range s.columns {
		shift, cost := s.shift(i, codeBits(s.types[column]))
		if cost < least {
			best, least = Layout{Kind: Ordered, Column: column, Shift: shift}, cost
		}
	}
	if math.IsInf(least, 1) {
		best = Layout{Kind: Hashed, Bits: max(0, int(math.Round(math.Log2(float64(max(s.n, 1))/leafRows))))}
	}
	best.Number, best.Epoch, best.Rows = number, epoch, s.n
	return best
}

// shift returns the best shift for candidate i and what is wrong with it: 0
// for leaves and nodes as they should be, +Inf when no shift will do.
func (s *Sampler) shift(i, width int) (shift int, cost float64) {
	own := make([]sampled, 0, len(s.codes)/len(s.columns))
	for at := i; at < len(s.codes); at += len(s.columns) {
		own = append(own, s.codes[at])
	}
	slices.SortFunc(own, func(a, b sampled) int {
		switch {
		case a.prefix < b.prefix:
			return -1
		case a.prefix > b.prefix:
			return 1
		}
		return a.code.Compare(b.code)
	})
	shared := s.shared(own, width)
	cost = math.Inf(1)
	for k := range width + 1 {
		leaf, node := shared[k], shared[min(k+nodeBits, width)]
		if leaf < leafRows/2 || leaf > leafRows*2 || s.n >= largeTable && node < leastOfNode {
			continue
		}
		mean := float64(s.n) / s.leaves(own, k)
		if mean < fewRows {
			continue
		}
		c := math.Abs(math.Log2(leaf/leafRows)) + max(0, math.Log2(leafRows/2/mean))
		if s.n >= largeTable {
			c += max(0, math.Log2(goodNode/node))
		}
		if c < cost {
			shift, cost = k, c
		}
	}
	return shift, cost
}

// shared estimates for every shift how many rows share a leaf with a row, it
// included.
func (s *Sampler) shared(sorted []sampled, width int) []float64 {
	size := float64(len(sorted))
	out := make([]float64, width+1)
	for k := range out {
		pairs, run := 0.0, 0.0
		for i := range sorted {
			if i > 0 && sorted[i].prefix == sorted[i-1].prefix && sorted[i].code.shr(k) == sorted[i-1].code.shr(k) {
				run++
			} else {
				run = 0
			}
			pairs += run
		}
		out[k] = 1
		if size > 1 {
			out[k] += float64(s.n-1) * pairs / (size * (size - 1) / 2)
		}
	}
	return out
}

// leaves estimates how many leaves there are at a shift: between two
// neighbours in the sample as many as there is room for, or as there are rows.
func (s *Sampler) leaves(sorted []sampled, k int) float64 {
	between := float64(s.n) / float64(max(len(sorted), 1))
	n := 1.0
	for i := 1; i < len(sorted); i++ {
		a, b := sorted[i-1], sorted[i]
		if a.prefix != b.prefix {
			n++
			continue
		}
		high, low := b.code.shr(k), a.code.shr(k)
		lo, borrow := bits.Sub64(high.Lo, low.Lo, 0)
		hi, _ := bits.Sub64(high.Hi, low.Hi, borrow)
		room := float64(hi)*math.MaxUint64 + float64(lo)
		n += min(room, between)
	}
	return n
}
