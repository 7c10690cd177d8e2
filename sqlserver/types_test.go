package sqlserver_test

import (
	"fmt"
	"strings"
	"testing"

	"tidemark/internal/wire"
	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
)

// typeTests has values of every type as T-SQL writes them and as they are on
// the wire.
var typeTests = []struct {
	column string
	wire   string // the column's type on the wire
	values [][2]string
}{
	{"bit", "bit", [][2]string{{"1", "true"}, {"0", "false"}}},
	{"tinyint", "tinyint", [][2]string{{"0", "0"}, {"255", "255"}}},
	{"smallint", "smallint", [][2]string{{"-32768", "-32768"}, {"32767", "32767"}}},
	{"int", "int", [][2]string{{"-2147483648", "-2147483648"}, {"2147483647", "2147483647"}}},
	{"bigint", "bigint", [][2]string{{"-9223372036854775808", `"-9223372036854775808"`}, {"9007199254740993", `"9007199254740993"`}}},
	{"real", "real", [][2]string{{"CONVERT(real, 0.1)", "0.1"}, {"CONVERT(real, 3.40282346E38)", "3.4028235e+38"}}},
	{"float", "float", [][2]string{{"0.1E0", "0.1"}, {"1.7976931348623157E308", "1.7976931348623157e+308"}, {"-2.5E-10", "-2.5e-10"}}},
	{"smallmoney", "smallmoney", [][2]string{{"-214748.3648", `"-214748.3648"`}, {"0", `"0.0000"`}}},
	{"money", "money", [][2]string{{"922337203685477.5807", `"922337203685477.5807"`}, {"-0.0001", `"-0.0001"`}}},
	{"decimal(38,10)", "decimal(38,10)", [][2]string{{"1234567890123456789012345678.0123456789", `"1234567890123456789012345678.0123456789"`}, {"-0.5", `"-0.5000000000"`}}},
	{"numeric(5,0)", "decimal(5,0)", [][2]string{{"99999", `"99999"`}}},
	{"date", "date", [][2]string{{"'0001-01-01'", `"0001-01-01"`}, {"'9999-12-31'", `"9999-12-31"`}}},
	{"time(7)", "time(7)", [][2]string{{"'23:59:59.9999999'", `"23:59:59.9999999"`}}},
	{"time(0)", "time(0)", [][2]string{{"'01:02:03'", `"01:02:03"`}}},
	{"smalldatetime", "smalldatetime", [][2]string{{"'2026-11-23T10:01:00'", `"2026-11-23T10:01:00"`}}},
	{"datetime", "datetime", [][2]string{{"'1753-01-01T00:00:00.003'", `"1753-01-01T00:00:00.003"`}, {"'9999-12-31T23:59:59.997'", `"9999-12-31T23:59:59.997"`}}},
	{"datetime2(7)", "datetime2(7)", [][2]string{{"'2026-11-23T10:00:00.1234567'", `"2026-11-23T10:00:00.1234567"`}}},
	{"datetime2(3)", "datetime2(3)", [][2]string{{"'2026-11-23T10:00:00.12'", `"2026-11-23T10:00:00.120"`}}},
	{"datetimeoffset(7)", "datetimeoffset(7)", [][2]string{{"'2026-11-23 10:00:00.1234567 +02:00'", `"2026-11-23T10:00:00.1234567+02:00"`}, {"'2026-11-23 10:00:00 -09:30'", `"2026-11-23T10:00:00.0000000-09:30"`}}},
	{"char(5)", "char(5)", [][2]string{{"'ab'", `"ab   "`}}},
	{"varchar(20)", "varchar(20)", [][2]string{{"N'Zoë €5 '", `"Zoë €5 "`}, {"''", `""`}}},
	{"nchar(3)", "nchar(3)", [][2]string{{"N'日本'", `"日本 "`}}},
	{"nvarchar(20)", "nvarchar(20)", [][2]string{{"N'O''Hara \"😀\" \\'", `"O'Hara \"😀\" \\"`}}},
	{"varbinary(8)", "varbinary(8)", [][2]string{{"0x00FF00", `"AP8A"`}, {"0x", `""`}}},
	{"binary(4)", "binary(4)", [][2]string{{"0xDEADBEEF", `"3q2+7w=="`}}},
	{"uniqueidentifier", "uniqueidentifier", [][2]string{{"'0F8FAD5B-D9CB-469F-A165-70867728950E'", `"0f8fad5b-d9cb-469f-a165-70867728950e"`}}},
	{"varchar(max)", "varchar(max)", [][2]string{{"N'été'", `"été"`}}},
	{"nvarchar(max)", "nvarchar(max)", [][2]string{{"N'日本語'", `"日本語"`}}},
	{"varbinary(max)", "varbinary(max)", [][2]string{{"0x0102", `"AQI="`}}},
	{"text", "varchar(max)", [][2]string{{"'old'", `"old"`}}},
	{"ntext", "nvarchar(max)", [][2]string{{"N'älter'", `"älter"`}}},
	{"image", "varbinary(max)", [][2]string{{"0xFF", `"/w=="`}}},
	{"xml", "xml", [][2]string{{"N'<a b=\"c\">é</a>'", `"<a b=\"c\">é</a>"`}}},
	{"hierarchyid", "hierarchyid", [][2]string{{"CONVERT(hierarchyid, 0x58)", `"WA=="`}}},
	{"geometry", "geometry", [][2]string{{"CONVERT(geometry, 0x00000000010C00000000000000000000000000000000)", `"AAAAAAEMAAAAAAAAAAAAAAAAAAAAAA=="`}}},
	{"geography", "geography", [][2]string{{"CONVERT(geography, 0xE6100000010C00000000000000000000000000000000)", `"5hAAAAEMAAAAAAAAAAAAAAAAAAAAAA=="`}}},
	{"sql_variant", "sql_variant", [][2]string{
		{"CONVERT(bit, 1)", `{"t":"bit","v":true}`},
		{"CONVERT(tinyint, 255)", `{"t":"tinyint","v":255}`},
		{"CONVERT(smallint, -2)", `{"t":"smallint","v":-2}`},
		{"CONVERT(int, 7)", `{"t":"int","v":7}`},
		{"CONVERT(bigint, -9007199254740993)", `{"t":"bigint","v":"-9007199254740993"}`},
		{"CONVERT(real, 0.1)", `{"t":"real","v":0.1}`},
		{"CONVERT(float, 0.1)", `{"t":"float","v":0.1}`},
		{"CONVERT(smallmoney, -1.5)", `{"t":"smallmoney","v":"-1.5000"}`},
		{"CONVERT(money, 922337203685477.5807)", `{"t":"money","v":"922337203685477.5807"}`},
		{"CONVERT(decimal(9,3), 1.5)", `{"t":"decimal(9,3)","v":"1.500"}`},
		{"CONVERT(numeric(38,0), 12345678901234567890123456789012345678)", `{"t":"decimal(38,0)","v":"12345678901234567890123456789012345678"}`},
		{"CONVERT(date, '2026-11-23')", `{"t":"date","v":"2026-11-23"}`},
		{"CONVERT(time(3), '10:00:00.123')", `{"t":"time(3)","v":"10:00:00.123"}`},
		{"CONVERT(smalldatetime, '2026-11-23T10:01:00')", `{"t":"smalldatetime","v":"2026-11-23T10:01:00"}`},
		{"CONVERT(datetime, '2026-11-23T10:00:00.003')", `{"t":"datetime","v":"2026-11-23T10:00:00.003"}`},
		{"CONVERT(datetime2(7), '2026-11-23T10:00:00.1234567')", `{"t":"datetime2(7)","v":"2026-11-23T10:00:00.1234567"}`},
		{"CONVERT(datetimeoffset(7), '2026-11-23 10:00:00.1234567 -09:30')", `{"t":"datetimeoffset(7)","v":"2026-11-23T10:00:00.1234567-09:30"}`},
		{"CONVERT(char(4), N'é€')", `{"t":"char(4)","v":"é€  "}`},
		{"CONVERT(varchar(10), N'€5')", `{"t":"varchar(10)","v":"€5"}`},
		{"CONVERT(nchar(3), N'日本')", `{"t":"nchar(3)","v":"日本 "}`},
		{"CONVERT(nvarchar(10), N'日本')", `{"t":"nvarchar(10)","v":"日本"}`},
		{"CONVERT(binary(3), 0x0001FF)", `{"t":"binary(3)","v":"AAH/"}`},
		{"CONVERT(varbinary(8), 0x00FF)", `{"t":"varbinary(8)","v":"AP8="}`},
		{"CONVERT(uniqueidentifier, '0F8FAD5B-D9CB-469F-A165-70867728950E')", `{"t":"uniqueidentifier","v":"0f8fad5b-d9cb-469f-a165-70867728950e"}`},
	}},
}

