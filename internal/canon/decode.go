package canon

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"tidemark/internal/wire"
)

var errCanon = errors.New("canonical key is not well-formed")

// Cut takes the first column of a canonical key apart: its tag, its value and
// the columns behind it, all aliasing key.
func Cut(key []byte) (tag Tag, value, rest []byte, err error) {
	if len(key) < 2 {
		return 0, nil, nil, errCanon
	}
	n, size := uint64(key[1]), 1
	if n >= 0x80 {
		n, size = binary.Uvarint(key[1:])
	}
	if size <= 0 || n > uint64(len(key)-1-size) {
		return 0, nil, nil, errCanon
	}
	end := 1 + size + int(n)
	return Tag(key[0]), key[1+size : end], key[end:], nil
}

// Decode returns the wire values of the first len(types) columns of a
// canonical key. It is the inverse of Key but for what a wire value may leave
// open: the escapes of a string and the digits of a float are the shortest.
// A sql_variant, whose base type is not in its canonical bytes, is an error.
func Decode(types []wire.Type, key []byte) ([][]byte, error) {
	raws := make([][]byte, 0, len(types))
	for i, t := range types {
		tag, value, rest, err := Cut(key)
		if err == nil && tag != TagOf(t.Kind) {
			err = errCanon
		}
		var raw []byte
		if err == nil {
			raw, err = decode(t, tag, value)
		}
		if err == nil {
			err = wire.CheckValue(t, raw)
		}
		if err != nil {
			return nil, fmt.Errorf("key column %d: %w", i+1, err)
		}
		raws, key = append(raws, raw), rest
	}
	return raws, nil
}

func decode(t wire.Type, tag Tag, value []byte) ([]byte, error) {
	switch tag {
	case Integer:
		if len(value) != 8 {
			return nil, errCanon
		}
		return decodeInteger(t, int64(binary.BigEndian.Uint64(value)^(1<<63))), nil
	case Float:
		if len(value) != 8 {
			return nil, errCanon
		}
		return decodeFloat(t, math.Float64frombits(binary.BigEndian.Uint64(value))), nil
	case Decimal:
		return quoted(pad(value, t.FractionDigits())), nil
	case Time:
		if t.Kind != wire.DateTimeOffset {
			return quoted(pad(value, t.FractionDigits())), nil
		}
		if len(value) < len("+00:00") {
			return nil, errCanon
		}
		clock, offset := splitOffset(value)
		return quoted(append(pad(clock, t.FractionDigits()), offset...)), nil
	case String:
		if !utf8.Valid(value) {
			return nil, errCanon
		}
		return wire.AppendString(nil, value), nil
	case Bytes:
		return quoted(base64.StdEncoding.AppendEncode(nil, value)), nil
	case GUID:
		if len(value) != 16 {
			return nil, errCanon
		}
		h := hex.EncodeToString(value)
		return quoted([]byte(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])), nil
	}
	return nil, fmt.Errorf("a canonical %s cannot be read back", t)
}

func decodeInteger(t wire.Type, n int64) []byte {
	switch t.Kind {
	case wire.Bit:
		if n == 0 || n == 1 {
			return strconv.AppendBool(nil, n == 1)
		}
	case wire.BigInt:
		return quoted(strconv.AppendInt(nil, n, 10))
	}
	return strconv.AppendInt(nil, n, 10)
}

// decodeFloat writes as encoding/json does.
func decodeFloat(t wire.Type, f float64) []byte {
	bits := 64
	if t.Kind == wire.Real {
		bits, f = 32, float64(float32(f))
	}
	f += 0 // -0 + 0 is 0
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(nil, f, format, -1, bits)
}

// pad gives a trimmed fraction its digits back.
func pad(s []byte, digits int) []byte {
	out := append(make([]byte, 0, len(s)+digits+1), s...)
	if digits == 0 {
		return out
	}
	there := -1
	for i, c := range s {
		if c == '.' {
			there = len(s) - 1 - i
		}
	}
	if there < 0 {
		out, there = append(out, '.'), 0
	}
	for ; there < digits; there++ {
		out = append(out, '0')
	}
	return out
}

func quoted(s []byte) []byte {
	return append(append(append(make([]byte, 0, len(s)+2), '"'), s...), '"')
}
