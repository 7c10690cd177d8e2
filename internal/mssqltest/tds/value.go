package tds

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// A VariantValue is the Go value of a sql_variant: its base type and the value
// as of that type. MAX, text, ntext, image, xml, rowversion and UDT types
// cannot be stored in a variant.
type VariantValue struct {
	Type  Type
	Value any
}

// A form is how a value is framed in a ROW token (MS-TDS 2.2.5.4).
type form uint8

const (
	byteLen  form = iota // one byte of length, 0 is NULL
	shortLen             // two bytes of length, 0xFFFF is NULL
	plp                  // partially length-prefixed, MS-TDS 2.2.5.2.3
	textPtr              // text pointer, timestamp and four bytes of length
	variant              // four bytes of length, 0 is NULL
)

func (t Type) form() form {
	switch t.Kind {
	case Char, VarChar, NChar, NVarChar, Binary, VarBinary:
		if t.Len == MaxLen {
			return plp
		}
		return shortLen
	case RowVersion:
		return shortLen
	case XML, UDT:
		return plp
	case Text, NText, Image:
		return textPtr
	case Variant:
		return variant
	}
	return byteLen
}

// AppendValue appends v to dst in the bytes of a ROW token, in the nullable
// form of t. A nil v is NULL. The Go types are
//
//	bit                              bool
//	tinyint, smallint, int, bigint   int64
//	real, float                      float64
//	decimal, money, smallmoney       string, plain digits without exponent
//	date, time, datetime...          time.Time
//	char, nchar, text, xml...        string
//	binary, image, rowversion, UDT   []byte
//	uniqueidentifier                 [16]byte in SQL Server's own byte order
//	sql_variant                      VariantValue
//
// Dates and times are taken as their clock shows them (datetimeoffset: the
// instant and its zone); digits beyond the scale are cut, as rounding is the
// caller's. Fixed-length char, nchar and binary are padded. A character that
// code page 1252 lacks becomes a question mark. Any other Go type, and a value
// out of the type's range, is an error.
func AppendValue(dst []byte, t Type, v any) ([]byte, error) {
	if v == nil {
		return appendNull(dst, t), nil
	}
	switch t.form() {
	case byteLen:
		return appendByteLen(dst, t, v)
	case shortLen:
		return appendShort(dst, t, v)
	case plp:
		return appendPLP(dst, t, v)
	case textPtr:
		return appendTextPtr(dst, t, v)
	default:
		return appendVariant(dst, t, v)
	}
}

func appendNull(dst []byte, t Type) []byte {
	switch t.form() {
	case shortLen:
		return append(dst, 0xFF, 0xFF)
	case plp:
		return binary.LittleEndian.AppendUint64(dst, plpNull)
	case variant:
		return append(dst, 0, 0, 0, 0)
	}
	return append(dst, 0)
}

// appendByteLen appends the one length byte and the value.
func appendByteLen(dst []byte, t Type, v any) ([]byte, error) {
	at := len(dst)
	dst, err := appendFixed(append(dst, 0), t, v)
	if err != nil {
		return nil, err
	}
	dst[at] = byte(len(dst) - at - 1)
	return dst, nil
}

// appendFixed appends a value of a byteLen type without its length.
func appendFixed(dst []byte, t Type, v any) ([]byte, error) {
	switch t.Kind {
	case Bit:
		if b, ok := v.(bool); ok {
			if b {
				return append(dst, 1), nil
			}
			return append(dst, 0), nil
		}
	case TinyInt, SmallInt, Int, BigInt:
		if n, ok := v.(int64); ok {
			return appendInt(dst, t, n)
		}
	case Real, Float:
		if f, ok := v.(float64); ok {
			if t.Kind == Real {
				return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f))), nil
			}
			return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), nil
		}
	case Decimal:
		if s, ok := v.(string); ok {
			return appendDecimal(dst, t, s)
		}
	case Money, SmallMoney:
		if s, ok := v.(string); ok {
			return appendMoney(dst, t, s)
		}
	case Date, Time, SmallDateTime, DateTime, DateTime2, DateTimeOffset:
		if tm, ok := v.(time.Time); ok {
			return appendTime(dst, t, tm)
		}
	case UniqueIdentifier:
		if g, ok := v.([16]byte); ok {
			return append(dst, g[:]...), nil
		}
	}
	return nil, mismatch(t, v)
}

func appendInt(dst []byte, t Type, n int64) ([]byte, error) {
	switch {
	case t.Kind == TinyInt && n >= 0 && n <= math.MaxUint8:
		return append(dst, byte(n)), nil
	case t.Kind == SmallInt && n == int64(int16(n)):
		return binary.LittleEndian.AppendUint16(dst, uint16(n)), nil
	case t.Kind == Int && n == int64(int32(n)):
		return binary.LittleEndian.AppendUint32(dst, uint32(n)), nil
	case t.Kind == BigInt:
		return binary.LittleEndian.AppendUint64(dst, uint64(n)), nil
	}
	return nil, fmt.Errorf("tds: %d is out of the range of %v", n, t)
}

func mismatch(t Type, v any) error { return fmt.Errorf("tds: a %T is no value of %v", v, t) }

// ValueLen is the number of bytes, length prefix included, of the value of
// type t at the head of b, or -1 when b does not hold all of it.
func ValueLen(t Type, b []byte) int {
	n := -1
	switch t.form() {
	case byteLen:
		if len(b) >= 1 {
			n = 1 + int(b[0])
		}
	case shortLen:
		if len(b) >= 2 {
			if n = 2; b[0] != 0xFF || b[1] != 0xFF {
				n += int(binary.LittleEndian.Uint16(b))
			}
		}
	case plp:
		return plpLen(b)
	case textPtr:
		n = textPtrLen(b)
	case variant:
		if len(b) >= 4 {
			n = 4 + int(binary.LittleEndian.Uint32(b))
		}
	}
	if n > len(b) {
		return -1
	}
	return n
}
