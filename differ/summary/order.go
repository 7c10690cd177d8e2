package summary

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"

	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// A Code is a 128-bit number that keeps the order in which SQL Server sorts
// the values of one column. Types of up to 64 bits leave Hi zero.
type Code struct{ Hi, Lo uint64 }

// Compare orders codes.
func (c Code) Compare(d Code) int {
	return cmp.Or(cmp.Compare(c.Hi, d.Hi), cmp.Compare(c.Lo, d.Lo))
}

func (c Code) shr(n int) Code {
	if n >= 64 {
		return Code{0, c.Hi >> (n - 64)}
	}
	return Code{c.Hi >> n, c.Lo>>n | c.Hi<<(64-n)}
}

func (c Code) shl(n int) Code {
	if n >= 64 {
		return Code{c.Lo << (n - 64), 0}
	}
	return Code{c.Hi<<n | c.Lo>>(64-n), c.Lo << n}
}

// ones is a code of n low bits set.
func ones(n int) Code {
	if n >= 128 {
		return Code{math.MaxUint64, math.MaxUint64}
	}
	c := Code{0, 1}.shl(n)
	return Code{c.Hi - b2u(c.Lo == 0), c.Lo - 1}
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// codeBits is the width of a type's order codes, 0 for a type that has none.
// A datetimeoffset has none: it sorts by its instant and is stored by its
// text. A decimal has one when it is a whole number of at most 18 digits.
func codeBits(t wire.Type) int {
	switch t.Kind {
	case wire.Bit, wire.TinyInt, wire.SmallInt, wire.Int, wire.BigInt,
		wire.Date, wire.Time, wire.SmallDateTime, wire.DateTime, wire.DateTime2:
		return 64
	case wire.Decimal:
		if t.Scale == 0 && t.Precision <= 18 {
			return 64
		}
	case wire.UniqueIdentifier:
		return 128
	}
	return 0
}

var errCode = errors.New("value has no order code")

// guidOrder is the order in which SQL Server compares the bytes of a
// uniqueidentifier: 10 to 15, 8 to 9, 6 to 7, 4 to 5 and 0 to 3 of the form
// that it stores, in which the first three groups of the text are
// little-endian. The indexes are those of the text form. (.NET,
// SqlGuid.CompareTo.)
var guidOrder = [16]int{10, 11, 12, 13, 14, 15, 8, 9, 7, 6, 5, 4, 3, 2, 1, 0}

// codeOf returns the order code of a canonical value.
func codeOf(tag canon.Tag, value []byte) (Code, error) {
	switch {
	case tag == canon.Integer && len(value) == 8: // sign bit flipped: in order as it is
		return Code{0, binary.BigEndian.Uint64(value)}, nil
	case tag == canon.GUID && len(value) == 16:
		var c Code
		for i, at := range guidOrder {
			if i < 8 {
				c.Hi = c.Hi<<8 | uint64(value[at])
			} else {
				c.Lo = c.Lo<<8 | uint64(value[at])
			}
		}
		return c, nil
	case tag == canon.Time:
		ticks, ok := ticksOf(value)
		if ok {
			return Code{0, ticks}, nil
		}
	case tag == canon.Decimal:
		negative := len(value) > 0 && value[0] == '-'
		if negative {
			value = value[1:]
		}
		n, ok := number(value)
		if ok && len(value) <= 18 {
			if negative {
				n = -n
			}
			return Code{0, n ^ 1<<63}, nil
		}
	}
	return Code{}, errCode
}

// number reads decimal digits.
func number(s []byte) (uint64, bool) {
	n := uint64(0)
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, len(s) > 0
}
