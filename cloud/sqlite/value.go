package sqlite

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// affinity is the declared type of a column: see the package's text and
// https://sqlite.org/datatype3.html.
func affinity(t wire.Type) string {
	switch canon.TagOf(t.Kind) {
	case canon.Integer:
		return "INTEGER"
	case canon.Float:
		return ""
	case canon.Bytes:
		return "BLOB"
	}
	return "TEXT"
}

// hold returns what SQLite holds for a checked value in its wire form.
func hold(t wire.Type, raw []byte) (any, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	switch canon.TagOf(t.Kind) {
	case canon.Integer:
		switch string(raw) {
		case "true":
			return int64(1), nil
		case "false":
			return int64(0), nil
		}
		return strconv.ParseInt(string(bytes.Trim(raw, `"`)), 10, 64)
	case canon.Float:
		return strconv.ParseFloat(string(raw), floatBits(t))
	case canon.Decimal:
		return string(trimFraction(raw[1 : len(raw)-1])), nil
	case canon.Time:
		s := raw[1 : len(raw)-1]
		end := len(s) - offsetLen(t)
		return string(trimFraction(s[:end])) + string(s[end:]), nil
	case canon.String, canon.GUID:
		b, err := wire.Unquote(make([]byte, 0, len(raw)), raw)
		return string(b), err
	case canon.Bytes:
		s := raw[1 : len(raw)-1]
		b := make([]byte, base64.StdEncoding.DecodedLen(len(s)))
		n, err := base64.StdEncoding.Decode(b, s)
		return b[:n], err
	case canon.Variant:
		return holdVariant(raw)
	}
	return nil, fmt.Errorf("type %s cannot be held", t)
}

// holdVariant gives equal values equal bytes: the escapes of a text are free
// on the wire.
func holdVariant(raw []byte) (any, error) {
	var v wire.VariantValue
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	value := []byte(v.Value)
	if canon.TagOf(v.Type.Kind) == canon.String {
		text, err := wire.Unquote(nil, value)
		if err != nil {
			return nil, err
		}
		value = wire.AppendString(nil, text)
	}
	return fmt.Sprintf(`{"t":%q,"v":%s}`, v.Type, value), nil
}

// appendWire appends the wire form that a held value has in a column of type t.
func appendWire(dst []byte, t wire.Type, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case int64:
		switch t.Kind {
		case wire.Bit:
			return strconv.AppendBool(dst, v != 0), nil
		case wire.BigInt:
			return append(strconv.AppendInt(append(dst, '"'), v, 10), '"'), nil
		}
		return strconv.AppendInt(dst, v, 10), nil
	case float64:
		return appendFloat(dst, v, floatBits(t)), nil
	case []byte:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v), '"'), nil
	case string:
		switch canon.TagOf(t.Kind) {
		case canon.Decimal:
			return append(padFraction(append(dst, '"'), v, t.FractionDigits()), '"'), nil
		case canon.Time:
			end := len(v) - offsetLen(t)
			return append(append(padFraction(append(dst, '"'), v[:end], t.FractionDigits()), v[end:]...), '"'), nil
		case canon.Variant:
			return append(dst, v...), nil
		}
		return wire.AppendString(dst, v), nil
	}
	return dst, fmt.Errorf("a %T is held for a %s", v, t)
}

// appendFloat writes the shortest digits that read back as f, with an exponent
// below 1e-6 and from 1e21.
func appendFloat(dst []byte, f float64, bits int) []byte {
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits)
}

func floatBits(t wire.Type) int {
	if t.Kind == wire.Real {
		return 32
	}
	return 64
}

// offsetLen is the length of what stands behind the fraction of a time.
func offsetLen(t wire.Type) int {
	if t.Kind == wire.DateTimeOffset {
		return len("+00:00")
	}
	return 0
}

func trimFraction(s []byte) []byte {
	if bytes.IndexByte(s, '.') < 0 {
		return s
	}
	return bytes.TrimSuffix(bytes.TrimRight(s, "0"), []byte("."))
}

// padFraction appends s with exactly n digits behind the point. A longer
// fraction, from before the column was declared narrower, is cut: a load that
// sends the row anew is under way then.
func padFraction(dst []byte, s string, n int) []byte {
	point := bytes.IndexByte([]byte(s), '.')
	if point < 0 {
		point = len(s)
	}
	dst = append(dst, s[:point]...)
	if n == 0 {
		return dst
	}
	dst = append(dst, '.')
	for i := point + 1; i <= point+n; i++ {
		if i < len(s) {
			dst = append(dst, s[i])
		} else {
			dst = append(dst, '0')
		}
	}
	return dst
}
