// Package canon gives keys their canonical bytes. Two keys are the same key
// for Tidemark when their canonical bytes are equal, whatever the collation
// of either database says: 'ABC' and 'abc' are two keys.
//
// The bytes of a column's value are a tag for its family, the length of the
// value as an unsigned varint, and the value:
//
//	'i'  bit and integers           8 bytes, big-endian, sign bit flipped
//	'f'  real, float                IEEE 754 binary64 of the shortest digits, big-endian; -0 is 0
//	'd'  decimal, money             text without zeros behind the last digit after the point
//	't'  dates and times            text, fractions without zeros at their end
//	's'  characters                 UTF-8, blanks at the end kept
//	'b'  binary and CLR types       the bytes
//	'g'  uniqueidentifier           16 bytes in the order of the text form
//	'v'  sql_variant                the canonical bytes of its value
//
// A column that is widened (int to bigint, decimal(9,2) to decimal(18,4))
// keeps the canonical bytes of its values. A key is its columns' bytes in key
// order: lengths and tags make it unambiguous.
package canon

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"tidemark/internal/wire"
)

// Tag is the family of a value.
type Tag byte

// The families.
const (
	Integer Tag = 'i'
	Float   Tag = 'f'
	Decimal Tag = 'd'
	Time    Tag = 't'
	String  Tag = 's'
	Bytes   Tag = 'b'
	GUID    Tag = 'g'
	Variant Tag = 'v'
)

// TagOf returns the family of a kind, 0 for one that is not known.
func TagOf(k wire.Kind) Tag {
	switch k {
	case wire.Bit, wire.TinyInt, wire.SmallInt, wire.Int, wire.BigInt:
		return Integer
	case wire.Real, wire.Float:
		return Float
	case wire.Decimal, wire.Money, wire.SmallMoney:
		return Decimal
	case wire.Date, wire.Time, wire.SmallDateTime, wire.DateTime, wire.DateTime2, wire.DateTimeOffset:
		return Time
	case wire.Char, wire.VarChar, wire.NChar, wire.NVarChar, wire.XML:
		return String
	case wire.Binary, wire.VarBinary, wire.HierarchyID, wire.Geometry, wire.Geography:
		return Bytes
	case wire.UniqueIdentifier:
		return GUID
	case wire.Variant:
		return Variant
	}
	return 0
}

// Key appends the canonical bytes of a whole key: its columns' types and wire
// values in key order.
func Key(dst []byte, types []wire.Type, raws [][]byte) ([]byte, error) {
	if len(types) != len(raws) {
		return dst, fmt.Errorf("a key of %d columns has %d values", len(types), len(raws))
	}
	for i, t := range types {
		var err error
		if dst, err = Append(dst, t, raws[i]); err != nil {
			return dst, fmt.Errorf("key column %d: %w", i+1, err)
		}
	}
	return dst, nil
}

// Append appends the canonical bytes of one value, given in its wire form.
// A null or a value that t does not have is an error.
func Append(dst []byte, t wire.Type, raw []byte) ([]byte, error) {
	switch t.Kind { // the keys of most tables, checked and read in one go
	case wire.Int, wire.BigInt:
		if n, ok := plainInteger(t, raw); ok {
			return appendFixed8(dst, Integer, uint64(n)^(1<<63)), nil
		}
	case wire.UniqueIdentifier:
		if b, ok := plainGUID(raw); ok {
			return append(append(dst, byte(GUID), 16), b[:]...), nil
		}
	}
	if err := wire.CheckValue(t, raw); err != nil {
		return dst, err
	}
	tag := TagOf(t.Kind)
	switch tag {
	case Integer:
		return appendFixed8(dst, tag, integer(raw)^(1<<63)), nil
	case Float:
		f, err := float(t, raw)
		if err != nil {
			return dst, err
		}
		return appendFixed8(dst, tag, math.Float64bits(f+0)), nil // -0 + 0 is 0
	case Decimal:
		return appendSized(dst, tag, trimFraction(inner(raw))), nil
	case Time:
		return appendTime(dst, t, inner(raw)), nil
	case String:
		return appendString(dst, raw)
	case Bytes:
		s := inner(raw)
		n := len(s) / 4 * 3
		for i := len(s); i > 0 && s[i-1] == '='; i-- {
			n--
		}
		dst = binary.AppendUvarint(append(dst, byte(tag)), uint64(n))
		return base64.StdEncoding.AppendDecode(dst, s)
	case GUID:
		return dst, errGUID // plainGUID takes what CheckValue takes
	case Variant:
		var v wire.VariantValue
		if err := json.Unmarshal(raw, &v); err != nil {
			return dst, err
		}
		value, err := Append(nil, v.Type, v.Value)
		if err != nil {
			return dst, err
		}
		return appendSized(dst, tag, value), nil
	}
	return dst, fmt.Errorf("type %s has no canonical form", t)
}

// inner is a checked string's text.
func inner(raw []byte) []byte { return raw[1 : len(raw)-1] }

// integer reads a checked bit, number or string of digits.
func integer(raw []byte) uint64 {
	switch string(raw) {
	case "true":
		return 1
	case "false":
		return 0
	}
	if raw[0] == '"' {
		raw = inner(raw)
	}
	negative := raw[0] == '-'
	if negative {
		raw = raw[1:]
	}
	var n uint64
	for _, c := range raw {
		n = n*10 + uint64(c-'0')
	}
	if negative {
		return -n
	}
	return n
}

// float reads a checked number. A real goes by its shortest digits, whatever
// digits it came with: they are all that a store keeps of it.
func float(t wire.Type, raw []byte) (float64, error) {
	if t.Kind == wire.Real {
		f, err := strconv.ParseFloat(string(raw), 32)
		if err != nil {
			return 0, err
		}
		var shortest [32]byte
		raw = strconv.AppendFloat(shortest[:0], f, 'g', -1, 32)
	}
	return strconv.ParseFloat(string(raw), 64)
}

func appendFixed8(dst []byte, tag Tag, v uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, byte(tag), 8), v)
}

func appendSized(dst []byte, tag Tag, v []byte) []byte {
	dst = binary.AppendUvarint(append(dst, byte(tag)), uint64(len(v)))
	return append(dst, v...)
}

func appendString(dst, raw []byte) ([]byte, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return appendSized(dst, String, inner(raw)), nil
	}
	s, err := wire.Unquote(nil, raw)
	if err != nil {
		return dst, err
	}
	return appendSized(dst, String, s), nil
}

// appendTime trims the fraction, which stands before the offset of a
// datetimeoffset.
func appendTime(dst []byte, t wire.Type, s []byte) []byte {
	clock, offset := s, []byte(nil)
	if t.Kind == wire.DateTimeOffset {
		clock, offset = splitOffset(s)
	}
	clock = trimFraction(clock)
	dst = binary.AppendUvarint(append(dst, byte(Time)), uint64(len(clock)+len(offset)))
	return append(append(dst, clock...), offset...)
}

// splitOffset takes the "+00:00" of a datetimeoffset apart.
func splitOffset(s []byte) (clock, offset []byte) {
	n := len(s) - len("+00:00")
	return s[:n], s[n:]
}

// trimFraction drops zeros at the end of a fraction, and a bare point.
func trimFraction(s []byte) []byte {
	if bytes.IndexByte(s, '.') >= 0 {
		s = bytes.TrimRight(s, "0")
		s = bytes.TrimSuffix(s, []byte("."))
	}
	return s
}
