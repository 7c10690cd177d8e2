package report

import (
	"math"
	"time"
)

// Buckets of latencies: 8 an octave, from 2^-20 seconds (1 µs) to 2^12 (over
// an hour).
const (
	perOctave  = 8
	lowest     = -20
	octaves    = 32
	allBuckets = octaves * perOctave
)

// A histogram counts latencies. The zero value is empty; its buckets are made
// with the first one.
type histogram struct {
	buckets []uint32
	count   uint64
	sum     time.Duration
	most    time.Duration
}

func bucketOf(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return min(max(int(math.Floor((math.Log2(d.Seconds())-lowest)*perOctave)), 0), allBuckets-1)
}

func (h *histogram) add(d time.Duration) {
	if h.buckets == nil {
		h.buckets = make([]uint32, allBuckets)
	}
	h.buckets[bucketOf(d)]++
	h.count++
	h.sum += d
	h.most = max(h.most, d)
}

// quantile returns the latency that a share q of all does not exceed: the
// middle of its bucket; 0 of none.
func (h *histogram) quantile(q float64) time.Duration {
	rank := uint64(math.Ceil(q * float64(h.count)))
	for i, n := range h.buckets {
		if uint64(n) >= rank && rank > 0 {
			middle := math.Exp2(lowest + (float64(i)+0.5)/perOctave)
			return min(time.Duration(middle*float64(time.Second)), h.most)
		}
		rank -= uint64(n)
	}
	return 0
}
