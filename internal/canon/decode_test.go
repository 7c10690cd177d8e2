package canon

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"tidemark/internal/wire"
)

// values draws a wire value of some type that keys have.
func values(t *rapid.T) (wire.Type, []byte) {
	digits := func(n int) string { return fmt.Sprintf("%0*d", n, rapid.Uint32Range(0, 9999).Draw(t, "fraction"))[:n] }
	date := func() string {
		return fmt.Sprintf("%04d-%02d-%02d", rapid.IntRange(1, 9999).Draw(t, "y"), rapid.IntRange(1, 12).Draw(t, "m"), rapid.IntRange(1, 28).Draw(t, "d"))
	}
	clock := func() string {
		return fmt.Sprintf("%02d:%02d:%02d", rapid.IntRange(0, 23).Draw(t, "h"), rapid.IntRange(0, 59).Draw(t, "min"), rapid.IntRange(0, 59).Draw(t, "s"))
	}
	var name, raw string
	switch rapid.IntRange(0, 11).Draw(t, "type") {
	case 0:
		name, raw = "bit", fmt.Sprint(rapid.Bool().Draw(t, "v"))
	case 1:
		name, raw = "int", fmt.Sprint(rapid.Int32().Draw(t, "v"))
	case 2:
		name, raw = "bigint", fmt.Sprintf("%q", fmt.Sprint(rapid.Int64().Draw(t, "v")))
	case 3:
		name, raw = "decimal(20,3)", fmt.Sprintf(`"%d.%s"`, rapid.IntRange(1, 1e15).Draw(t, "v"), digits(3))
	case 4:
		name, raw = "money", fmt.Sprintf(`"-%d.%s"`, rapid.IntRange(1, 1e12).Draw(t, "v"), digits(4))
	case 5:
		name, raw = "date", `"`+date()+`"`
	case 6:
		name, raw = "time(2)", `"`+clock()+"."+digits(2)+`"`
	case 7:
		name, raw = "datetime2(4)", `"`+date()+"T"+clock()+"."+digits(4)+`"`
	case 8:
		name, raw = "datetimeoffset(3)", `"`+date()+"T"+clock()+"."+digits(3)+`-05:30"`
	case 9:
		name, raw = "nvarchar(max)", string(wire.AppendString(nil, rapid.String().Draw(t, "v")))
	case 10:
		name, raw = "varbinary(max)", fmt.Sprintf("%q", quoteless(rapid.SliceOf(rapid.Byte()).Draw(t, "v")))
	default:
		b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "v")
		name, raw = "uniqueidentifier", fmt.Sprintf(`"%x-%x-%x-%x-%x"`, b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	}
	typ, err := wire.ParseType(name)
	if err != nil {
		t.Fatal(err)
	}
	return typ, []byte(raw)
}

func quoteless(b []byte) string {
	raw, err := decode(wire.Type{Kind: wire.VarBinary}, Bytes, b)
	if err != nil {
		return err.Error()
	}
	return string(inner(raw))
}

// A key's canonical bytes read back as the values that they were made of.
func TestDecodeReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var types []wire.Type
		var raws [][]byte
		for range rapid.IntRange(1, 4).Draw(t, "columns") {
			typ, raw := values(t)
			types, raws = append(types, typ), append(raws, raw)
		}
		key, err := Key(nil, types, raws)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(types, key)
		if err != nil {
			t.Fatal(err)
		}
		for i := range raws {
			if !bytes.Equal(back[i], raws[i]) {
				t.Errorf("%s: %s came back as %s", types[i], raws[i], back[i])
			}
		}
	})
}

// Whatever bytes arrive, Decode ends without a panic and gives only values
// that the types have.
func TestDecodeRefusesGarbage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ, raw := values(t)
		key, err := Key(nil, []wire.Type{typ}, [][]byte{raw})
		if err != nil {
			t.Fatal(err)
		}
		cut := rapid.IntRange(0, len(key)).Draw(t, "cut")
		key = append(key[:cut:cut], rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "garbage")...)
		back, err := Decode([]wire.Type{typ}, key)
		if err == nil && wire.CheckValue(typ, back[0]) != nil {
			t.Fatalf("%s read from %x", back[0], key)
		}
	})
	for _, key := range [][]byte{nil, {'i'}, {'i', 8, 1}, {'i', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}} {
		if _, err := Decode([]wire.Type{{Kind: wire.Int}}, key); err == nil {
			t.Errorf("%x was read", key)
		}
	}
	if _, err := Decode([]wire.Type{{Kind: wire.Variant}}, []byte("v\x0ai\x08\x80\x00\x00\x00\x00\x00\x00\x01")); err == nil {
		t.Error("a sql_variant was read back without its base type")
	}
}
