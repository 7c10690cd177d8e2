package sqlserver

import (
	"database/sql/driver"
	"errors"
	"math"
	"testing"
	"time"

	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// at makes a time as go-mssqldb does.
func at(text string) time.Time {
	t, err := time.Parse("2006-01-02T15:04:05.999999999Z07:00", text)
	if err != nil {
		panic(err)
	}
	return t
}

// The wire form of every type, from the Go values that go-mssqldb makes.
func TestValues(t *testing.T) {
	guid := []byte{0x5b, 0xad, 0x8f, 0x0f, 0xcb, 0xd9, 0x9f, 0x46, 0xa1, 0x65, 0x70, 0x86, 0x77, 0x28, 0x95, 0x0e}
	tests := []struct {
		typ  string
		v    driver.Value
		want string
	}{
		{"int", nil, "null"},
		{"bit", true, "true"},
		{"bit", false, "false"},
		{"tinyint", int64(255), "255"},
		{"smallint", int64(-32768), "-32768"},
		{"int", int64(-2147483648), "-2147483648"},
		{"bigint", int64(math.MinInt64), `"-9223372036854775808"`},
		{"bigint", int64(9007199254740993), `"9007199254740993"`},
		{"real", float64(float32(0.1)), "0.1"},
		{"real", float64(float32(1e-45)), "1e-45"},
		{"float", 0.1, "0.1"},
		{"float", 1e21, "1e+21"},
		{"float", 123456789.125, "123456789.125"},
		{"float", 5e-324, "5e-324"},
		{"float", math.MaxFloat64, "1.7976931348623157e+308"},
		{"float", math.Copysign(0, -1), "-0"},
		{"smallmoney", []byte("-214748.3648"), `"-214748.3648"`},
		{"money", []byte("922337203685477.5807"), `"922337203685477.5807"`},
		{"decimal(38,38)", []byte("0.99999999999999999999999999999999999999"), `"0.99999999999999999999999999999999999999"`},
		{"decimal(18,0)", []byte("-7"), `"-7"`},
		{"date", at("0001-01-01T00:00:00Z"), `"0001-01-01"`},
		{"date", at("9999-12-31T00:00:00Z"), `"9999-12-31"`},
		{"time(7)", at("0001-01-01T23:59:59.9999999Z"), `"23:59:59.9999999"`},
		{"time(0)", at("0001-01-01T00:00:00Z"), `"00:00:00"`},
		{"smalldatetime", at("2079-06-06T23:59:00Z"), `"2079-06-06T23:59:00"`},
		{"datetime", at("1753-01-01T00:00:00.003Z"), `"1753-01-01T00:00:00.003"`},
		{"datetime", at("9999-12-31T23:59:59.997Z"), `"9999-12-31T23:59:59.997"`},
		{"datetime2(7)", at("2026-11-23T10:00:00.1234567Z"), `"2026-11-23T10:00:00.1234567"`},
		{"datetime2(3)", at("2026-11-23T10:00:00.12Z"), `"2026-11-23T10:00:00.120"`},
		{"datetimeoffset(7)", at("2026-11-23T10:00:00.1234567+02:00"), `"2026-11-23T10:00:00.1234567+02:00"`},
		{"datetimeoffset(0)", at("2026-11-23T10:00:00-09:30"), `"2026-11-23T10:00:00-09:30"`},
		{"datetimeoffset(1)", at("2026-11-23T10:00:00.5Z"), `"2026-11-23T10:00:00.5+00:00"`},
		{"char(5)", "ab   ", `"ab   "`},
		{"varchar(max)", "", `""`},
		{"nchar(2)", "日本", `"日本"`},
		{"nvarchar(20)", "O'Hara \"x\"\\\n\x00😀", `"O'Hara \"x\"\\\n\u0000😀"`},
		{"xml", "<a b=\"c\"/>", `"<a b=\"c\"/>"`},
		{"binary(3)", []byte{0, 1, 255}, `"AAH/"`},
		{"varbinary(max)", []byte{}, `""`},
		{"hierarchyid", []byte{0x58}, `"WA=="`},
		{"geometry", []byte{1, 2}, `"AQI="`},
		{"geography", []byte{1, 2}, `"AQI="`},
		{"uniqueidentifier", guid, `"0f8fad5b-d9cb-469f-a165-70867728950e"`},
	}
	for _, tt := range tests {
		t.Run(tt.typ+" "+tt.want, func(t *testing.T) {
			typ, err := wire.ParseType(tt.typ)
			if err != nil {
				t.Fatal(err)
			}
			got, err := appendValue(nil, typ, tt.v)
			if err != nil || string(got) != tt.want {
				t.Fatalf("got %s, %v, want %s", got, err, tt.want)
			}
			if tt.v == nil {
				return
			}
			if err := wire.CheckValue(typ, got); err != nil {
				t.Error(err)
			}
			if _, err := canon.Append(nil, typ, got); err != nil {
				t.Error(err)
			}
		})
	}
}

// A value of another type is never taken for one of the column's.
func TestForeignValues(t *testing.T) {
	for typ, v := range map[string]driver.Value{
		"int": "7", "bit": int64(1), "nvarchar(5)": []byte("x"), "date": "2026-11-23", "float": int64(1),
		"uniqueidentifier": []byte{1, 2}, "bigint": 1.5, "varbinary(5)": "x", "xml": []byte("<a/>"),
	} {
		parsed, err := wire.ParseType(typ)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := appendValue(nil, parsed, v); !errors.Is(err, ErrSchemaChanged) {
			t.Errorf("%T as %s: got %s, %v", v, typ, got, err)
		}
	}
}

func TestVariants(t *testing.T) {
	tests := []struct {
		v    driver.Value
		base []driver.Value
		want string
	}{
		{nil, []driver.Value{nil, nil, nil, nil, nil}, "null"},
		{int64(7), []driver.Value{"int", int64(10), int64(0), int64(4), nil}, `{"t":"int","v":7}`},
		{int64(7), []driver.Value{"bigint", int64(19), int64(0), int64(8), nil}, `{"t":"bigint","v":"7"}`},
		{[]byte("1.50"), []driver.Value{"numeric", int64(5), int64(2), int64(5), nil}, `{"t":"decimal(5,2)","v":"1.50"}`},
		{"x", []driver.Value{"nvarchar", int64(0), int64(0), int64(20), nil}, `{"t":"nvarchar(10)","v":"x"}`},
		{"", []driver.Value{"varchar", int64(0), int64(0), int64(0), ""}, `{"t":"varchar(2)","v":""}`},
		{"\u201a?", []driver.Value{"varchar", int64(0), int64(0), int64(20), "\u0081é"}, "{\"t\":\"varchar(20)\",\"v\":\"\u0081é\"}"},
		{at("2026-11-23T10:00:00.5Z"), []driver.Value{"datetime2", int64(21), int64(1), int64(6), nil}, `{"t":"datetime2(1)","v":"2026-11-23T10:00:00.5"}`},
		{float64(float32(0.1)), []driver.Value{"real", int64(24), nil, int64(4), nil}, `{"t":"real","v":0.1}`},
		{[]byte{1}, []driver.Value{"varbinary", int64(0), int64(0), int64(8), nil}, `{"t":"varbinary(8)","v":"AQ=="}`},
	}
	for _, tt := range tests {
		got, err := appendVariant(nil, tt.v, tt.base)
		if err != nil || string(got) != tt.want {
			t.Errorf("got %s, %v, want %s", got, err, tt.want)
			continue
		}
		if tt.v == nil {
			continue
		}
		if err := wire.CheckValue(wire.Type{Kind: wire.Variant}, got); err != nil {
			t.Error(err)
		}
	}
	if _, err := appendVariant(nil, "x", []driver.Value{"no such type", nil, nil, nil, nil}); err == nil {
		t.Error("a sql_variant of an unknown type was taken")
	}
}

func BenchmarkValues(b *testing.B) {
	type cell struct {
		t wire.Type
		v driver.Value
	}
	cells := []cell{
		{wire.Type{Kind: wire.Int}, int64(1234567)},
		{wire.Type{Kind: wire.NVarChar, Len: 100}, "a text of some forty characters, as usual"},
		{wire.Type{Kind: wire.Decimal, Precision: 18, Scale: 4}, []byte("12345.6789")},
		{wire.Type{Kind: wire.DateTime2, Scale: 7}, at("2026-11-23T10:00:00.1234567Z")},
		{wire.Type{Kind: wire.Bit}, true},
		{wire.Type{Kind: wire.UniqueIdentifier}, make([]byte, 16)},
	}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = buf[:0]
		for _, c := range cells {
			buf, _ = appendValue(buf, c.t, c.v)
		}
	}
}
