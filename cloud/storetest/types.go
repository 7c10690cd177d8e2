package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/internal/wire"
)

// values are the edges of every type, in wire form.
var values = []struct {
	typ  string
	raws []string
}{
	{"bit", []string{`true`, `false`}},
	{"tinyint", []string{`0`, `255`}},
	{"smallint", []string{`-32768`, `32767`}},
	{"int", []string{`-2147483648`, `2147483647`, `0`}},
	{"bigint", []string{`"-9223372036854775808"`, `"9223372036854775807"`, `"0"`}},
	{"real", []string{`1.5`, `3.4028235e+38`, `1e-45`, `-0.1`, `0`, `123456`}},
	{"float", []string{`1.7976931348623157e+308`, `5e-324`, `0.1`, `-2.5`, `0`, `12345678901234567000`}},
	{"decimal(5,2)", []string{`"0.00"`, `"-999.99"`, `"12.30"`, `"100.00"`}},
	{"decimal(38,0)", []string{`"99999999999999999999999999999999999999"`, `"-1"`, `"1000"`}},
	{"decimal(38,38)", []string{`"0.00000000000000000000000000000000000001"`}},
	{"money", []string{`"-922337203685477.5808"`, `"922337203685477.5807"`, `"0.0100"`}},
	{"smallmoney", []string{`"-214748.3648"`, `"1.0000"`}},
	{"date", []string{`"0001-01-01"`, `"2024-02-29"`, `"9999-12-31"`, `"1582-10-10"`}},
	{"time(0)", []string{`"00:00:00"`, `"23:59:59"`}},
	{"time(3)", []string{`"00:00:00.000"`, `"23:59:59.990"`}},
	{"time(7)", []string{`"00:00:00.0000001"`, `"23:59:59.9999999"`, `"12:00:00.5000000"`}},
	{"smalldatetime", []string{`"1900-01-01T00:00:00"`, `"2079-06-06T23:59:00"`}},
	{"datetime", []string{`"1753-01-01T00:00:00.003"`, `"9999-12-31T23:59:59.997"`}},
	{"datetime2(0)", []string{`"0001-01-01T00:00:00"`}},
	{"datetime2(6)", []string{`"0001-01-01T00:00:00.000001"`, `"2026-11-23T10:00:00.100000"`}},
	{"datetime2(7)", []string{`"0001-01-01T00:00:00.0000000"`, `"9999-12-31T23:59:59.9999999"`}},
	{"datetimeoffset(0)", []string{`"2026-11-23T10:01:00+00:00"`, `"2026-11-23T10:01:00+05:30"`}},
	{"datetimeoffset(7)", []string{`"2026-11-23T10:01:00.1234567-14:00"`, `"2026-11-23T10:01:00.0000000+14:00"`}},
	{"char(3)", []string{`"a  "`, `"   "`}},
	{"varchar(200)", []string{`""`, `"äöü "`, `"\"\\\n\r\t\u0001\u001f"`, `"\\N"`, `"\\."`, `"NULL"`, `"null"`, `"{}"`, `"'; --"`, `"{\"a\":1}"`}},
	{"nchar(2)", []string{`"é "`}},
	{"nvarchar(40)", []string{`"😀 日本 ` + "\u007f \u2028\ufeff" + `"`}},
	{"nvarchar(max)", []string{`"` + strings.Repeat("ab\u00e9", 5000) + `"`}},
	{"xml", []string{`"<a b=\"c\">d</a>"`}},
	{"binary(4)", []string{`"AAECAw=="`}},
	{"varbinary(10)", []string{`""`, `"AA=="`, `"XHgw"`}},
	{"varbinary(max)", []string{`"` + strings.Repeat("/+8A", 5000) + `"`}},
	{"hierarchyid", []string{`"WsA="`, `""`}},
	{"geometry", []string{`"AAAAAAEMAAAAAAAA8D8AAAAAAAAAQA=="`}},
	{"geography", []string{`"5hAAAAEMAAAAAAAA8D8AAAAAAAAAQA=="`}},
	{"uniqueidentifier", []string{`"0f8fad5b-d9cb-469f-a165-70867728950e"`, `"00000000-0000-0000-0000-000000000000"`}},
	{"sql_variant", []string{`{"t":"int","v":7}`, `{"t":"decimal(5,2)","v":"1.50"}`, `{"t":"nvarchar(20)","v":"a\"b\\ é"}`, `{"t":"datetime2(7)","v":"2026-11-23T10:00:00.1234567"}`, `{"t":"bit","v":true}`}},
}

