package tds

import (
	"encoding/binary"
	"fmt"
	"math"
)

// DecodeValue turns the bytes of one value in a ROW token, length prefix
// included, into the Go value that AppendValue takes; NULL is nil. Decimal and
// money have all digits of their scale. Times have the location UTC, those of
// datetimeoffset their own fixed zone; a time without a date is of
// 1 January of the year 1. Byte slices are copies. Bytes that are no value of
// t are an error.
func DecodeValue(t Type, b []byte) (any, error) {
	if ValueLen(t, b) != len(b) {
		return nil, fmt.Errorf("tds: % x is not one whole value of %v", clip(b), t)
	}
	switch t.form() {
	case byteLen:
		if b[0] == 0 {
			return nil, nil
		}
		return decodeFixed(t, b[1:])
	case shortLen:
		if b[0] == 0xFF && b[1] == 0xFF {
			return nil, nil
		}
		return decodeChars(t, b[2:])
	case plp:
		data, null := plpData(b)
		if null {
			return nil, nil
		}
		return decodeChars(t, data)
	case textPtr:
		if b[0] == 0 {
			return nil, nil
		}
		return decodeChars(t, b[1+int(b[0])+8+4:])
	default:
		if len(b) == 4 {
			return nil, nil
		}
		return decodeVariant(b[4:])
	}
}

// decodeFixed decodes a value of a byteLen type from its bytes without length.
func decodeFixed(t Type, b []byte) (any, error) {
	size := len(b)
	switch {
	case t.Kind == Bit && size == 1:
		return b[0] != 0, nil
	case t.Kind == TinyInt && size == 1:
		return int64(b[0]), nil
	case t.Kind == SmallInt && size == 2:
		return int64(int16(binary.LittleEndian.Uint16(b))), nil
	case t.Kind == Int && size == 4:
		return int64(int32(binary.LittleEndian.Uint32(b))), nil
	case t.Kind == BigInt && size == 8:
		return int64(binary.LittleEndian.Uint64(b)), nil
	case t.Kind == Real && size == 4:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), nil
	case t.Kind == Float && size == 8:
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
	case t.Kind == UniqueIdentifier && size == 16:
		return [16]byte(b), nil
	case t.Kind == Decimal:
		return decodeDecimal(t, b)
	case t.Kind == Money || t.Kind == SmallMoney:
		return decodeMoney(t, b)
	case t.Kind >= Date && t.Kind <= DateTimeOffset:
		return decodeTime(t, b)
	}
	return nil, wrongSize(t, b)
}

func wrongSize(t Type, b []byte) error {
	return fmt.Errorf("tds: %d bytes are no value of %v", len(b), t)
}

// clip keeps error messages short.
func clip(b []byte) []byte { return b[:min(len(b), 32)] }
