package summary

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// A Range is what a leaf of an ordered layout spans: rows whose first key
// columns are Prefix and whose next one lies between Low and High, both
// included, in the order of SQL Server. Values are in their wire form.
//
// Low and High of a uniqueidentifier bound nothing in a database that sorts
// it otherwise; LowCode and HighCode do, for an index on the permuted bytes.
type Range struct {
	Prefix            [][]byte
	Low, High         []byte
	LowCode, HighCode Code
	Empty             bool // the type has no value in the leaf
}

// ErrScattered is the error of Range for a hashed layout.
var ErrScattered = errors.New("a leaf of a hashed layout is no range of keys")

// Range returns the keys that a leaf spans. The anchor is that of its node;
// it may be nil where Layout.Counted.
func (b *Bucketer) Range(leaf Leaf, anchor []byte) (Range, error) {
	if b.layout.Kind == Hashed {
		return Range{}, ErrScattered
	}
	var r Range
	top := Code{0, uint64(leaf.Node)}
	if !b.counted {
		end := len(anchor) - 16
		if end < 0 {
			return Range{}, fmt.Errorf("anchor of %d bytes", len(anchor))
		}
		var err error
		if r.Prefix, err = canon.Decode(b.types[:b.layout.Column], anchor[:end]); err != nil {
			return Range{}, fmt.Errorf("anchor: %w", err)
		}
		top = Code{binary.BigEndian.Uint64(anchor[end:]), binary.BigEndian.Uint64(anchor[end+8:])}
	}
	n := top.shl(nodeBits)
	n.Lo |= uint64(leaf.Index)
	low, span := n.shl(b.layout.Shift), ones(b.layout.Shift)
	high := Code{low.Hi | span.Hi, low.Lo | span.Lo}
	t := b.types[b.layout.Column]
	if codeBits(t) == 64 {
		if low.shr(b.layout.Shift) != n || low.Hi != 0 {
			return Range{Empty: true}, nil
		}
		high.Hi = 0
	}
	r.LowCode, r.HighCode = low, high
	r.Empty = !r.bound(t)
	return r, nil
}

// bound makes wire values of the codes, cut to those that the type has.
func (r *Range) bound(t wire.Type) bool {
	low, high := r.LowCode.Lo, r.HighCode.Lo
	switch canon.TagOf(t.Kind) {
	case canon.GUID:
		r.Low, r.High = guidOf(r.LowCode), guidOf(r.HighCode)
		return true
	case canon.Time:
		last := uint64(maxTicks - 1)
		if t.Kind == wire.Time {
			last = ticksPerDay - 1
		}
		every := step(t)
		low, high = (low+every-1)/every*every, min(high, last)/every*every
		if low > high {
			return false
		}
		r.Low, r.High = textOf(t, low), textOf(t, high)
		return true
	}
	least, most := extremes(t)
	l, h := max(int64(low^1<<63), least), min(int64(high^1<<63), most)
	if l > h {
		return false
	}
	r.Low, r.High = integerOf(t, l), integerOf(t, h)
	return true
}

func extremes(t wire.Type) (least, most int64) {
	switch t.Kind {
	case wire.Bit:
		return 0, 1
	case wire.TinyInt:
		return 0, math.MaxUint8
	case wire.SmallInt:
		return math.MinInt16, math.MaxInt16
	case wire.Int:
		return math.MinInt32, math.MaxInt32
	case wire.Decimal:
		most = 1
		for range t.Precision {
			most *= 10
		}
		return 1 - most, most - 1
	}
	return math.MinInt64, math.MaxInt64
}

func integerOf(t wire.Type, n int64) []byte {
	switch t.Kind {
	case wire.Bit:
		return fmt.Appendf(nil, "%t", n == 1)
	case wire.BigInt, wire.Decimal:
		return fmt.Appendf(nil, `"%d"`, n)
	}
	return fmt.Appendf(nil, "%d", n)
}

func guidOf(c Code) []byte {
	var b [16]byte
	for i, at := range guidOrder {
		part := c.Hi
		if i >= 8 {
			part = c.Lo
		}
		b[at] = byte(part >> (8 * (7 - i%8)))
	}
	return fmt.Appendf(nil, `"%x-%x-%x-%x-%x"`, b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