// Every type, with and without values, from the table to the wire.
func TestEveryType(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	for i, tt := range typeTests {
		t.Run(tt.column, func(t *testing.T) {
			name := fmt.Sprintf("t%d", i)
			db.Exec(t, fmt.Sprintf("CREATE TABLE {s}.%s (id int NOT NULL PRIMARY KEY, v %s NULL, rv rowversion NOT NULL)", name, tt.column))
			db.Exec(t, fmt.Sprintf("INSERT INTO {s}.%s (id, v) VALUES (0, NULL)", name))
			want := []string{"0,null"}
			for n, v := range tt.values {
				db.Exec(t, fmt.Sprintf("INSERT INTO {s}.%s (id, v) VALUES (%d, %s)", name, n+1, v[0]))
				want = append(want, fmt.Sprintf("%d,%s", n+1, v[1]))
			}
			table := db.Table(t, s, name)
			if got := table.Columns[1].Type.String(); got != tt.wire {
				t.Errorf("type %s, want %s", got, tt.wire)
			}
			if err := s.Try(t.Context(), table); err != nil {
				t.Fatal(err)
			}
			lines := all(t, s.Reader(table, sqlserver.Limits{}).Load)
			if len(lines) != len(want) {
				t.Fatalf("%d lines, want %d", len(lines), len(want))
			}
			schema := table.WireSchema()
			for n, line := range lines {
				if got := values(line); got != want[n] {
					t.Errorf("got  %s\nwant %s", got, want[n])
				}
				raws, err := wire.SplitRow([]byte(line), nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := wire.CheckValue(schema.Columns[1].Type, raws[2]); err != nil && n > 0 {
					t.Error(err)
				}
			}
		})
	}
}

// Every type that can be a key: page by page each row comes once, in SQL
// Server's own order, and is found again by its key.
func TestEveryKeyType(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	keys := map[string][]string{
		"bit":               {"0", "1"},
		"tinyint":           {"0", "7", "255"},
		"int":               {"-5", "0", "5", "2147483647"},
		"bigint":            {"-9223372036854775808", "-1", "9007199254740993", "9007199254740992"},
		"real":              {"CONVERT(real, 0.1)", "CONVERT(real, -0.1)", "CONVERT(real, 16777216)", "CONVERT(real, 1.2E-38)"},
		"float":             {"0.1E0", "0.2E0", "0.30000000000000004E0", "0.3E0", "-1.7976931348623157E308"},
		"money":             {"-922337203685477.5808", "0.0001", "0.0002"},
		"smallmoney":        {"1.5", "-1.5"},
		"decimal(38,10)":    {"1234567890123456789012345678.0123456789", "1234567890123456789012345678.0123456788", "-0.0000000001"},
		"date":              {"'0001-01-01'", "'2026-11-23'", "'9999-12-31'"},
		"time(7)":           {"'00:00:00'", "'23:59:59.9999999'", "'23:59:59.9999998'"},
		"smalldatetime":     {"'2026-11-23T10:01:00'", "'2026-11-23T10:02:00'"},
		"datetime":          {"'2026-11-23T10:00:00.003'", "'2026-11-23T10:00:00.007'", "'2026-11-23T10:00:00.010'"},
		"datetime2(7)":      {"'2026-11-23T10:00:00.1234567'", "'2026-11-23T10:00:00.1234568'"},
		"datetimeoffset(7)": {"'2026-11-23 10:00:00.1234567 +02:00'", "'2026-11-23 10:00:00.1234567 +01:00'", "'2026-11-23 10:00:00.1234567 -09:30'"},
		"char(5)":           {"'a'", "'B'", "'c'", "N'é'"},
		"varchar(20)":       {"''", "'a b'", "'AB'", "'b '", "N'€'"},
		"nchar(5)":          {"N'a'", "N'日'", "N'Ω'"},
		"nvarchar(40)":      {"N''", "N'O''Hara'", "N'日本'", "N'b'", "N'A'", "N'\"]['"},
		"binary(4)":         {"0x00000000", "0xDEADBEEF", "0xFF000000"},
		"varbinary(8)":      {"0x01", "0x0102", "0xFF", "0x80"},
		"uniqueidentifier":  {"'0F8FAD5B-D9CB-469F-A165-70867728950E'", "'FF8FAD5B-D9CB-469F-A165-70867728950D'", "'008FAD5B-D9CB-469F-B165-00867728950D'"},
		"hierarchyid":       {"CONVERT(hierarchyid, 0x58)", "CONVERT(hierarchyid, 0x68)"},
	}
	n := 0
	for typ, list := range keys {
		n++
		name := fmt.Sprintf("k%d", n)
		t.Run(typ, func(t *testing.T) {
			db.Exec(t, fmt.Sprintf("CREATE TABLE {s}.%s (k %s NOT NULL, n int NOT NULL, rv rowversion NOT NULL, CONSTRAINT pk_%s PRIMARY KEY (k, n))", name, typ, name))
			var rows []string
			for _, v := range list {
				for i := range 3 {
					rows = append(rows, fmt.Sprintf("(%s, %d)", v, i))
				}
			}
			db.Exec(t, fmt.Sprintf("INSERT INTO {s}.%s (k, n) VALUES %s", name, strings.Join(rows, ", ")))
			table := db.Table(t, s, name)
			whole := all(t, s.Reader(table, sqlserver.Limits{}).Load)
			for size := 1; size <= 4; size++ {
				r := s.Reader(table, sqlserver.Limits{ChunkRows: size})
				same(t, fmt.Sprintf("load in chunks of %d", size), whole, all(t, r.Load))
				keys := all(t, r.Keys)
				same(t, fmt.Sprintf("keys in chunks of %d", size), whole, keys) // the table is no more than its key
			}
			if len(whole) != len(rows) {
				t.Fatalf("%d rows, want %d", len(whole), len(rows))
			}
			r := s.Reader(table, sqlserver.Limits{})
			var ask [][]byte
			for _, line := range whole {
				ask = append(ask, []byte("["+values(line)+"]"))
			}
			var out wire.Lines
			f, err := r.Lookup(t.Context(), ask, &out)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "lookup", whole, strings.Split(strings.TrimSuffix(string(out.Buf), "\n"), "\n"))
			for i, there := range f.There {
				if !there || f.Lines[i] != i {
					t.Errorf("key %s is not found again", ask[i])
				}
			}
		})
	}
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%s: %d lines, want %d", what, len(got), len(want))
	}
	for i := range want {
		if want[i] != got[i] {
			t.Fatalf("%s: line %d is %s, want %s", what, i, got[i], want[i])
		}
	}
}
