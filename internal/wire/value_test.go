package wire

import (
	"strings"
	"testing"
)

func TestCheckValue(t *testing.T) {
	tests := []struct {
		typ  string
		good []string
		bad  []string
	}{
		{"bit", []string{`true`, `false`}, []string{`1`, `"true"`, `null`, ``}},
		{"tinyint", []string{`0`, `255`}, []string{`256`, `-1`, `01`, `1.0`, `1e2`, `"1"`, ``}},
		{"smallint", []string{`-32768`, `32767`}, []string{`-32769`, `32768`, `-0`, `+1`}},
		{"int", []string{`-2147483648`, `2147483647`, `0`}, []string{`2147483648`, `--1`, `-`}},
		{"bigint", []string{`"-9223372036854775808"`, `"9223372036854775807"`}, []string{`1`, `"9223372036854775808"`, `"01"`, `""`, `"1`}},
		{"real", []string{`1.5`, `-0`, `3.4028235e+38`}, []string{`1e39`, `"1"`, `.5`, `1.`, `NaN`}},
		{"float", []string{`1.7976931348623157e+308`, `5e-324`, `0.1`}, []string{`1e309`, `01.5`, `Infinity`}},
		{"decimal(5,2)", []string{`"0.00"`, `"-999.99"`, `"12.30"`}, []string{`"1000.00"`, `"-0.00"`, `"1.2"`, `"1.234"`, `".50"`, `1.50`, `"01.00"`, `"+1.00"`, `"1.0a"`}},
		{"decimal(38,0)", []string{`"99999999999999999999999999999999999999"`, `"0"`}, []string{`"100000000000000000000000000000000000000"`, `"1.0"`, `"1."`}},
		{"decimal(3,3)", []string{`"0.999"`, `"-0.001"`}, []string{`"1.000"`, `"0.9999"`}},
		{"money", []string{`"-922337203685477.5808"`}, []string{`"1.00"`, `"9999999999999999.0000"`}},
		{"smallmoney", []string{`"214748.3647"`}, []string{`"1214748.3647"`}},
		{"date", []string{`"0001-01-01"`, `"2024-02-29"`, `"9999-12-31"`}, []string{`"0000-01-01"`, `"2023-02-29"`, `"2024-2-29"`, `"2024-04-31"`, `"2024-01-01T00:00:00"`}},
		{"time(0)", []string{`"23:59:59"`}, []string{`"24:00:00"`, `"23:59:59."`, `"23:59:60"`}},
		{"time(7)", []string{`"00:00:00.0000001"`}, []string{`"00:00:00.000001"`, `"00:00:00"`}},
		{"smalldatetime", []string{`"2026-11-23T10:01:00"`}, []string{`"2026-11-23 10:01:00"`}},
		{"datetime", []string{`"1753-01-01T00:00:00.003"`}, []string{`"1753-01-01T00:00:00.0033"`}},
		{"datetime2(3)", []string{`"2026-11-23T10:01:00.123"`}, []string{`"2026-11-23T10:01:00.123Z"`}},
		{"datetimeoffset(7)", []string{`"2026-11-23T10:01:00.1234567-14:00"`, `"2026-11-23T10:01:00.1234567+05:30"`}, []string{`"2026-11-23T10:01:00.1234567Z"`, `"2026-11-23T10:01:00.1234567+14:01"`, `"2026-11-23T10:01:00.1234567"`}},
		{"varchar(3)", []string{`""`, `"abc"`, `"äöü"`, `"\u00e4\n\""`}, []string{`"abcd"`, `abc`, `"`}},
		{"nvarchar(2)", []string{`"😀"`, `"ab"`}, []string{`"😀a"`, `"abc"`}},
		{"nvarchar(max)", []string{`"any"`}, []string{`1`}},
		{"xml", []string{`"<a/>"`}, []string{`{}`}},
		{"varbinary(2)", []string{`""`, `"AA=="`, `"AAE="`}, []string{`"AAAA"`, `"AA"`, `"AB=="`, `"A==="`, `"A-=="`, `"===="`}},
		{"varbinary(max)", []string{`"AAECAwQF"`}, []string{`"A\u0041=="`}},
		{"uniqueidentifier", []string{`"0f8fad5b-d9cb-469f-a165-70867728950e"`}, []string{`"0F8FAD5B-D9CB-469F-A165-70867728950E"`, `"0f8fad5bd9cb-469f-a165-70867728950e-"`, `"0f8fad5b"`}},
		{"sql_variant", []string{`{"t":"int","v":7}`, `{"t":"decimal(5,2)","v":"1.50"}`}, []string{`7`, `{"t":"int"}`, `{"t":"int","v":"7"}`, `{"t":"sql_variant","v":{}}`, `{"t":"varchar(max)","v":"a"}`, `{"t":"int","v":7,"x":1}`}},
	}
	for _, tt := range tests {
		typ, err := ParseType(tt.typ)
		if err != nil {
			t.Fatalf("ParseType(%q): %v", tt.typ, err)
		}
		for _, raw := range tt.good {
			if err := CheckValue(typ, []byte(raw)); err != nil {
				t.Errorf("CheckValue(%s, %s) = %v, want nil", tt.typ, raw, err)
			}
		}
		for _, raw := range tt.bad {
			if err := CheckValue(typ, []byte(raw)); err == nil {
				t.Errorf("CheckValue(%s, %s) = nil, want an error", tt.typ, raw)
			}
		}
	}
}

