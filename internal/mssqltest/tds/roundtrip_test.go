package tds_test

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidemark/internal/mssqltest/tds"
)

// Every value of a type comes back as it went in.
func TestValuesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ, v := anyValue(t)
		b, err := tds.AppendValue(nil, typ, v)
		if err != nil {
			t.Fatalf("%v %v: %v", typ, v, err)
		}
		if n := tds.ValueLen(typ, b); n != len(b) {
			t.Fatalf("%v %v: length %d of %d bytes", typ, v, n, len(b))
		}
		if got, err := tds.DecodeValue(typ, b); err != nil || !same(v, got) {
			t.Fatalf("%v: %v came back as %v (%v)", typ, v, got, err)
		}
	})
}

func anyValue(t *rapid.T) (tds.Type, any) {
	scale := rapid.Uint8Range(0, 7).Draw(t, "scale")
	kind := rapid.SampledFrom([]tds.Kind{tds.BigInt, tds.Float, tds.Money, tds.Decimal, tds.Date, tds.Time, tds.DateTime2,
		tds.DateTimeOffset, tds.DateTime, tds.NVarChar, tds.NText, tds.VarBinary, tds.Image, tds.Variant}).Draw(t, "kind")
	if kind == tds.Variant {
		base := tds.Type{Kind: tds.Decimal, Prec: 38, Scale: scale}
		return tds.Type{Kind: kind}, tds.VariantValue{Type: base, Value: decimal(t, 38, int(scale))}
	}
	typ := tds.Type{Kind: kind}
	switch kind {
	case tds.BigInt:
		return typ, rapid.Int64().Draw(t, "n")
	case tds.Float:
		return typ, rapid.Float64().Draw(t, "f")
	case tds.Money:
		return typ, decimal(t, 18, 4)
	case tds.Decimal:
		typ.Prec = rapid.Uint8Range(1, 38).Draw(t, "precision")
		typ.Scale = rapid.Uint8Range(0, typ.Prec).Draw(t, "digits after the point")
		return typ, decimal(t, int(typ.Prec), int(typ.Scale))
	case tds.NVarChar, tds.VarBinary:
		typ.Len = rapid.SampledFrom([]int{400, tds.MaxLen}).Draw(t, "length")
	}
	switch kind {
	case tds.NVarChar, tds.NText:
		return typ, rapid.StringN(0, 200, -1).Draw(t, "text")
	case tds.VarBinary, tds.Image:
		return typ, rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "bytes")
	}
	return moment(t, typ, scale)
}

// decimal is a number of at most prec digits, scale of them after the point.
func decimal(t *rapid.T, prec, scale int) string {
	digits := rapid.StringOfN(rapid.RuneFrom([]rune("0123456789")), 1, prec, -1).Draw(t, "digits")
	n, _ := new(big.Int).SetString(digits, 10)
	s := n.String()
	if len(s) <= scale {
		s = strings.Repeat("0", scale+1-len(s)) + s
	}
	if scale > 0 {
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if n.Sign() > 0 && rapid.Bool().Draw(t, "negative") {
		s = "-" + s
	}
	return s
}

// moment is a time that the type holds without loss.
func moment(t *rapid.T, typ tds.Type, scale uint8) (tds.Type, time.Time) {
	at := day(1, 1, 1)
	if typ.Kind != tds.Time {
		at = day(rapid.IntRange(1753, 9998).Draw(t, "year"), 1, 1).AddDate(0, 0, rapid.IntRange(0, 364).Draw(t, "day"))
	}
	unit := 24 * time.Hour
	switch typ.Kind {
	case tds.DateTime:
		unit = 10 * time.Millisecond
	case tds.Time, tds.DateTime2, tds.DateTimeOffset:
		typ.Scale = scale
		unit = time.Second
		for range scale {
			unit /= 10
		}
	}
	at = at.Add(unit * time.Duration(rapid.Int64Range(0, int64(24*time.Hour/unit)-1).Draw(t, "time of day")))
	if typ.Kind == tds.DateTimeOffset {
		at = at.In(time.FixedZone("", 60*rapid.IntRange(-14*60, 14*60).Draw(t, "offset")))
	}
	return typ, at
}
