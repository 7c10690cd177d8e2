// Package latency counts latencies in buckets of a fixed size, so that
// percentiles of any number of them take one kilobyte.
//
// There are 8 buckets an octave, from 1 µs to over an hour: a percentile is
// right within 4.5 %.
package latency

import (
	"fmt"
	"math"
	"time"
)

const (
	perOctave  = 8
	lowest     = -20 // 2^-20 seconds
	octaves    = 32
	allBuckets = octaves * perOctave
)

// A Histogram counts latencies. The zero value is empty; its buckets are made
// with the first one. It is not for several goroutines at once.
type Histogram struct {
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

// Add counts one.
func (h *Histogram) Add(d time.Duration) {
	if h.buckets == nil {
		h.buckets = make([]uint32, allBuckets)
	}
	h.buckets[bucketOf(d)]++
	h.count++
	h.sum += d
	h.most = max(h.most, d)
}

// Count is how many were added.
func (h *Histogram) Count() uint64 { return h.count }

// Most is the longest; 0 of none.
func (h *Histogram) Most() time.Duration { return h.most }

// Mean is exact; 0 of none.
func (h *Histogram) Mean() time.Duration {
	if h.count == 0 {
		return 0
	}
	return h.sum / time.Duration(h.count)
}

// Quantile returns the latency that a share q, 0 to 1, of all does not exceed:
// the middle of its bucket; 0 of none.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := max(uint64(math.Ceil(q*float64(h.count))), 1)
	for i, n := range h.buckets {
		if uint64(n) >= rank {
			middle := math.Exp2(lowest + (float64(i)+0.5)/perOctave)
			return min(time.Duration(middle*float64(time.Second)), h.most)
		}
		rank -= uint64(n)
	}
	return 0
}

// Text writes a latency in milliseconds, or in seconds from one on; "-" is
// none.
func Text(d time.Duration) string {
	switch s := d.Seconds(); {
	case d == 0:
		return "-"
	case s >= 1:
		return fmt.Sprintf("%.1f s", s)
	case s >= 0.01:
		return fmt.Sprintf("%.0f ms", s*1e3)
	default:
		return fmt.Sprintf("%.1f ms", s*1e3)
	}
}
