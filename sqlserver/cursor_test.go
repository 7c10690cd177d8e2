package sqlserver

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"

	"tidemark/internal/wire"
)

// What the driver is given for a key value keeps its type and its value.
func TestKeyParameters(t *testing.T) {
	table := keyTypes()
	key := []byte(`[true,7,0.1,-1.5,"-1.5000","12345678901234567890.0123456789","23:59:59.1234567","2026-11-23T10:00:00","2026-11-23T10:00:00.003",` +
		`"2026-11-23T10:00:00.1234567","é         ","日本","AAECAwQFBgcICQoLDA0ODw==","/w==","WA=="]`)
	got, err := table.keyArgs(key)
	if err != nil {
		t.Fatal(err)
	}
	want := []any{
		int64(1), int64(7), 0.1, -1.5, mssql.NVarCharMax("-1.5000"), mssql.NVarCharMax("12345678901234567890.0123456789"),
		mssql.NVarCharMax("23:59:59.1234567"), mssql.NVarCharMax("2026-11-23T10:00:00"), mssql.NVarCharMax("2026-11-23T10:00:00.003"),
		mssql.NVarCharMax("2026-11-23T10:00:00.1234567"), mssql.NVarCharMax("é         "), mssql.NVarCharMax("日本"),
		mssql.NVarCharMax("0x000102030405060708090a0b0c0d0e0f"), mssql.NVarCharMax("0xff"), mssql.NVarCharMax("0x58"),
	}
	for i := range want {
		if diff := cmp.Diff(want[i], any(got[i])); diff != "" {
			t.Errorf("%s: %s", table.Columns[table.Key[i].Index].Name, diff)
		}
	}
	offset := Column{Type: wire.Type{Kind: wire.DateTimeOffset, Scale: 7}}
	v, err := offset.arg([]byte(`"2026-11-23T10:00:00.1234567-09:30"`))
	if err != nil {
		t.Fatal(err)
	}
	if got := time.Time(v.(mssql.DateTimeOffset)).Format("2006-01-02T15:04:05.0000000-07:00"); got != "2026-11-23T10:00:00.1234567-09:30" {
		t.Error(got)
	}
}

func TestCursors(t *testing.T) {
	table := goldenTables()["composite"]
	key := []byte(`["O'Hara","2026-11-23","-5"]`)
	for _, form := range []byte{byKey, byVersion, byWindow} {
		p, err := table.parse(cursor(form, 2, key), form)
		if err != nil {
			t.Fatal(err)
		}
		if p.form != byKey && p.number != 2 || len(p.key) != 3 || p.key[2] != int64(-5) {
			t.Errorf("%c: %+v", form, p)
		}
	}
	if p, err := table.parse(cursor(byVersion, 1<<63, nil), byVersion); err != nil || p.number != 1<<63 || p.key != nil {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := table.parse("", byKey); err != nil || p.key != nil {
		t.Errorf("%+v %v", p, err)
	}
	for _, bad := range []Cursor{
		"k", "k[]", "k[1]", `k["a","2026-11-23","5"`, `k["a","2026-13-23","5"]`, `k5["a","2026-11-23","5"]`, `k["a","2026-11-23",null]`,
		"v2", `w1["a","2026-11-23","5"]`, "k" + Cursor(strings.Repeat(" ", wire.MaxCursor)),
	} {
		if _, err := table.parse(bad, byKey); !errors.Is(err, ErrCursor) {
			t.Errorf("%.40q was taken: %v", bad, err)
		}
	}
	for _, bad := range []Cursor{"w0", `w0["a","2026-11-23","5"]`, `w4["a","2026-11-23","5"]`, `w-1["a","2026-11-23","5"]`, "w1"} {
		if _, err := table.parse(bad, byWindow); !errors.Is(err, ErrCursor) {
			t.Errorf("%q was taken: %v", bad, err)
		}
	}
	for _, bad := range []Cursor{"v", "vx", "v18446744073709551616", "v1[1]"} {
		if _, err := table.parse(bad, byVersion); !errors.Is(err, ErrCursor) {
			t.Errorf("%q was taken: %v", bad, err)
		}
	}
}
