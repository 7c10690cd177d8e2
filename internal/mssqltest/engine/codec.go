package engine

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"time"

	"tidemark/internal/mssqltest/tds"
)

// Rows hold values in their TDS form. The kinds that rows are full of are
// coded here without a detour; the rest goes through package tds.

// frameOf tells how the length of an encoded value is found.
type framing uint8

const (
	frameByte  framing = iota // one length byte, 0 for NULL
	frameShort                // two length bytes, 0xFFFF for NULL
	framePLP                  // MAX types, in chunks
	frameOther
)

func frameOf(t tds.Type) framing {
	switch t.Kind {
	case tds.Char, tds.VarChar, tds.NChar, tds.NVarChar, tds.Binary, tds.VarBinary, tds.RowVersion:
		if t.Len == tds.MaxLen {
			return framePLP
		}
		return frameShort
	case tds.XML, tds.UDT:
		return framePLP
	case tds.Text, tds.NText, tds.Image, tds.Variant:
		return frameOther
	}
	return frameByte
}

// encodedLen is the length of the value at the front of b.
func encodedLen(f framing, t tds.Type, b []byte) int {
	switch f {
	case frameByte:
		return 1 + int(b[0])
	case frameShort:
		n := int(binary.LittleEndian.Uint16(b))
		if n == 0xFFFF {
			return 2
		}
		return 2 + n
	}
	return tds.ValueLen(t, b)
}

func isEncodedNull(f framing, b []byte) bool {
	switch f {
	case frameByte:
		return b[0] == 0
	case frameShort:
		return b[0] == 0xFF && b[1] == 0xFF
	case framePLP:
		return binary.LittleEndian.Uint64(b) == math.MaxUint64
	}
	return false
}

// decode reads one encoded value.
func decode(t tds.Type, b []byte) (value, error) {
	f := frameOf(t)
	if f != frameOther && isEncodedNull(f, b) {
		return nullValue, nil
	}
	switch t.Kind {
	case tds.Bit, tds.TinyInt:
		return value{i: int64(b[1])}, nil
	case tds.SmallInt:
		return value{i: int64(int16(binary.LittleEndian.Uint16(b[1:])))}, nil
	case tds.Int:
		return value{i: int64(int32(binary.LittleEndian.Uint32(b[1:])))}, nil
	case tds.BigInt:
		return value{i: int64(binary.LittleEndian.Uint64(b[1:]))}, nil
	case tds.Real:
		return value{f: float64(math.Float32frombits(binary.LittleEndian.Uint32(b[1:])))}, nil
	case tds.Float:
		return value{f: math.Float64frombits(binary.LittleEndian.Uint64(b[1:]))}, nil
	case tds.UniqueIdentifier:
		return value{s: string(b[1:17])}, nil
	case tds.Binary, tds.VarBinary, tds.RowVersion:
		if f == frameShort {
			return value{s: string(b[2 : 2+int(binary.LittleEndian.Uint16(b))])}, nil
		}
	case tds.NChar, tds.NVarChar:
		if f == frameShort {
			return value{s: fromUTF16(b[2 : 2+int(binary.LittleEndian.Uint16(b))])}, nil
		}
	case tds.Decimal:
		return decodeDecimal(b[1 : 1+int(b[0])]), nil
	case tds.Char, tds.VarChar:
		if f == frameShort {
			if s := b[2 : 2+int(binary.LittleEndian.Uint16(b))]; isASCII(s) {
				return value{s: string(s)}, nil
			}
		}
	}
	a, err := tds.DecodeValue(rawForm(t), b)
	if err != nil {
		return value{}, err
	}
	if isUnicode(t.Kind) && a != nil {
		return strValue(fromUTF16(a.([]byte))), nil
	}
	return fromGo(t, a)
}

// rawForm is the binary type with the same framing as a UTF-16 type, so that
// lone surrogates survive the way through package tds.
func rawForm(t tds.Type) tds.Type {
	switch t.Kind {
	case tds.NVarChar, tds.XML:
		return tds.Type{Kind: tds.VarBinary, Len: tds.MaxLen}
	case tds.NText:
		return tds.Type{Kind: tds.Image}
	}
	return t
}

// encode appends the encoded form of v, which has type t.
func encode(dst []byte, t tds.Type, v value) ([]byte, error) {
	f := frameOf(t)
	if v.null {
		switch f {
		case frameByte:
			return append(dst, 0), nil
		case frameShort:
			return append(dst, 0xFF, 0xFF), nil
		}
		return tds.AppendValue(dst, t, nil)
	}
	le := binary.LittleEndian
	switch t.Kind {
	case tds.Bit, tds.TinyInt:
		return append(dst, 1, byte(v.i)), nil
	case tds.SmallInt:
		return le.AppendUint16(append(dst, 2), uint16(v.i)), nil
	case tds.Int:
		return le.AppendUint32(append(dst, 4), uint32(v.i)), nil
	case tds.BigInt:
		return le.AppendUint64(append(dst, 8), uint64(v.i)), nil
	case tds.Real:
		return le.AppendUint32(append(dst, 4), math.Float32bits(float32(v.f))), nil
	case tds.Float:
		return le.AppendUint64(append(dst, 8), math.Float64bits(v.f)), nil
	case tds.UniqueIdentifier:
		return append(append(dst, 16), v.s...), nil
	case tds.Binary, tds.VarBinary, tds.RowVersion:
		if f == frameShort {
			return append(le.AppendUint16(dst, uint16(len(v.s))), v.s...), nil
		}
	case tds.NChar, tds.NVarChar:
		if f == frameShort {
			at := len(dst)
			dst = appendUTF16(append(dst, 0, 0), v.s)
			le.PutUint16(dst[at:], uint16(len(dst)-at-2))
			return dst, nil
		}
	case tds.Char, tds.VarChar:
		if f == frameShort && isASCII([]byte(v.s)) {
			return append(le.AppendUint16(dst, uint16(len(v.s))), v.s...), nil
		}
	case tds.Decimal:
		return encodeDecimal(dst, t, v), nil
	}
	if isUnicode(t.Kind) {
		return tds.AppendValue(dst, rawForm(t), appendUTF16([]byte{}, v.s))
	}
	return tds.AppendValue(dst, t, toGo(t, v))
}