func testTypes(t *testing.T, f *fixture) {
	for i, v := range values {
		t.Run(v.typ, func(t *testing.T) {
			c := column("v", v.typ)
			s := f.siteNamed(t, customer, fmt.Sprintf("type %d", i), schema([]string{"id"}, column("id", "int"), c))
			rows := []string{`["1",0,null]`}
			want := []string{`["1",0,null]`}
			for j, raw := range v.raws {
				rows = append(rows, fmt.Sprintf(`["1",%d,%s]`, j+1, raw))
				want = append(want, fmt.Sprintf(`["1",%d,%s]`, j+1, f.stored(c, false, raw)))
			}
			s.load(t, rows...)
			s.has(t, want...)
			for j := range rows { // once more, through the way of updates
				rows[j] = strings.Replace(rows[j], `["1"`, `["2"`, 1)
				want[j] = strings.Replace(want[j], `["1"`, `["2"`, 1)
			}
			if a := s.delta(t, rows...); a.Updated != len(rows) {
				t.Errorf("%+v", a)
			}
			s.has(t, want...)
		})
	}
}

func (f *fixture) stored(c wire.Column, key bool, raw string) string {
	if f.options.Stored == nil {
		return raw
	}
	return f.options.Stored(c, key, raw)
}

func testTypesAsKeys(t *testing.T, f *fixture) {
	noKeys := []string{"nvarchar(max)", "varbinary(max)", "xml", "geometry", "geography"}
	for i, v := range values {
		if slices.Contains(noKeys, v.typ) {
			continue // SQL Server has no such key
		}
		t.Run(v.typ, func(t *testing.T) {
			s := f.siteNamed(t, customer, fmt.Sprintf("key %d", i), schema([]string{"n", "k"}, column("k", v.typ), column("n", "int"), column("c", "int")))
			var rows, keys, want []string
			for _, raw := range v.raws {
				rows = append(rows, fmt.Sprintf(`["1",%s,7,1]`, raw))
				keys = append(keys, fmt.Sprintf(`["1",7,%s]`, raw))
			}
			if a := s.load(t, rows...); a.Inserted != len(rows) {
				t.Errorf("%+v", a)
			}
			for j, raw := range v.raws {
				rows[j] = fmt.Sprintf(`["2",%s,7,2]`, raw)
				want = append(want, fmt.Sprintf(`["2",%s,7,2]`, f.stored(s.schema.Columns[0], true, raw)))
			}
			c, err := f.Compare(t.Context(), s.manifest(keys))
			if err != nil || len(c.Missing)+len(c.Stale) != 0 {
				t.Errorf("Compare: %+v %v", c, err)
			}
			if a := s.delta(t, rows...); a.Updated != len(rows) {
				t.Errorf("the keys are the same: %+v", a)
			}
			if d := cmp.Diff(sorted(want), sorted(s.rows(t))); d != "" {
				t.Error(d)
			}
			listed, _ := s.pages(t, 1, 1<<20)
			if len(listed) != len(rows) {
				t.Errorf("listed %q", listed)
			}
			if a := s.remove(t, listed...); a.Deleted != len(rows) {
				t.Errorf("deleting what was listed: %+v", a)
			}
			s.has(t)
		})
	}
}
