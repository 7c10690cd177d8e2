package postgres

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"tidemark/internal/wire"
)

// form is how a column's wire value becomes the text that Postgres reads.
// Values have passed wire.CheckValue, so a form only has to move bytes.
type form uint8

const (
	formBare form = iota // integers: as they are
	formReal             // floats: as they are, unless Postgres could see an underflow
	formFloat
	formQuoted  // strings without escapes: what is between the quotes
	formBool    // t, f
	formText    // characters
	formBytes   // base64 to \x and hexadecimal digits
	formMoment  // datetimeoffset: within the years of the wire, the seventh digit dropped
	formCutTime // seven digits after the seconds: the last is dropped
	formKeyTime // times kept as text: without zeros at the end of the fraction
	formVariant // an object in its one spelling
)

// formOf returns the form of a column that the customer declared as t. Text
// tells that the column is a key's and text in Postgres.
func formOf(t wire.Type, text bool) form {
	switch t.Kind {
	case wire.Bit:
		return formBool
	case wire.TinyInt, wire.SmallInt, wire.Int:
		return formBare
	case wire.Real:
		return formReal
	case wire.Float:
		return formFloat
	case wire.Char, wire.VarChar, wire.NChar, wire.NVarChar, wire.XML:
		return formText
	case wire.Binary, wire.VarBinary, wire.HierarchyID, wire.Geometry, wire.Geography:
		return formBytes
	case wire.Variant:
		return formVariant
	case wire.Time, wire.SmallDateTime, wire.DateTime, wire.DateTime2, wire.DateTimeOffset:
		switch {
		case text:
			return formKeyTime
		case t.Kind == wire.DateTimeOffset:
			return formMoment
		case t.Scale > maxFraction:
			return formCutTime
		}
	}
	return formQuoted
}

// An encoder writes values for Postgres. Its zero value is ready.
type encoder struct {
	text []byte // of the value at hand
}

// field appends raw as a field of COPY's text format (PostgreSQL manual,
// "COPY", File Formats).
func (e *encoder) field(dst []byte, f form, raw []byte) ([]byte, error) {
	if isNull(raw) {
		return append(dst, '\\', 'N'), nil
	}
	switch f {
	case formText, formBytes, formVariant:
		if f == formText && bytes.IndexByte(raw, '\\') < 0 {
			// JSON allows no control character here: nothing to escape.
			return append(dst, raw[1:len(raw)-1]...), nil
		}
		var err error
		if e.text, err = appendText(e.text[:0], f, raw); err != nil {
			return dst, err
		}
		return appendEscaped(dst, e.text), nil
	}
	return appendText(dst, f, raw)
}

// isNull needs no more than the first letter: no other value begins so.
func isNull(raw []byte) bool { return raw[0] == 'n' }

// appendText appends the text of a value that is not null.
func appendText(dst []byte, f form, raw []byte) ([]byte, error) {
	switch f {
	case formBare:
		return append(dst, raw...), nil
	case formReal:
		return appendFloatText(dst, raw, 32), nil
	case formFloat:
		return appendFloatText(dst, raw, 64), nil
	case formBool:
		return append(dst, raw[0]), nil
	case formText:
		return wire.Unquote(dst, raw)
	case formBytes:
		return appendHex(dst, raw[1:len(raw)-1])
	case formVariant:
		return appendVariant(dst, raw)
	}
	s := raw[1 : len(raw)-1]
	switch f {
	case formMoment:
		return appendMoment(dst, s)
	case formCutTime:
		return appendCutTime(dst, s), nil
	case formKeyTime:
		return appendTrimmedTime(dst, s), nil
	}
	return append(dst, s...), nil
}

func appendEscaped(dst, s []byte) []byte {
	for _, c := range s {
		switch c {
		case '\\':
			dst = append(dst, '\\', '\\')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendFloatText writes 0 for a number so small that it is 0, which
// Postgres calls out of range.
func appendFloatText(dst, raw []byte, bits int) []byte {
	const ordinary = 24 // the longest of the shortest forms, "-2.2250738585072014e-308"
	if len(raw) <= ordinary && bytes.LastIndexByte(raw, '-') <= 0 {
		return append(dst, raw...)
	}
	f, err := strconv.ParseFloat(string(raw), bits)
	if err != nil {
		return append(dst, raw...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits)
}

func appendHex(dst, s []byte) ([]byte, error) {
	b, err := base64.StdEncoding.AppendDecode(nil, s)
	if err != nil {
		return dst, err
	}
	return hex.AppendEncode(append(dst, '\\', 'x'), b), nil
}

// errMoment refuses a moment whose year in UTC has no wire form.
var errMoment = errors.New("in UTC it is not in the years 0001 to 9999")

func appendMoment(dst, s []byte) ([]byte, error) {
	if day := string(s[:len("2006-01-02")]); day == "0001-01-01" || day == "9999-12-31" {
		if at, err := time.Parse(time.RFC3339Nano, string(s)); err != nil || at.UTC().Year() < 1 || at.UTC().Year() > 9999 {
			return dst, errMoment
		}
	}
	return appendCutTime(dst, s), nil
}

// appendCutTime drops the 100 ns digit, if there is one behind six others.
func appendCutTime(dst, s []byte) []byte {
	point := bytes.IndexByte(s, '.')
	if point < 0 || len(s) < point+2+maxFraction || s[point+1+maxFraction] < '0' || s[point+1+maxFraction] > '9' {
		return append(dst, s...)
	}
	dst = append(dst, s[:point+1+maxFraction]...)
	return append(dst, s[point+2+maxFraction:]...)
}

// appendTrimmedTime gives times of every scale one spelling, the canonical
// one, so that a widened column finds its rows again.
func appendTrimmedTime(dst, s []byte) []byte {
	point := bytes.IndexByte(s, '.')
	if point < 0 {
		return append(dst, s...)
	}
	end := point + 1
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	keep := point + len(bytes.TrimRight(s[point:end], "0"))
	if keep == point+1 {
		keep = point
	}
	dst = append(dst, s[:keep]...)
	return append(dst, s[end:]...)
}

// appendVariant gives equal values equal text: members in order, no spaces,
// strings with the escapes of wire.AppendString.
func appendVariant(dst, raw []byte) ([]byte, error) {
	var v wire.VariantValue
	if err := json.Unmarshal(raw, &v); err != nil {
		return dst, err
	}
	dst = append(append(append(dst, `{"t":"`...), v.Type.String()...), `","v":`...)
	if v.Value[0] != '"' {
		return append(append(dst, v.Value...), '}'), nil
	}
	s, err := wire.Unquote(nil, v.Value)
	if err != nil {
		return dst, err
	}
	return append(wire.AppendString(dst, s), '}'), nil
}