func decodeDecimal(b []byte) value {
	le := make([]byte, len(b)-1)
	for i := range le {
		le[i] = b[len(b)-1-i]
	}
	var v value
	if len(le) <= 4 {
		v.i = int64(binary.BigEndian.Uint32(le))
	} else {
		v = decValue(new(big.Int).SetBytes(le))
	}
	if b[0] == 0 { // 1 is positive
		if v.x != nil {
			return decValue(new(big.Int).Neg(v.dec()))
		}
		v.i = -v.i
	}
	return v
}

func encodeDecimal(dst []byte, t tds.Type, v value) []byte {
	size := storedLen(t) - 1
	n := v.dec()
	sign := byte(1)
	if n.Sign() < 0 {
		sign = 0
	}
	var be [16]byte
	n.FillBytes(be[:])
	dst = append(dst, byte(size+1), sign)
	for i := range size {
		dst = append(dst, be[15-i])
	}
	return dst
}

// ticksPerSecond and epochSeconds relate clTime values to time.Time.
const (
	ticksPerSecond = 10_000_000
	ticksPerDay    = 24 * 3600 * ticksPerSecond
	epochSeconds   = -62135596800 // 0001-01-01 in Unix time
)

func ticksOf(t time.Time) int64 {
	return (t.Unix()-epochSeconds)*ticksPerSecond + int64(t.Nanosecond()/100)
}

func timeOf(ticks int64) time.Time {
	sec := ticks / ticksPerSecond
	return time.Unix(sec+epochSeconds, ticks%ticksPerSecond*100).UTC()
}

// wallTicks counts what the clock and calendar of t show.
func wallTicks(t time.Time) int64 {
	_, off := t.Zone()
	return ticksOf(t) + int64(off)*ticksPerSecond
}

// toGo gives the natural Go value that package tds takes; nil is NULL.
func toGo(t tds.Type, v value) any {
	if v.null {
		return nil
	}
	switch classOf(t.Kind) {
	case clInt:
		if t.Kind == tds.Bit {
			return v.i != 0
		}
		return v.i
	case clFloat:
		return v.f
	case clDec:
		return decimalString(v, scaleOf(t))
	case clTime:
		switch t.Kind {
		case tds.DateTimeOffset:
			return timeOf(v.i).In(time.FixedZone("", int(v.off)*60))
		case tds.Time:
			return timeOf(v.i)
		}
		return timeOf(v.i)
	case clStr:
		return v.s
	case clGUID:
		return [16]byte([]byte(v.s))
	case clVariant:
		x := v.x.(*variant)
		return tds.VariantValue{Type: x.typ, Value: toGo(x.typ, x.val)}
	}
	return []byte(v.s)
}

// fromGo takes a Go value as a value of type t. Beside the natural form it
// takes other integer types, strings for most types, and time.Time.
func fromGo(t tds.Type, a any) (value, error) {
	if a == nil {
		return nullValue, nil
	}
	cl := classOf(t.Kind)
	switch x := a.(type) {
	case bool:
		if cl == clInt {
			return bitValue(x), nil
		}
	case int:
		return fromGo(t, int64(x))
	case int32:
		return fromGo(t, int64(x))
	case uint8:
		return fromGo(t, int64(x))
	case int64:
		switch cl {
		case clInt, clDec, clFloat:
			return convert(intValue(x), tds.Type{Kind: tds.BigInt}, t, 0)
		}
	case float64:
		if cl == clFloat || cl == clDec {
			return convert(floatValue(x), tds.Type{Kind: tds.Float}, t, 0)
		}
	case string:
		switch cl {
		case clStr:
			return strValue(x), nil
		case clBin:
			return strValue(x), nil
		case clDec, clTime, clGUID:
			return convert(strValue(x), tds.Type{Kind: tds.NVarChar, Len: tds.MaxLen}, t, 0)
		}
	case []byte:
		if cl == clBin || cl == clGUID && len(x) == 16 {
			return strValue(string(x)), nil
		}
	case [16]byte:
		if cl == clGUID {
			return strValue(string(x[:])), nil
		}
	case time.Time:
		switch t.Kind {
		case tds.DateTimeOffset:
			_, off := x.Zone()
			return value{i: ticksOf(x), off: int16(off / 60)}, nil
		case tds.Time:
			return value{i: wallTicks(x) % ticksPerDay}, nil
		case tds.Date:
			n := wallTicks(x)
			return value{i: n - n%ticksPerDay}, nil
		}
		if cl == clTime {
			n, ok := roundTime(wallTicks(x), t)
			if !ok {
				return value{}, errorf(242, "%v is out of the range of %s.", x, typeText(t))
			}
			return value{i: n}, nil
		}
	case tds.VariantValue:
		if x.Value == nil {
			return nullValue, nil
		}
		v, err := fromGo(x.Type, x.Value)
		return value{x: &variant{x.Type, v}}, err
	}
	return value{}, fmt.Errorf("a Go value of type %T does not fit the SQL type %s", a, typeText(t))
}
