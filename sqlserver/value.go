package sqlserver

import (
	"database/sql/driver"
	"encoding/base64"
	"encoding/hex"
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
	order := [16]byte{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]}
	dst = append(dst, '"')
	for i, end := 0, 0; i < len(order); i = end {
		switch end = i + 2; i {
		case 0:
			end = 4
		case 10:
			end = 16
		}
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, order[i:end])
	}
	return append(dst, '"')
}

// appendTime writes a date or time with all the digits of its type.
func appendTime(dst []byte, t wire.Type, at time.Time) []byte {
	dst = append(dst, '"')
	if t.Kind != wire.Time {
		year, month, day := at.Date()
		dst = append(digits(dst, year, 4), '-')
		dst = append(digits(dst, int(month), 2), '-')
		dst = digits(dst, day, 2)
		if t.Kind == wire.Date {
			return append(dst, '"')
		}
		dst = append(dst, 'T')
	}
	hour, minute, second := at.Clock()
	dst = append(digits(dst, hour, 2), ':')
	dst = append(digits(dst, minute, 2), ':')
	dst = digits(dst, second, 2)
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
		dst = append(digits(append(dst, sign), offset/3600, 2), ':')
		dst = digits(dst, offset/60%60, 2)
	}
	return append(dst, '"')
}

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
