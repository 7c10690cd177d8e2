package canon

import (
	"bytes"
	"testing"

	"tidemark/internal/wire"
)

// Bytes that are read as a key are values that their types have, and values
// make a key that reads back as them.
func FuzzDecode(f *testing.F) {
	for _, v := range [][2]string{
		{"int", `-7`}, {"bigint", `"9223372036854775807"`}, {"bit", `false`}, {"float", `1e300`}, {"real", `-0`}, {"decimal(9,2)", `"-1.50"`},
		{"money", `"0.0001"`}, {"date", `"2026-11-23"`}, {"time(3)", `"10:00:00.100"`}, {"datetimeoffset(7)", `"2026-11-23T10:00:00.1000000+02:00"`},
		{"nvarchar(max)", `"a\u0000 "`}, {"varbinary(3)", `"AAE="`}, {"uniqueidentifier", `"0f8fad5b-d9cb-469f-a165-70867728950e"`}, {"sql_variant", `{"t":"int","v":-1}`},
	} {
		t, err := wire.ParseType(v[0])
		if err != nil {
			f.Fatal(err)
		}
		key, err := Key(nil, []wire.Type{t}, [][]byte{[]byte(v[1])})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(v[0], key)
	}
	f.Add("int", []byte{'i', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, name string, key []byte) {
		typ, err := wire.ParseType(name)
		if err != nil {
			return
		}
		types := []wire.Type{typ}
		raws, err := Decode(types, key)
		if err != nil {
			return
		}
		again, err := Key(nil, types, raws)
		if err != nil {
			t.Fatalf("%s read from %x has no key: %v", raws[0], key, err)
		}
		back, err := Decode(types, again)
		if err != nil || !bytes.Equal(back[0], raws[0]) {
			t.Fatalf("%x is %s, whose key %x is %s (%v)", key, raws[0], again, back, err)
		}
	})
}

// A value from the wire has a key or an error, and its key reads back as a
// value with the same key.
func FuzzKey(f *testing.F) {
	f.Add("int", "nvarchar(5)", []byte(`[1,"\u0061b"]`))
	f.Add("datetimeoffset(2)", "real", []byte(`["0001-01-01T00:00:00.10+14:00",-0]`))
	f.Add("decimal(38,0)", "varbinary(max)", []byte(`["-99999999999999999999999999999999999999",""]`))
	f.Add("sql_variant", "bit", []byte(`[{"t":"nvarchar(3)","v":"abc"},true]`))
	f.Fuzz(func(t *testing.T, first, second string, row []byte) {
		a, errA := wire.ParseType(first)
		b, errB := wire.ParseType(second)
		raws, errRow := wire.SplitRow(row, nil)
		if errA != nil || errB != nil || errRow != nil {
			return
		}
		types := []wire.Type{a, b}
		key, err := Key(nil, types, raws)
		if err != nil {
			return
		}
		if a.Kind == wire.Variant || b.Kind == wire.Variant {
			return
		}
		back, err := Decode(types, key)
		if err != nil {
			t.Fatalf("%s has the key %x, which is none: %v", row, key, err)
		}
		again, err := Key(nil, types, back)
		if err != nil || !bytes.Equal(again, key) {
			t.Fatalf("%s has the key %x, read as %s with the key %x (%v)", row, key, back, again, err)
		}
	})
}
