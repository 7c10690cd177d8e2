package tds_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidemark/internal/mssqltest/tds"
)

func day(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

// golden holds one value of every type and its bytes in a ROW token, worked
// out by hand from the layouts of MS-TDS 2.2.5.5.
var golden = []struct {
	t   tds.Type
	v   any
	hex string
}{
	{tds.Type{Kind: tds.Bit}, true, "01 01"},
	{tds.Type{Kind: tds.Bit}, false, "01 00"},
	{tds.Type{Kind: tds.Bit}, nil, "00"},
	{tds.Type{Kind: tds.TinyInt}, int64(255), "01 FF"},
	{tds.Type{Kind: tds.SmallInt}, int64(-2), "02 FEFF"},
	{tds.Type{Kind: tds.Int}, int64(-2147483648), "04 00000080"},
	{tds.Type{Kind: tds.BigInt}, int64(1), "08 0100000000000000"},
	{tds.Type{Kind: tds.Real}, 1.5, "04 0000C03F"},
	{tds.Type{Kind: tds.Float}, 1.5, "08 000000000000F83F"},
	{tds.Type{Kind: tds.SmallMoney}, "-1.0000", "04 F0D8FFFF"},
	{tds.Type{Kind: tds.Money}, "1.0000", "08 00000000 10270000"},
	{tds.Type{Kind: tds.Money}, "-922337203685477.5808", "08 00000080 00000000"},
	{tds.Type{Kind: tds.Money}, "922337203685477.5807", "08 FFFFFF7F FFFFFFFF"},
	{tds.Type{Kind: tds.Decimal, Prec: 5, Scale: 2}, "-123.45", "05 00 39300000"},
	{tds.Type{Kind: tds.Decimal, Prec: 9, Scale: 4}, "0.0001", "05 01 01000000"},
	{tds.Type{Kind: tds.Decimal, Prec: 18, Scale: 0}, "1", "09 01 0100000000000000"},
	{tds.Type{Kind: tds.Decimal, Prec: 28, Scale: 0}, "18446744073709551616", "0D 01 0000000000000000 01000000"},
	{tds.Type{Kind: tds.Decimal, Prec: 38, Scale: 0}, strings.Repeat("9", 38), "11 01 FFFFFFFF3F228A097AC4865AA84C3B4B"},
	{tds.Type{Kind: tds.Date}, day(1, 1, 1), "03 000000"},
	{tds.Type{Kind: tds.Date}, day(1900, 1, 1), "03 5B950A"},
	{tds.Type{Kind: tds.Date}, day(9999, 12, 31), "03 DAB937"},
	{tds.Type{Kind: tds.Time, Scale: 0}, day(1, 1, 1).Add(86399 * time.Second), "03 7F5101"},
	{tds.Type{Kind: tds.Time, Scale: 3}, day(1, 1, 1).Add(time.Millisecond), "04 01000000"},
	{tds.Type{Kind: tds.Time, Scale: 7}, day(1, 1, 1).Add(100), "05 0100000000"},
	{tds.Type{Kind: tds.SmallDateTime}, day(1900, 1, 2).Add(time.Hour), "04 0100 3C00"},
	{tds.Type{Kind: tds.DateTime}, day(1753, 1, 1), "08 462EFFFF 00000000"},
	{tds.Type{Kind: tds.DateTime}, day(1900, 1, 1).Add(997 * time.Millisecond), "08 00000000 2B010000"},
	{tds.Type{Kind: tds.DateTime2, Scale: 7}, day(1900, 1, 1).Add(12345600), "08 40E2010000 5B950A"},
	{tds.Type{Kind: tds.DateTimeOffset, Scale: 7}, time.Date(1900, 1, 1, 1, 0, 0, 0, time.FixedZone("", 3600)), "0A 0000000000 5B950A 3C00"},
	{tds.Type{Kind: tds.DateTimeOffset, Scale: 0}, time.Date(1900, 1, 1, 0, 0, 0, 0, time.FixedZone("", -5400)), "08 181500 5B950A A6FF"},
	{tds.Type{Kind: tds.Char, Len: 3}, "a  ", "0300 612020"},
	{tds.Type{Kind: tds.VarChar, Len: 10}, "€é", "0200 80E9"},
	{tds.Type{Kind: tds.VarChar, Len: 10}, "", "0000"},
	{tds.Type{Kind: tds.VarChar, Len: 10}, nil, "FFFF"},
	{tds.Type{Kind: tds.NChar, Len: 2}, "a ", "0400 61002000"},
	{tds.Type{Kind: tds.NVarChar, Len: 10}, "é😀", "0600 E900 3DD8 00DE"},
	{tds.Type{Kind: tds.Binary, Len: 2}, []byte{1, 0}, "0200 0100"},
	{tds.Type{Kind: tds.VarBinary, Len: 2}, []byte{}, "0000"},
	{tds.Type{Kind: tds.RowVersion}, []byte{0, 0, 0, 0, 0, 0, 7, 209}, "0800 00000000000007D1"},
	{tds.Type{Kind: tds.UniqueIdentifier}, [16]byte{1, 2, 3, 15: 16}, "10 01020300000000000000000000000010"},
	{tds.Type{Kind: tds.VarChar, Len: tds.MaxLen}, "ab", "0200000000000000 02000000 6162 00000000"},
	{tds.Type{Kind: tds.NVarChar, Len: tds.MaxLen}, "", "0000000000000000 00000000"},
	{tds.Type{Kind: tds.VarBinary, Len: tds.MaxLen}, nil, "FFFFFFFFFFFFFFFF"},
	{tds.Type{Kind: tds.XML}, "<a/>", "0800000000000000 08000000 3C0061002F003E00 00000000"},
	{tds.Type{Kind: tds.UDT, Name: "hierarchyid"}, []byte{0x58}, "0100000000000000 01000000 58 00000000"},
	{tds.Type{Kind: tds.Text}, "a", "10 00000000000000000000000000000000 0000000000000000 01000000 61"},
	{tds.Type{Kind: tds.NText}, nil, "00"},
	{tds.Type{Kind: tds.Image}, []byte{}, "10 00000000000000000000000000000000 0000000000000000 00000000"},
	{tds.Type{Kind: tds.Variant}, nil, "00000000"},
	{tds.Type{Kind: tds.Variant}, tds.VariantValue{Type: tds.Type{Kind: tds.Int}, Value: int64(7)}, "06000000 38 00 07000000"},
	{tds.Type{Kind: tds.Variant}, tds.VariantValue{Type: tds.Type{Kind: tds.Decimal, Prec: 5, Scale: 2}, Value: "-1.00"}, "09000000 6A 02 0502 00 64000000"},
	{tds.Type{Kind: tds.Variant}, tds.VariantValue{Type: tds.Type{Kind: tds.NVarChar, Len: 4}, Value: "a"}, "0B000000 E7 07 0904D00034 0800 6100"},
	{tds.Type{Kind: tds.Variant}, tds.VariantValue{Type: tds.Type{Kind: tds.DateTime2, Scale: 7}, Value: day(1900, 1, 1)}, "0B000000 2A 01 07 0000000000 5B950A"},
	{tds.Type{Kind: tds.Variant}, tds.VariantValue{Type: tds.Type{Kind: tds.VarBinary, Len: 8}, Value: []byte{1}}, "05000000 A5 02 0800 01"},
}

func TestGoldenValues(t *testing.T) {
	for _, g := range golden {
		want, err := hex.DecodeString(strings.ReplaceAll(g.hex, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		got, err := tds.AppendValue([]byte{0xAA}, g.t, g.v)
		if err != nil {
			t.Errorf("%v %v: %v", g.t, g.v, err)
			continue
		}
		if diff := cmp.Diff(want, got[1:]); diff != "" || got[0] != 0xAA {
			t.Errorf("%v %v: % X, want % X", g.t, g.v, got[1:], want)
		}
		if n := tds.ValueLen(g.t, append(want, 0xEE, 0xEE)); n != len(want) {
			t.Errorf("%v %v: length %d, want %d", g.t, g.v, n, len(want))
		}
		for cut := range want {
			if n := tds.ValueLen(g.t, want[:cut]); n != -1 {
				t.Errorf("%v %v cut to %d bytes has length %d", g.t, g.v, cut, n)
			}
		}
		back, err := tds.DecodeValue(g.t, want)
		if err != nil || !same(g.v, back) {
			t.Errorf("%v: decoded %v (%v), want %v", g.t, back, err, g.v)
		}
	}
}

// same compares values; times by their instant and offset.
func same(a, b any) bool {
	return cmp.Equal(a, b, cmp.Comparer(func(x, y time.Time) bool {
		_, ox := x.Zone()
		_, oy := y.Zone()
		return x.Equal(y) && ox == oy
	}))
}

func TestValuesPadAndCut(t *testing.T) {
	for _, c := range []struct {
		t       tds.Type
		in, out any
	}{
		{tds.Type{Kind: tds.Char, Len: 3}, "a", "a  "},
		{tds.Type{Kind: tds.NChar, Len: 3}, "a", "a  "},
		{tds.Type{Kind: tds.Binary, Len: 3}, []byte{1}, []byte{1, 0, 0}},
		{tds.Type{Kind: tds.VarChar, Len: 9}, "aЖb", "a?b"},
		{tds.Type{Kind: tds.Decimal, Prec: 5, Scale: 3}, "+.5", "0.500"},
		{tds.Type{Kind: tds.Decimal, Prec: 5, Scale: 1}, "0001.5000", "1.5"},
		{tds.Type{Kind: tds.Decimal, Prec: 5, Scale: 1}, "-0.0", "0.0"},
		{tds.Type{Kind: tds.Money}, "-.1", "-0.1000"},
		{tds.Type{Kind: tds.Time, Scale: 1}, day(2020, 5, 5).Add(99 * time.Millisecond), day(1, 1, 1)},
		{tds.Type{Kind: tds.DateTime}, day(2020, 1, 1).Add(-time.Millisecond), day(2020, 1, 1)},
	} {
		b, err := tds.AppendValue(nil, c.t, c.in)
		if err != nil {
			t.Errorf("%v %v: %v", c.t, c.in, err)
			continue
		}
		if got, err := tds.DecodeValue(c.t, b); err != nil || !same(got, c.out) {
			t.Errorf("%v %v: %v (%v), want %v", c.t, c.in, got, err, c.out)
		}
	}
}

func TestValuesRefused(t *testing.T) {
	for _, c := range []struct {
		t tds.Type
		v any
	}{
		{tds.Type{Kind: tds.Int}, "1"},
		{tds.Type{Kind: tds.Int}, int64(1) << 31},
		{tds.Type{Kind: tds.SmallInt}, int64(-32769)},
		{tds.Type{Kind: tds.TinyInt}, int64(-1)},
		{tds.Type{Kind: tds.Decimal, Prec: 3, Scale: 1}, "100"},
		{tds.Type{Kind: tds.Decimal, Prec: 3, Scale: 1}, "1.23"},
		{tds.Type{Kind: tds.Decimal, Prec: 38}, strings.Repeat("9", 39)},
		{tds.Type{Kind: tds.Decimal, Prec: 3, Scale: 1}, ""},
		{tds.Type{Kind: tds.Decimal, Prec: 3, Scale: 1}, "1e2"},
		{tds.Type{Kind: tds.Money}, "922337203685477.5808"},
		{tds.Type{Kind: tds.SmallMoney}, "214748.3648"},
		{tds.Type{Kind: tds.Date}, day(10000, 1, 1)},
		{tds.Type{Kind: tds.DateTime}, day(1752, 12, 31)},
		{tds.Type{Kind: tds.SmallDateTime}, day(2079, 6, 7)},
		{tds.Type{Kind: tds.VarChar, Len: 1}, "ab"},
		{tds.Type{Kind: tds.NVarChar, Len: 1}, "😀"},
		{tds.Type{Kind: tds.RowVersion}, []byte{1}},
		{tds.Type{Kind: tds.UniqueIdentifier}, []byte{1}},
		{tds.Type{Kind: tds.Variant}, int64(1)},
		{tds.Type{Kind: tds.Variant}, tds.VariantValue{Type: tds.Type{Kind: tds.XML}, Value: "<a/>"}},
	} {
		if b, err := tds.AppendValue(nil, c.t, c.v); err == nil {
			t.Errorf("%v took %v: % x", c.t, c.v, b)
		}
	}
}

// Any bytes either decode to a value that encodes and decodes to itself, or
// are an error; never a panic.
func TestDecodeAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := golden[rapid.IntRange(0, len(golden)-1).Draw(t, "type")].t
		b := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")
		if n := tds.ValueLen(typ, b); n > len(b) {
			t.Fatalf("%v: length %d of %d bytes", typ, n, len(b))
		}
		_, _ = tds.DecodeValue(typ, b)
	})
}

func TestAppendValueDoesNotAllocate(t *testing.T) {
	var buf [64]byte
	for _, c := range golden {
		if n := testing.AllocsPerRun(100, func() {
			if len(c.hex) < 2*len(buf) {
				b, _ := tds.AppendValue(buf[:0], c.t, c.v)
				_ = tds.ValueLen(c.t, b)
			}
		}); n > 0 {
			t.Errorf("%v allocates %v times", c.t, n)
		}
	}
}
