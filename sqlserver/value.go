package sqlserver

import (
	"database/sql/driver"
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"time"

	"tidemark/internal/wire"
)

// appendValue appends the wire form of a value of type t that the driver
// gave. A value of another Go type than go-mssqldb makes for t means that the
// column is not of type t any more.
func appendValue(dst []byte, t wire.Type, v driver.Value) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case int64:
		switch t.Kind {
		case wire.TinyInt, wire.SmallInt, wire.Int:
			return strconv.AppendInt(dst, v, 10), nil
		case wire.BigInt:
			return append(strconv.AppendInt(append(dst, '"'), v, 10), '"'), nil
		}
	case string:
		switch t.Kind {
		case wire.Char, wire.VarChar, wire.NChar, wire.NVarChar, wire.XML:
			return wire.AppendString(dst, v), nil
		}
	case []byte:
		switch t.Kind {
		case wire.Decimal, wire.Money, wire.SmallMoney:
			return append(append(append(dst, '"'), v...), '"'), nil
		case wire.UniqueIdentifier:
			if len(v) == 16 {
				return appendGUID(dst, v), nil
			}
		case wire.Binary, wire.VarBinary, wire.HierarchyID, wire.Geometry, wire.Geography:
			return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v), '"'), nil
		}
	case time.Time:
		switch t.Kind {
		case wire.Date, wire.Time, wire.SmallDateTime, wire.DateTime, wire.DateTime2, wire.DateTimeOffset:
			return appendTime(dst, t, v), nil
		}
	case bool:
		if t.Kind == wire.Bit {
			return strconv.AppendBool(dst, v), nil
		}
	case float64:
		switch t.Kind {
		case wire.Real:
			return appendFloat(dst, v, 32), nil
		case wire.Float:
			return appendFloat(dst, v, 64), nil
		}
	}
	return dst, fmt.Errorf("%w: a %T is no %s", ErrSchemaChanged, v, t)
}

// appendFloat writes the shortest digits that read back as f, as
// encoding/json does: with an exponent below 1e-6 and from 1e21.
func appendFloat(dst []byte, f float64, bits int) []byte {
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits)
}

// appendGUID writes the text form of a uniqueidentifier, whose first three
// groups are little-endian on the wire (MS-DTYP 2.3.4.2).
func appendGUID(dst, b []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, i := range guidOrder {
		if i < 0 {
			dst = append(dst, '-')
			continue
		}
		dst = append(dst, hex[b[i]>>4], hex[b[i]&15])
	}
	return append(dst, '"')
}

// guidOrder are the bytes in the order of the text; -1 is a dash.
var guidOrder = [...]int{3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15}

// appendTime writes a date or time with all the digits of its type.
func appendTime(dst []byte, t wire.Type, at time.Time) []byte {
	dst = append(dst, '"')
	if t.Kind != wire.Time {
		year, month, day := at.Date()
		dst = append(two(two(dst, year/100), year%100), '-')
		dst = append(two(dst, int(month)), '-')
		dst = two(dst, day)
		if t.Kind == wire.Date {
			return append(dst, '"')
		}
		dst = append(dst, 'T')
	}
	hour, minute, second := at.Clock()
	dst = append(two(dst, hour), ':')
	dst = append(two(dst, minute), ':')
	dst = two(dst, second)
	if n := t.FractionDigits(); n > 0 {
		fraction := at.Nanosecond()
		for range 9 - n {
			fraction /= 10
		}
		dst = digits(append(dst, '.'), fraction, n)
	}
	if t.Kind == wire.DateTimeOffset {
		_, offset := at.Zone()
		sign := byte('+')
		if offset < 0 {
			sign, offset = '-', -offset
		}
		dst = append(two(append(dst, sign), offset/3600), ':')
		dst = two(dst, offset/60%60)
	}
	return append(dst, '"')
}

// two writes n, below 100, with two digits.
func two(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

// digits writes n with width digits, filled with zeros.
func digits(dst []byte, n, width int) []byte {
	at := len(dst) + width
	for range width {
		dst = append(dst, '0')
	}
	for i := at - 1; i >= at-width; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}
