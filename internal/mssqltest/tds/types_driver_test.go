package tds_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-sql/civil"
	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"

	"tidemark/internal/mssqltest/tds"
)

// asDriver is what go-mssqldb gives for one of our values.
func asDriver(t tds.Type, v any) any {
	switch v := v.(type) {
	case tds.VariantValue:
		return asDriver(v.Type, v.Value)
	case string:
		if t.Kind == tds.Decimal || t.Kind == tds.Money || t.Kind == tds.SmallMoney {
			return []byte(v)
		}
	case [16]byte:
		return v[:]
	}
	return v
}

// Every type reaches the driver: all in one row and, for NULL, in another.
func TestTypesReachTheClient(t *testing.T) {
	var cols []tds.Column
	var row, nulls [][]byte
	for i, g := range golden {
		cols = append(cols, tds.Column{Name: fmt.Sprintf("c%d", i), Type: g.t, Nullable: i%2 == 0})
		row = append(row, value(g.t, g.v))
		nulls = append(nulls, value(g.t, nil))
	}
	f := serve(t, tds.Options{ChunkSize: 3}, func(_ context.Context, _ string, _ []tds.Param, w tds.Writer) error {
		if err := w.Columns(cols); err != nil {
			return err
		}
		for _, r := range [][][]byte{row, nulls} {
			if err := w.Row(r); err != nil {
				return err
			}
		}
		return w.Done(2, true)
	})
	rows, err := f.open(t, login).QueryContext(deadline(t), "select q")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	got := make([]any, len(cols))
	into := make([]any, len(cols))
	for i := range got {
		into[i] = &got[i]
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; rows.Next(); n++ {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, g := range golden {
			want := asDriver(g.t, g.v)
			if n == 1 {
				want = nil
			}
			if !same(want, got[i]) {
				t.Errorf("row %d, %v: %#v, want %#v", n, g.t, got[i], want)
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for i, c := range types {
		name := strings.ToUpper(golden[i].t.Kind.String())
		switch golden[i].t.Kind {
		case tds.RowVersion:
			name = "BINARY"
		case tds.UDT:
			name = "HIERARCHYID"
		}
		if c.DatabaseTypeName() != name && golden[i].t.Kind != tds.Bit { // the driver says nothing for bit
			t.Errorf("%v has the type name %s", golden[i].t, c.DatabaseTypeName())
		}
		if nullable, _ := c.Nullable(); nullable != (i%2 == 0) {
			t.Errorf("column %d is nullable: %v", i, nullable)
		}
	}
}

// Every type that the driver can send arrives with its type and value.
func TestParametersReachTheServer(t *testing.T) {
	guid := mssql.UniqueIdentifier{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF}
	wireGUID := [16]byte{0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF}
	zoned := time.Date(2024, 2, 29, 23, 59, 59, 123456700, time.FixedZone("", -3*3600))
	clock := time.Date(2024, 2, 29, 23, 59, 59, 123456700, time.UTC)
	long := strings.Repeat("Ж😀", 30000)
	big := bytes.Repeat([]byte{1, 2, 3}, 30000)
	for _, c := range []struct {
		arg  any
		typ  tds.Type
		want any
	}{
		{nil, tds.Type{Kind: tds.NVarChar, Len: 1}, nil},
		{true, tds.Type{Kind: tds.Bit}, true},
		{uint8(200), tds.Type{Kind: tds.TinyInt}, int64(200)},
		{int64(-5), tds.Type{Kind: tds.BigInt}, int64(-5)},
		{1.25, tds.Type{Kind: tds.Float}, 1.25},
		{float32(1.25), tds.Type{Kind: tds.Real}, 1.25},
		{"é", tds.Type{Kind: tds.NVarChar, Len: 1}, "é"},
		{"", tds.Type{Kind: tds.NVarChar, Len: tds.MaxLen}, ""},
		{long, tds.Type{Kind: tds.NVarChar, Len: tds.MaxLen}, long},
		{mssql.NVarCharMax("a"), tds.Type{Kind: tds.NVarChar, Len: tds.MaxLen}, "a"},
		{mssql.NChar("ab"), tds.Type{Kind: tds.NChar, Len: 2}, "ab"},
		{mssql.VarChar("abc"), tds.Type{Kind: tds.VarChar, Len: 3}, "abc"},
		{mssql.VarCharMax("abc"), tds.Type{Kind: tds.VarChar, Len: tds.MaxLen}, "abc"},
		{[]byte{1, 2}, tds.Type{Kind: tds.VarBinary, Len: 2}, []byte{1, 2}},
		{[]byte{}, tds.Type{Kind: tds.VarBinary, Len: tds.MaxLen}, []byte{}},
		{[]byte(nil), tds.Type{Kind: tds.VarBinary, Len: tds.MaxLen}, nil},
		{big, tds.Type{Kind: tds.VarBinary, Len: tds.MaxLen}, big},
		{guid, tds.Type{Kind: tds.UniqueIdentifier}, wireGUID},
		{zoned, tds.Type{Kind: tds.DateTimeOffset, Scale: 7}, zoned},
		{mssql.DateTimeOffset(zoned), tds.Type{Kind: tds.DateTimeOffset, Scale: 7}, zoned},
		{mssql.DateTime1(clock), tds.Type{Kind: tds.DateTime}, clock.Truncate(time.Second).Add(123 * time.Millisecond)},
		{civil.DateOf(clock), tds.Type{Kind: tds.Date}, day(2024, 2, 29)},
		{civil.DateTimeOf(clock), tds.Type{Kind: tds.DateTime2, Scale: 7}, clock},
		{civil.TimeOf(clock), tds.Type{Kind: tds.Time, Scale: 7}, time.Date(1, 1, 1, 23, 59, 59, 123456700, time.UTC)},
		{sql.NullInt32{}, tds.Type{Kind: tds.Int}, nil},
		{sql.NullInt16{Int16: 3, Valid: true}, tds.Type{Kind: tds.SmallInt}, int64(3)},
		{sql.NullByte{Byte: 255, Valid: true}, tds.Type{Kind: tds.TinyInt}, int64(255)},
		{sql.NullFloat64{}, tds.Type{Kind: tds.Float}, nil},
		{sql.NullBool{}, tds.Type{Kind: tds.Bit}, nil},
		{sql.NullString{}, tds.Type{Kind: tds.NVarChar, Len: 4000}, nil},
		{sql.NullTime{}, tds.Type{Kind: tds.DateTimeOffset, Scale: 7}, nil},
		// not mssql.NullUniqueIdentifier: for NULL the driver sends 16 bytes too many
	} {
		var got []tds.Param
		var text string
		f := serve(t, tds.Options{}, func(_ context.Context, sql string, params []tds.Param, w tds.Writer) error {
			text, got = sql, params
			return w.Done(0, false)
		})
		if _, err := f.openInMemory(t, login+"encrypt=disable").ExecContext(deadline(t), "select €", sql.Named("a", c.arg)); err != nil {
			t.Errorf("%T: %v", c.arg, err)
			continue
		}
		if text != "select €" || len(got) != 1 || got[0].Name != "@a" {
			t.Errorf("%T: %q %+v", c.arg, text, got)
			continue
		}
		if diff := cmp.Diff(c.typ, got[0].Type); diff != "" {
			t.Errorf("%T: %s", c.arg, diff)
		}
		v, err := tds.DecodeValue(got[0].Type, got[0].Value)
		if err != nil || !same(c.want, v) {
			t.Errorf("%T: %.80v (%v), want %.80v", c.arg, v, err, c.want)
		}
		again, err := tds.AppendValue(nil, got[0].Type, v)
		if err != nil || !bytes.Equal(again, got[0].Value) {
			t.Errorf("%T: arrived as % .80x, is % .80x in a row (%v)", c.arg, got[0].Value, again, err)
		}
	}
}

func TestChunks(t *testing.T) {
	data := make([]byte, 100_003)
	for i := range data {
		data[i] = byte(i * 7)
	}
	for _, chunk := range []int{1, 511, 8000, 1 << 20} {
		f := serve(t, tds.Options{ChunkSize: chunk}, blob(data))
		var got []byte
		if err := f.open(t, login+"packet size=512").QueryRowContext(deadline(t), "select q").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, data) {
			t.Errorf("chunks of %d bytes: %d bytes arrived, not those sent", chunk, len(got))
		}
	}
}
