package postgres_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// values are a type and values of it; each goes in and comes out, as a key
// and as no key.
var values = []struct {
	typ  string
	wire []string
}{
	{"bit", []string{"true", "false"}},
	{"tinyint", []string{"0", "255"}},
	{"smallint", []string{"-32768", "32767"}},
	{"int", []string{"-2147483648", "2147483647"}},
	{"bigint", []string{`"-9223372036854775808"`, `"9223372036854775807"`}},
	{"real", []string{"0", "0.1", "3.4028235e+38", "1e-45", "-1.5"}},
	{"float", []string{"0", "0.1", "1.7976931348623157e+308", "5e-324", "123456789012345680000", "1e+21", "0.000001", "1e-07"}},
	{"smallmoney", []string{`"214748.3647"`, `"-214748.3648"`}},
	{"money", []string{`"922337203685477.5807"`, `"-922337203685477.5808"`, `"0.0001"`}},
	{"decimal(38,10)", []string{`"9999999999999999999999999999.9999999999"`, `"-0.0000000001"`}},
	{"decimal(5,0)", []string{`"99999"`, `"0"`}},
	{"date", []string{`"0001-01-01"`, `"9999-12-31"`}},
	{"time(7)", []string{`"23:59:59.9999999"`, `"00:00:00.0000000"`, `"12:00:00.1200000"`}},
	{"time(0)", []string{`"23:59:59"`}},
	{"smalldatetime", []string{`"2079-06-06T23:59:00"`}},
	{"datetime", []string{`"1753-01-01T00:00:00.000"`, `"9999-12-31T23:59:59.997"`}},
	{"datetime2(7)", []string{`"0001-01-01T00:00:00.0000000"`, `"9999-12-31T23:59:59.9999999"`}},
	{"datetime2(3)", []string{`"2026-11-23T10:00:00.120"`, `"2026-11-23T10:00:00.000"`}},
	{"datetimeoffset(7)", []string{`"2026-11-23T10:00:00.1234567+05:45"`, `"2026-11-23T10:00:00.0000000-14:00"`}},
	{"datetimeoffset(0)", []string{`"2026-11-23T10:00:00+02:00"`}},
	{"varchar(50)", []string{`"a"`, `"A"`, `"a "`, `""`, `"\\N"`, `"null"`, `"\\."`}},
	{"nchar(40)", []string{`"tab\tnewline\nreturn\r quote\" backslash\\"`, `"\u0001\u001f"`, `"日本 𝄞"`}},
	{"varbinary(20)", []string{`""`, `"AAEC/w=="`}},
	{"hierarchyid", []string{`"WA=="`}},
	{"uniqueidentifier", []string{`"0f8fad5b-d9cb-469f-a165-70867728950e"`}},
	{"sql_variant", []string{`{"t":"int","v":7}`, `{"t":"nvarchar(10)","v":"a\tb"}`, `{"t":"decimal(5,2)","v":"1.50"}`}},
}

func TestValues(t *testing.T) {
	s, _ := open(t, postgres.Options{})
	testValues(t, s)
}

func TestValuesByStages(t *testing.T) {
	s, _ := open(t, postgres.Options{})
	postgres.AlwaysStage(s)
	testValues(t, s)
}

func testValues(t *testing.T, s *postgres.Store) {
	for i, v := range values {
		t.Run(v.typ, func(t *testing.T) {
			column := wire.Column{}
			if err := column.Type.UnmarshalText([]byte(v.typ)); err != nil {
				t.Fatal(err)
			}
			at := newSite(t, s, fmt.Sprint("c", i), fmt.Sprint("t", i), fmt.Sprintf("k %s; v %s", v.typ, v.typ))
			var rows, newer [][]byte
			want := map[string]string{}
			for j, raw := range v.wire {
				rows = append(rows, fmt.Appendf(nil, `["%d",%s,%s]`, j+1, raw, raw))
				newer = append(newer, fmt.Appendf(nil, `["%d",%s,%s]`, j+50, raw, raw))
				want[raw] = stored(column, false, raw)
			}
			at.load(rows, 1000)                               // straight into the table
			again := at.apply(wire.Delta, stringsOf(rows)...) // found by their keys
			if again.Unchanged != len(rows) {
				t.Errorf("sent again: %+v", again)
			}
			if a := at.apply(wire.Delta, stringsOf(newer)...); a.Updated != len(rows) {
				t.Errorf("newer: %+v", a)
			}
			first := strings.Replace(string(rows[0]), `["1"`, `["100"`, 1)
			null := first[:strings.LastIndex(first, v.wire[0])] + "null]"
			if a := at.apply(wire.Delta, null); a.Updated != 1 {
				t.Errorf("null: %+v", a)
			}
			want[v.wire[0]] = "null"
			if d := cmp.Diff(want, at.rows()); d != "" {
				t.Error(d)
			}
		})
	}
}

func stringsOf(rows [][]byte) []string {
	all := make([]string, len(rows))
	for i, r := range rows {
		all[i] = string(r)
	}
	return all
}

// rows reads the table: the second column by the first.
func (s *site) rows() map[string]string {
	s.t.Helper()
	got := map[string]string{}
	err := s.Rows(s.t.Context(), s.customer, s.table, func(r cloud.Row) error {
		got[string(r.Values[0])] = string(r.Values[len(r.Values)-1])
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return got
}

// Any text and any bytes come back as they went in.
func TestTextAndBytes(t *testing.T) {
	s, _ := open(t, postgres.Options{})
	customers := 0
	rapid.Check(t, func(r *rapid.T) {
		customers++
		at := newSite(t, s, fmt.Sprint("c", customers), "t", "k nvarchar(400); v varbinary(max)")
		texts := rapid.SliceOfNDistinct(rapid.StringMatching("[^\\x00]{0,40}").Filter(func(s string) bool {
			return len(s) <= 200
		}), 1, 20, rapid.ID[string]).Draw(r, "texts")
		want := map[string]string{}
		var rows []string
		for i, text := range texts {
			key := string(wire.AppendString(nil, text))
			value := `"` + base64.StdEncoding.EncodeToString(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(r, "bytes")) + `"`
			rows = append(rows, fmt.Sprintf(`["%d",%s,%s]`, i+1, key, value))
			want[key] = value
		}
		b := at.batch(wire.Load, nil)
		b.Header.Start, b.Header.Complete, b.Header.Watermark = true, true, new(uint64)
		if _, err := s.Apply(t.Context(), b); err != nil {
			r.Fatal(err)
		}
		half := len(rows) / 2
		at.apply(wire.Delta, rows[:half]...) // straight into the table
		at.apply(wire.Delta, rows[half:]...) // by way of the stage
		if d := cmp.Diff(want, at.rows()); d != "" {
			r.Fatal(d)
		}
	})
}
