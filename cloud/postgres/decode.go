package postgres

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"

	"tidemark/internal/wire"
)

// appendWire appends the wire form of a value that Postgres sent as text
// under the session's settings (ISO dates, UTC, hexadecimal bytea, shortest
// floats); nil is null. The column may be wider than t: digits are padded
// with zeros and cut to t's.
func appendWire(dst []byte, t wire.Type, s []byte) ([]byte, error) {
	if s == nil {
		return append(dst, "null"...), nil
	}
	switch t.Kind {
	case wire.Bit:
		return strconv.AppendBool(dst, len(s) > 0 && s[0] == 't'), nil
	case wire.TinyInt, wire.SmallInt, wire.Int, wire.Variant:
		return append(dst, s...), nil
	case wire.Real:
		return appendFloat(dst, s, 32)
	case wire.Float:
		return appendFloat(dst, s, 64)
	case wire.Char, wire.VarChar, wire.NChar, wire.NVarChar, wire.XML:
		return wire.AppendString(dst, s), nil
	case wire.Binary, wire.VarBinary, wire.HierarchyID, wire.Geometry, wire.Geography:
		return appendBase64(dst, s)
	case wire.Decimal, wire.Money, wire.SmallMoney:
		dst = append(dst, '"')
		dst = appendFraction(dst, s, t.FractionDigits())
		return append(dst, '"'), nil
	case wire.Time, wire.SmallDateTime, wire.DateTime, wire.DateTime2, wire.DateTimeOffset:
		dst = append(dst, '"')
		dst = appendTime(dst, t, s)
		return append(dst, '"'), nil
	}
	dst = append(dst, '"') // bigint, date, uniqueidentifier
	dst = append(dst, s...)
	return append(dst, '"'), nil
}

// appendFloat writes a float as the agent does: the shortest digits that read
// back as the same, with an exponent below 1e-6 and from 1e21.
func appendFloat(dst, s []byte, bits int) ([]byte, error) {
	f, err := strconv.ParseFloat(string(s), bits)
	if err != nil {
		return dst, err
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits), nil
}

func appendBase64(dst, s []byte) ([]byte, error) {
	digits, ok := bytes.CutPrefix(s, []byte(`\x`))
	if !ok {
		return dst, fmt.Errorf("bytea %.20q is not in hexadecimal form", s)
	}
	b, err := hex.AppendDecode(nil, digits)
	if err != nil {
		return dst, err
	}
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"'), nil
}

// appendTime writes a time of any kind: "T" between date and time, the
// type's digits, and an offset with minutes.
func appendTime(dst []byte, t wire.Type, s []byte) []byte {
	if t.Kind != wire.Time && len(s) > len("2006-01-02") {
		dst = append(dst, s[:len("2006-01-02")]...)
		dst = append(dst, 'T')
		s = s[len("2006-01-02 "):]
	}
	offset := s[:0]
	if t.Kind == wire.DateTimeOffset {
		if i := bytes.LastIndexAny(s, "+-"); i >= 0 {
			s, offset = s[:i], s[i:]
		}
	}
	dst = appendFraction(dst, s, t.FractionDigits())
	dst = append(dst, offset...)
	if len(offset) == len("+00") {
		dst = append(dst, ":00"...)
	}
	return dst
}

// appendFraction writes s with exactly n digits after the point.
func appendFraction(dst, s []byte, n int) []byte {
	whole, fraction, _ := bytes.Cut(s, []byte("."))
	dst = append(dst, whole...)
	if n == 0 {
		return dst
	}
	dst = append(dst, '.')
	dst = append(dst, fraction[:min(n, len(fraction))]...)
	for i := len(fraction); i < n; i++ {
		dst = append(dst, '0')
	}
	return dst
}