func TestParseType(t *testing.T) {
	for _, s := range []string{"", "INT", "int(4)", "decimal", "decimal(39,0)", "decimal(5,6)", "decimal(0,0)", "decimal(05,2)", "decimal(5, 2)", "time", "time(8)", "char(max)", "nvarchar(0)", "nvarchar(9000)", "nvarchar(10", "text", "varchar(-1)"} {
		if typ, err := ParseType(s); err == nil {
			t.Errorf("ParseType(%q) = %v, want an error", s, typ)
		}
	}
}

func TestSchemaCheck(t *testing.T) {
	id := Column{Name: "id", Type: Type{Kind: Int}}
	good := Schema{Columns: []Column{id, {Name: "n", Type: Type{Kind: NVarChar, Len: 10}, Nullable: true}}, Key: []string{"id"}, Versioning: ByRowVersion}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	spoil := map[string]func(*Schema){
		"no columns":    func(s *Schema) { s.Columns = nil },
		"twice":         func(s *Schema) { s.Columns = []Column{id, id} },
		"no key":        func(s *Schema) { s.Key = nil },
		"unknown key":   func(s *Schema) { s.Key = []string{"x"} },
		"key twice":     func(s *Schema) { s.Key = []string{"id", "id"} },
		"nullable key":  func(s *Schema) { s.Key = []string{"n"} },
		"no versioning": func(s *Schema) { s.Versioning = "" },
		"no name":       func(s *Schema) { s.Columns = []Column{id, {Type: id.Type}} },
		"no type":       func(s *Schema) { s.Columns = []Column{id, {Name: "x"}} },
	}
	for name, f := range spoil {
		bad := good
		f(&bad)
		if bad.Check() == nil {
			t.Errorf("%s: Check() = nil", name)
		}
		if bad.Fingerprint() == good.Fingerprint() {
			t.Errorf("%s: same fingerprint", name)
		}
	}
}

// Every byte of a GUID's text is looked at.
func TestCheckGUIDBytes(t *testing.T) {
	const good = `"0f8fad5b-d9cb-469f-a165-70867728950e"`
	guid := Type{Kind: UniqueIdentifier}
	for i := range len(good) {
		digit := strings.IndexByte("0123456789abcdef", good[i]) >= 0
		for c := range 256 {
			raw := []byte(good)
			raw[i] = byte(c)
			want := raw[i] == good[i] || digit && strings.IndexByte("0123456789abcdef", raw[i]) >= 0
			if err := CheckValue(guid, raw); (err == nil) != want {
				t.Fatalf("%q: %v", raw, err)
			}
		}
	}
}

func BenchmarkCheckGUID(b *testing.B) {
	raw, guid := []byte(`"0f8fad5b-d9cb-469f-a165-70867728950e"`), Type{Kind: UniqueIdentifier}
	for b.Loop() {
		if err := CheckValue(guid, raw); err != nil {
			b.Fatal(err)
		}
	}
}
