package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// CheckValue reports whether raw is the wire form of a value of type t that
// is not null: see the package's list of forms. Each value has one form
// (decimals and times with all their digits), so that equal values have equal
// bytes; only the escapes of a string are free. Lengths of character and
// binary values are held against t.
func CheckValue(t Type, raw []byte) error {
	switch t.Kind {
	case Bit:
		if string(raw) != "true" && string(raw) != "false" {
			return wrong(t, raw)
		}
	case TinyInt:
		return checkInt(t, raw, 0, math.MaxUint8)
	case SmallInt:
		return checkInt(t, raw, math.MinInt16, math.MaxInt16)
	case Int:
		return checkInt(t, raw, math.MinInt32, math.MaxInt32)
	case BigInt:
		s, err := plain(t, raw)
		if err != nil {
			return err
		}
		return checkInt(t, s, math.MinInt64, math.MaxInt64)
	case Real:
		return checkFloat(t, raw, 32)
	case Float:
		return checkFloat(t, raw, 64)
	case Decimal, Money, SmallMoney:
		return checkDecimal(t, raw)
	case Date, Time, SmallDateTime, DateTime, DateTime2, DateTimeOffset:
		return checkTime(t, raw)
	case Char, VarChar, NChar, NVarChar, XML:
		return checkText(t, raw)
	case Binary, VarBinary, HierarchyID, Geometry, Geography:
		return checkBinary(t, raw)
	case UniqueIdentifier:
		return checkGUID(t, raw)
	case Variant:
		return checkVariant(t, raw)
	default:
		return fmt.Errorf("type %s is not known", t)
	}
	return nil
}

// wrong is the error for a raw value that t does not have. Values can be
// large and private: only their beginning is repeated.
func wrong(t Type, raw []byte) error {
	const shown = 40
	if len(raw) > shown {
		return fmt.Errorf("%.*s... is not the form of a %s", shown, raw, t)
	}
	return fmt.Errorf("%s is not the form of a %s", raw, t)
}

// plain returns what is between the quotes of a string without escapes.
func plain(t Type, raw []byte) ([]byte, error) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' || !isPlain(raw) {
		return nil, wrong(t, raw)
	}
	return raw[1 : len(raw)-1], nil
}

func checkInt(t Type, raw []byte, low, high int64) error {
	s := raw
	if len(s) > 0 && s[0] == '-' {
		s = s[1:]
	}
	if digits(s) != len(s) || len(s) == 0 || len(s) > 1 && s[0] == '0' || string(raw) == "-0" {
		return wrong(t, raw)
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < low || n > high {
		return fmt.Errorf("%.40s is out of the range of %s", raw, t)
	}
	return nil
}

func checkFloat(t Type, raw []byte, bits int) error {
	if !isNumber(raw) {
		return wrong(t, raw)
	}
	if _, err := strconv.ParseFloat(string(raw), bits); err != nil {
		return fmt.Errorf("%.40s is out of the range of %s", raw, t)
	}
	return nil
}

func checkDecimal(t Type, raw []byte) error {
	s, err := plain(t, raw)
	if err != nil {
		return err
	}
	negative := len(s) > 0 && s[0] == '-'
	if negative {
		s = s[1:]
	}
	whole := digits(s)
	scale := t.FractionDigits()
	if whole == 0 || whole > 1 && s[0] == '0' || negative && len(bytes.Trim(s, "0.")) == 0 {
		return wrong(t, raw)
	}
	if frac := s[whole:]; scale == 0 && len(frac) != 0 ||
		scale > 0 && (len(frac) != scale+1 || frac[0] != '.' || digits(frac[1:]) != scale) {
		return wrong(t, raw)
	}
	wholeMax := int(t.Precision) - scale
	switch t.Kind {
	case Money:
		wholeMax = 15
	case SmallMoney:
		wholeMax = 6
	}
	if whole > wholeMax && (whole != 1 || s[0] != '0') {
		return fmt.Errorf("%.60s is out of the range of %s", raw, t)
	}
	return nil
}

func checkText(t Type, raw []byte) error {
	if len(raw) < 2 || raw[0] != '"' {
		return wrong(t, raw)
	}
	if t.Kind == XML || t.Len == MaxLen || len(raw)-2 <= t.Len {
		return nil
	}
	s, err := Unquote(nil, raw)
	if err != nil {
		return err
	}
	n := 0 // n(var)char counts UTF-16 units; (var)char bytes of a code page, never fewer than characters
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		s = s[size:]
		if t.Kind == NChar || t.Kind == NVarChar {
			n += utf16.RuneLen(r)
		} else {
			n++
		}
	}
	if n > t.Len {
		return fmt.Errorf("a text of %d characters does not fit %s", n, t)
	}
	return nil
}

func checkBinary(t Type, raw []byte) error {
	s, err := plain(t, raw)
	if err != nil {
		return err
	}
	if len(s)%4 != 0 {
		return wrong(t, raw)
	}
	pad := len(s) - len(bytes.TrimRight(s, "="))
	for _, c := range s[:len(s)-pad] {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '+' && c != '/' {
			return wrong(t, raw)
		}
	}
	if pad > 0 { // the last group alone can have padding and stray bits
		var last [3]byte
		if _, err := base64.StdEncoding.Strict().Decode(last[:], s[len(s)-4:]); err != nil {
			return wrong(t, raw)
		}
	}
	if n := len(s)/4*3 - pad; t.hasLen() && t.Len != MaxLen && n > t.Len {
		return fmt.Errorf("%d bytes do not fit %s", n, t)
	}
	return nil
}

// hexLower has 0 for the digits of a GUID's text form and 1 for all else.
var hexLower = func() (t [256]byte) {
	for i := range t {
		t[i] = 1
	}
	for _, c := range []byte(hexDigits) {
		t[c] = 0
	}
	return t
}()

func checkGUID(t Type, raw []byte) error {
	if len(raw) != 38 {
		return wrong(t, raw)
	}
	s := (*[38]byte)(raw) // with its quotes
	bad := (s[0] ^ '"') | (s[9] ^ '-') | (s[14] ^ '-') | (s[19] ^ '-') | (s[24] ^ '-') | (s[37] ^ '"')
	for _, c := range s[1:9] {
		bad |= hexLower[c]
	}
	for i := 10; i < 25; i += 5 {
		for _, c := range s[i : i+4] {
			bad |= hexLower[c]
		}
	}
	for _, c := range s[25:37] {
		bad |= hexLower[c]
	}
	if bad != 0 {
		return wrong(t, raw)
	}
	return nil
}

// A VariantValue is the wire form of a sql_variant.
type VariantValue struct {
	Type  Type            `json:"t"`
	Value json.RawMessage `json:"v"`
}

func checkVariant(t Type, raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var v VariantValue
	if err := d.Decode(&v); err != nil {
		return fmt.Errorf("%w: %w", wrong(t, raw), err)
	}
	switch {
	case v.Type.Kind == 0 || len(v.Value) == 0:
		return wrong(t, raw)
	case v.Type.Kind == Variant || v.Type.Kind == XML || v.Type.Len == MaxLen:
		return errors.New("a sql_variant holds no " + v.Type.String())
	}
	return CheckValue(v.Type, v.Value)
}
