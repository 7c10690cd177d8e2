package summary

import (
	"math"
	"math/rand/v2"

	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// A Sampler draws an even sample of a table's keys, whatever order they come
// in, and chooses the layout that suits them. Its memory does not grow with
// the table: see sampleSize.
type Sampler struct {
	types   []wire.Type
	columns []int // candidates: the key columns that have order codes, the last first
	n       int64 // keys seen
	next    int64 // number of the next key to take
	w       float64
	rnd     *rand.Rand
	codes   []sampled // len(columns) for each key taken
}

// sampled is what a candidate column needs to know of one key.
type sampled struct {
	prefix uint64 // hash of the columns before
	code   Code
}

const (
	// sampleSize keys estimate the rows of a leaf within a few per cent up to
	// some 10^8 rows.
	sampleSize = 1 << 14
	// maxCandidates bounds the work for a key of very many columns.
	maxCandidates = 4
)

// NewSampler returns a sampler of keys of these types. The same seed draws
// the same sample.
func NewSampler(types []wire.Type, seed uint64) *Sampler {
	s := &Sampler{types: types, w: 1, rnd: rand.New(rand.NewPCG(seed, 0))}
	for i := len(types) - 1; i >= 0 && len(s.columns) < maxCandidates; i-- {
		if codeBits(types[i]) > 0 {
			s.columns = append(s.columns, i)
		}
	}
	return s
}

// Add shows the sampler the canonical key of one more row. It reads few of
// them: where making the key is dear, ask Want first.
func (s *Sampler) Add(key []byte) error {
	s.n++
	if s.n > sampleSize && s.n < s.next || len(s.columns) == 0 {
		return nil
	}
	at := len(s.codes)
	if s.n > sampleSize {
		at = s.rnd.IntN(sampleSize) * len(s.columns)
	} else {
		s.codes = append(s.codes, make([]sampled, len(s.columns))...)
	}
	if s.n >= sampleSize {
		s.skip()
	}
	return s.take(s.codes[at:at+len(s.columns)], key)
}

// Skip counts a row whose key is not shown.
func (s *Sampler) Skip() { s.n++ }

// Want tells whether the next key will be read.
func (s *Sampler) Want() bool {
	return len(s.columns) > 0 && (s.n < sampleSize || s.n+1 >= s.next)
}

// skip draws the next key to take (Li's algorithm L).
func (s *Sampler) skip() {
	u := func() float64 { return 1 - s.rnd.Float64() } // not 0
	s.w *= math.Exp(math.Log(u()) / sampleSize)
	s.next = s.n + 1 + int64(math.Log(u())/math.Log1p(-s.w))
}

func (s *Sampler) take(into []sampled, key []byte) error {
	rest, hash := key, uint64(fnvOffset)
	for column := 0; len(rest) > 0; column++ {
		tag, value, more, err := canon.Cut(rest)
		if err != nil {
			return err
		}
		for i, c := range s.columns {
			if c != column {
				continue
			}
			code, err := codeOf(tag, value)
			if err != nil {
				return err
			}
			into[i] = sampled{hash, code}
		}
		for _, b := range rest[:len(rest)-len(more)] {
			hash = (hash ^ uint64(b)) * fnvPrime
		}
		rest = more
	}
	return nil
}

// FNV-1a, for telling prefixes of a sample apart.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)
