package engine

import (
	"cmp"
	"encoding/binary"
	"math"
	"strings"

	"tidemark/internal/mssqltest/tds"
)

// appendKey appends the key of one value: bytes that sort as SQL Server sorts
// values of the type, NULL first, of which none is a prefix of another.
func appendKey(dst []byte, t tds.Type, v value, c collation) []byte {
	if v.null {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	be := binary.BigEndian
	switch classOf(t.Kind) {
	case clInt, clTime:
		return be.AppendUint64(dst, uint64(v.i)^1<<63)
	case clFloat:
		u := math.Float64bits(v.f + 0) // -0 is 0
		if u>>63 != 0 {
			u = ^u
		} else {
			u |= 1 << 63
		}
		return be.AppendUint64(dst, u)
	case clDec:
		return appendDecimalKey(dst, v)
	case clStr:
		return appendCollated(dst, v.s, c)
	case clGUID:
		return appendGUIDKey(dst, v.s)
	case clVariant:
		x := v.x.(*variant)
		return appendKey(append(dst, byte(classOf(x.typ.Kind))), x.typ, x.val, c)
	}
	if t.Kind == tds.RowVersion {
		return append(dst, v.s...)
	}
	// The shorter of two binaries is compared as if padded with zeros.
	return appendEscaped(dst, []byte(strings.TrimRight(v.s, "\x00")))
}

// appendGUIDKey puts the bytes in the order of their significance.
func appendGUIDKey(dst []byte, s string) []byte {
	dst = append(dst, s[10:16]...)
	dst = append(dst, s[8:10]...)
	dst = append(dst, s[6:8]...)
	dst = append(dst, s[4:6]...)
	return append(dst, s[0:4]...)
}

// appendDecimalKey writes 17 bytes: sign, then magnitude (inverted below 0).
func appendDecimalKey(dst []byte, v value) []byte {
	n := v.dec()
	var b [16]byte
	n.FillBytes(b[:])
	if n.Sign() >= 0 {
		return append(append(dst, 1), b[:]...)
	}
	dst = append(dst, 0)
	for _, c := range b {
		dst = append(dst, ^c)
	}
	return dst
}

// invert turns the order of a key around, for descending columns.
func invert(key []byte) {
	for i := range key {
		key[i] = ^key[i]
	}
}

// after is the first key behind all that begin with prefix; "" is the end.
func after(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] != 0xFF {
			b[i]++
			return string(b[:i+1])
		}
	}
	return ""
}

// compare orders two values of one type, neither of them NULL.
func compare(t tds.Type, a, b value, c collation) int {
	switch classOf(t.Kind) {
	case clInt, clTime:
		return cmp.Compare(a.i, b.i)
	case clFloat:
		return cmp.Compare(a.f, b.f)
	case clDec:
		if a.x == nil && b.x == nil {
			return cmp.Compare(a.i, b.i)
		}
		return a.dec().Cmp(b.dec())
	case clStr:
		return compareText(a.s, b.s, c)
	case clGUID, clVariant:
		return strings.Compare(string(appendKey(nil, t, a, c)), string(appendKey(nil, t, b, c)))
	}
	return strings.Compare(strings.TrimRight(a.s, "\x00"), strings.TrimRight(b.s, "\x00"))
}
