package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"
)

// Frames: what comes out keeps to the limit, io.EOF comes of a whole frame
// alone, and all else is one of the three errors.
func FuzzFrameReader(f *testing.F) {
	const most = 1 << 16
	var frame bytes.Buffer
	w := NewFrameWriter(&frame)
	if _, err := w.Write(bytes.Repeat([]byte("some text, "), 300)); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(frame.Bytes())
	f.Add(append(bytes.Clone(frame.Bytes()), frame.Bytes()...))
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0}) // claims 2^63 bytes
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x02, 0xff, 0x7f, 0x61})                            // a window of 2 TiB, one byte said often
	f.Add([]byte{0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff})                                        // a frame to skip, of 4 GiB
	f.Fuzz(func(t *testing.T, b []byte) {
		text, err := readFrame(b, most)
		if len(text) > most {
			t.Fatalf("%d bytes came out (%v)", len(text), err)
		}
		if err != nil && !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrBody) {
			t.Fatal(err)
		}
	})
}

// A header that is taken and found right is read back as it is written.
func FuzzHeader(f *testing.F) {
	mark, cursor := uint64(math.MaxUint64), "a\x00b"
	h := Header{Protocol: Protocol, Kind: Load, Seq: 1, ID: "00112233445566778899aabbccddeeff", Writer: Writer{ID: "i", Name: "n", Run: "r"},
		Epoch: "e", Schema: "s", Columns: []string{"id", `a"b`}, Rows: 1, Watermark: &mark, Cursor: &cursor, Marks: &cursor, Complete: true}
	for _, h := range []Header{h, {Protocol: Protocol, Kind: Delete, Seq: 7}} {
		text, err := json.Marshal(h)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"v":2,"kind":"delta","new":1}`))
	f.Add([]byte(`{"v":1,"rows":1e99}`))
	f.Add([]byte(`{"v":1,"rows":1,"rows":2,"ROWS":3}`))
	f.Fuzz(func(t *testing.T, head []byte) {
		body, err := encodeFrame(nil, append(bytes.ReplaceAll(head, []byte("\n"), []byte(" ")), '\n'))
		if err != nil {
			t.Fatal(err)
		}
		read := func(body []byte) (h Header, err error) {
			r, err := NewBodyReader(bytes.NewReader(body), limits)
			if err != nil {
				return h, err
			}
			defer r.Close()
			return h, r.Header(&h)
		}
		h, err := read(body)
		if err != nil || h.Check() != nil {
			return
		}
		again, err := EncodeHeader(nil, h)
		if err != nil {
			t.Fatal(err)
		}
		back, err := read(again)
		if err != nil || back.Check() != nil {
			t.Fatalf("%s became unreadable: %v, %v", head, err, back.Check())
		}
		one, _ := json.Marshal(h)
		two, _ := json.Marshal(back)
		if !bytes.Equal(one, two) {
			t.Fatalf("%s became %s", one, two)
		}
	})
}

// A type that is read is written as it was read. An element of a row that is
// one of its values is one for encoding/json too.
func FuzzValue(f *testing.F) {
	for _, v := range [][2]string{
		{"bit", `true`}, {"tinyint", `255`}, {"bigint", `"-9223372036854775808"`}, {"real", `1.5e-7`}, {"float", `-0`},
		{"decimal(38,38)", `"-0.00000000000000000000000000000000000001"`}, {"money", `"-922337203685477.5808"`},
		{"date", `"9999-12-31"`}, {"time(7)", `"23:59:59.9999999"`}, {"datetimeoffset(0)", `"0001-01-01T00:00:00-14:00"`},
		{"nvarchar(2)", `"\ud83d\ude00"`}, {"varchar(max)", `"a\"b"`}, {"varbinary(max)", `"AAE="`}, {"char(8000)", `""`},
		{"uniqueidentifier", `"0f8fad5b-d9cb-469f-a165-70867728950e"`}, {"sql_variant", `{"t":"sql_variant","v":{"t":"int","v":1}}`},
		{"sql_variant", `{"t":"decimal(3,2)","v":"1.00"}`}, {"decimal(39,1)", `"1"`}, {"time(8)", `1`}, {"varchar(-1)", `""`},
	} {
		f.Add(v[0], []byte(v[1]))
	}
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		typ, err := ParseType(name)
		if err != nil {
			return
		}
		if again, err := ParseType(typ.String()); err != nil || again != typ {
			t.Fatalf("%q is %+v, written %q, read %+v (%v)", name, typ, typ, again, err)
		}
		row, err := SplitRow(append(append([]byte{'['}, raw...), ']'), nil)
		if err != nil || len(row) != 1 || CheckValue(typ, row[0]) != nil {
			return
		}
		if !json.Valid(row[0]) || bytes.IndexByte(row[0], '\n') >= 0 {
			t.Fatalf("a %s is %q", typ, row[0])
		}
		if typ.Kind != Variant {
			return
		}
		var v VariantValue
		if err := json.Unmarshal(row[0], &v); err != nil || CheckValue(v.Type, v.Value) != nil {
			t.Fatalf("a %s is %s: %v", typ, row[0], err)
		}
	})
}

// A lease that is believed holds no longer than a week.
func FuzzLease(f *testing.F) {
	f.Add(Lease{Hold: time.Hour, Return: time.Minute, Every: time.Minute, Pace: time.Second}.String())
	f.Add(`return=1432.5;about=1,every=1800 ,	pace=300, new="a, b=c", hold=3600, other`)
	f.Add("hold=0x1p9, return=1e-9, every=1e-10, pace=Inf")
	f.Fuzz(func(t *testing.T, field string) {
		l, ok := ParseLease(field)
		for _, d := range []time.Duration{l.Hold, l.Return, l.Every, l.Pace} {
			if ok && (d <= 0 || d > longestLease) {
				t.Fatalf("%q is %+v", field, l)
			}
		}
	})
}

// A schema that passed Check has the columns of its key, and one fingerprint.
func FuzzSchema(f *testing.F) {
	text, err := json.Marshal(Schema{Columns: []Column{{Name: "id", Type: Type{Kind: Int}}, {Name: `"; drop`, Type: Type{Kind: NVarChar, Len: MaxLen}, Nullable: true}},
		Key: []string{"id"}, Versioning: ByRowVersion})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"columns":[{"name":"a","type":"int"},{"name":"a","type":"int"}],"key":["a","a"],"versioning":"content"}`))
	f.Add([]byte(`{"columns":[{"name":"\ud800","type":"varchar(9999999999)"}],"key":[]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var s Schema
		if json.Unmarshal(doc, &s) != nil || s.Check() != nil {
			return
		}
		if n := len(s.KeyTypes()); n != len(s.Key) {
			t.Fatalf("%d types of %d key columns", n, len(s.Key))
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Schema
		if err := json.Unmarshal(text, &back); err != nil || back.Check() != nil || back.Fingerprint() != s.Fingerprint() {
			t.Fatalf("%s: %v, %v", text, err, back.Check())
		}
	})
}
