package canon

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"tidemark/internal/wire"
)

// The vectors are the contract: a change of one re-uploads every table.
func TestGolden(t *testing.T) {
	tests := []struct{ typ, raw, want string }{
		{"bit", `true`, "69088000000000000001"},
		{"tinyint", `0`, "69088000000000000000"},
		{"int", `-1`, "69087fffffffffffffff"},
		{"int", `-2147483648`, "69087fffffff80000000"},
		{"int", `0`, "69088000000000000000"},
		{"bigint", `"123456789012345678"`, "690881b69b4ba630f34e"},
		{"bigint", `"1234567890123456789"`, "6908912210f47de98115"},
		{"bigint", `"-9223372036854775808"`, "69080000000000000000"},
		{"bigint", `"9223372036854775807"`, "6908ffffffffffffffff"},
		{"float", `1.5`, "66083ff8000000000000"},
		{"float", `-0`, "66080000000000000000"},
		{"real", `0.1`, "66083fb999999999999a"},
		{"real", `0.10000000001`, "66083fb999999999999a"},
		{"real", `-1e-50`, "66080000000000000000"},
		{"decimal(9,2)", `"1.50"`, "6403312e35"},
		{"decimal(9,2)", `"-100.00"`, "64042d313030"},
		{"decimal(9,0)", `"100"`, "6403313030"},
		{"date", `"2026-11-23"`, "740a323032362d31312d3233"},
		{"time(7)", `"10:00:00.1000000"`, "740a31303a30303a30302e31"},
		{"datetime", `"2026-11-23T10:00:00.000"`, "7413323032362d31312d32335431303a30303a3030"},
		{"datetimeoffset(3)", `"2026-11-23T10:00:00.100+02:00"`, "741b323032362d31312d32335431303a30303a30302e312b30323a3030"},
		{"nvarchar(5)", `"a\u00e4 "`, "730461c3a420"},
		{"varbinary(3)", `"AAE="`, "62020001"},
		{"uniqueidentifier", `"0f8fad5b-d9cb-469f-a165-70867728950e"`, "67100f8fad5bd9cb469fa16570867728950e"},
		{"sql_variant", `{"t":"int","v":-1}`, "760a69087fffffffffffffff"},
	}
	for _, tt := range tests {
		typ, err := wire.ParseType(tt.typ)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Append(nil, typ, []byte(tt.raw))
		if err != nil || fmt.Sprintf("%x", got) != tt.want {
			t.Errorf("Append(%s, %s) = %x, %v, want %s", tt.typ, tt.raw, got, err, tt.want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct{ typ, raw string }{
		{"int", `null`}, {"int", `"1"`}, {"int", ``}, {"int", `-`}, {"int", `-0`}, {"int", `01`}, {"int", `1e3`},
		{"int", `2147483648`}, {"int", `-2147483649`}, {"int", `99999999999999999999`},
		{"bigint", `1`}, {"bigint", `""`}, {"bigint", `"9223372036854775808"`}, {"bigint", `"-"`}, {"bigint", `"1`},
		{"varchar(2)", `"abc"`}, {"date", `"x"`},
		{"uniqueidentifier", `"0F8fad5b-d9cb-469f-a165-70867728950e"`}, {"uniqueidentifier", `"0f8fad5b-d9cb-469f-a165-70867728950"`},
		{"uniqueidentifier", `"0f8fad5bd9cb-469f-a165-70867728950e-"`}, {"uniqueidentifier", `"0f8fad5b-d9cb-469f-a165-7086772895g0"`},
	} {
		typ, err := wire.ParseType(tt.typ)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := Append(nil, typ, []byte(tt.raw)); err == nil {
			t.Errorf("Append(%s, %s) = %x, want an error", tt.typ, tt.raw, b)
		}
	}
	if _, err := Key(nil, []wire.Type{{Kind: wire.Int}}, nil); err == nil {
		t.Error("a key without its value was taken")
	}
}

func TestWideningKeepsBytes(t *testing.T) {
	pairs := [][4]string{
		{"int", `7`, "bigint", `"7"`},
		{"bit", `true`, "smallint", `1`},
		{"real", `0.5`, "float", `0.5`},
		{"decimal(9,2)", `"-1.50"`, "decimal(18,4)", `"-1.5000"`},
		{"smallmoney", `"3.0000"`, "decimal(9,0)", `"3"`},
		{"smalldatetime", `"2026-11-23T10:01:00"`, "datetime2(7)", `"2026-11-23T10:01:00.0000000"`},
		{"varchar(5)", `"ab"`, "nvarchar(max)", `"\u0061b"`},
		{"binary(2)", `"AAE="`, "varbinary(max)", `"AAE="`},
	}
	for _, p := range pairs {
		a, b := must(t, p[0], p[1]), must(t, p[2], p[3])
		if !bytes.Equal(a, b) {
			t.Errorf("%s %s is %x, %s %s is %x", p[0], p[1], a, p[2], p[3], b)
		}
	}
}

func must(t *testing.T, typ, raw string) []byte {
	t.Helper()
	ty, err := wire.ParseType(typ)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Append(nil, ty, []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Integer keys keep their order, and different keys have different bytes.
func TestProperties(t *testing.T) {
	big := wire.Type{Kind: wire.BigInt}
	text := wire.Type{Kind: wire.NVarChar, Len: wire.MaxLen}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		ka, errA := Append(nil, big, []byte(strconv.Quote(strconv.FormatInt(a, 10))))
		kb, errB := Append(nil, big, []byte(strconv.Quote(strconv.FormatInt(b, 10))))
		if errA != nil || errB != nil || (a < b) != (bytes.Compare(ka, kb) < 0) {
			t.Fatalf("%d %x, %d %x: %v %v", a, ka, b, kb, errA, errB)
		}
		s := rapid.SliceOfN(rapid.String(), 4, 4).Draw(t, "s")
		types := []wire.Type{text, text}
		k1, err1 := Key(nil, types, [][]byte{wire.AppendString(nil, s[0]), wire.AppendString(nil, s[1])})
		k2, err2 := Key(nil, types, [][]byte{wire.AppendString(nil, s[2]), wire.AppendString(nil, s[3])})
		if err1 != nil || err2 != nil || bytes.Equal(k1, k2) != (s[0] == s[2] && s[1] == s[3]) {
			t.Fatalf("%q: %x %x: %v %v", s, k1, k2, err1, err2)
		}
	})
}
