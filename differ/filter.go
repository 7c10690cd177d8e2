package differ

import (
	"math"
	"math/bits"

	"github.com/dchest/siphash"
)

// filter is a Bloom filter over SipHash-128: what was added is always found,
// what was not is mostly not.
type filter struct {
	words  []uint64
	mask   uint64 // bits - 1, bits a power of two
	hashes int
	k0, k1 uint64
}

// bitsPerKey and its number of hashes find about 1 key in 120 by accident.
const bitsPerKey = 10

// newFilter makes a filter for n keys in at most maxBytes, rounded down to a
// power of two and no less than 64 bits.
func newFilter(n int64, maxBytes int, k0, k1 uint64) *filter {
	want := uint64(max(n, 1)) * bitsPerKey
	size := uint64(1) << bits.Len64(want-1)
	for size > 64 && size > uint64(maxBytes)*8 {
		size /= 2
	}
	size = max(size, 64)
	best := math.Round(float64(size) / float64(max(n, 1)) * math.Ln2)
	return &filter{words: make([]uint64, size/64), mask: size - 1, hashes: int(min(max(best, 1), 8)), k0: k0, k1: k1}
}

func (f *filter) add(key []byte) {
	h, step := siphash.Hash128(f.k0, f.k1, key)
	for range f.hashes {
		f.words[h&f.mask>>6] |= 1 << (h & 63)
		h += step | 1
	}
}

func (f *filter) has(key []byte) bool {
	h, step := siphash.Hash128(f.k0, f.k1, key)
	for range f.hashes {
		if f.words[h&f.mask>>6]&(1<<(h&63)) == 0 {
			return false
		}
		h += step | 1
	}
	return true
}
