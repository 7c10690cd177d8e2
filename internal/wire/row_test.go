package wire

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSplitRow(t *testing.T) {
	tests := []struct {
		line string
		want []string // nil: an error
	}{
		{`[]`, []string{}},
		{`["1",null,true,-1.5e3,"a,]\"b",{"t":"int","v":7}]`, []string{`"1"`, `null`, `true`, `-1.5e3`, `"a,]\"b"`, `{"t":"int","v":7}`}},
		{`["😀","\ud83d\ude00"]`, []string{`"😀"`, `"\ud83d\ude00"`}},
		{``, nil}, {`[`, nil}, {`[1`, nil}, {`[1,]`, nil}, {`[,1]`, nil}, {`[1]]`, nil}, {`[1] `, nil}, {`[1 ]`, nil},
		{`[nul]`, nil}, {`[01]`, nil}, {`[1.]`, nil}, {`["a]`, nil}, {`["\x"]`, nil}, {`["\u12"]`, nil},
		{`["\ud83d"]`, nil}, {`["\ude00"]`, nil}, {`["\ud83d\u0041"]`, nil}, {"[\"\xff\"]", nil}, {"[\"\x01\"]", nil},
		{`[[1]]`, nil}, {`[{"a":{"b":1}}]`, nil}, {`[{}]`, nil}, {`[{"a"}]`, nil}, {`[{"a":1]`, nil}, {`{"a":1}`, nil},
	}
	for _, tt := range tests {
		got, err := SplitRow([]byte(tt.line), nil)
		if (err == nil) != (tt.want != nil) {
			t.Errorf("SplitRow(%q): %v", tt.line, err)
			continue
		}
		if err != nil {
			continue
		}
		s := []string{}
		for _, e := range got {
			s = append(s, string(e))
		}
		if d := cmp.Diff(tt.want, s); d != "" {
			t.Errorf("SplitRow(%q): %s", tt.line, d)
		}
	}
}

// What SplitRow takes, encoding/json takes too, and sees the same values.
func FuzzSplitRow(f *testing.F) {
	for _, s := range []string{`["1",7,"O'Hara",null,{"t":"int","v":7}]`, `["\u0000\ud83d\ude00"]`, `[1e5,-0]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		got, err := SplitRow(line, nil)
		if err != nil {
			return
		}
		var want []json.RawMessage
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatalf("SplitRow took %q, json does not: %v", line, err)
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %d values, json sees %d", line, len(got), len(want))
		}
		for i := range got {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("%q: value %d is %q, json sees %q", line, i, got[i], want[i])
			}
			if got[i][0] != '"' {
				continue
			}
			text, err := Unquote(nil, got[i])
			if err != nil {
				t.Fatal(err)
			}
			var s string
			if err := json.Unmarshal(want[i], &s); err != nil || s != string(text) {
				t.Fatalf("Unquote(%s) = %q, json reads %q (%v)", got[i], text, s, err)
			}
		}
	})
}

func TestAppendStringRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		raw := AppendString(nil, s)
		if back, err := Unquote(nil, raw); err != nil || string(back) != s {
			t.Fatalf("%q became %s, then %q (%v)", s, raw, back, err)
		}
		line := append(append([]byte{'['}, raw...), ']')
		if got, err := SplitRow(line, nil); err != nil || len(got) != 1 || !bytes.Equal(got[0], raw) {
			t.Fatalf("SplitRow(%s) = %q, %v", line, got, err)
		}
	})
}

func TestUnquoteRefuses(t *testing.T) {
	for _, raw := range []string{``, `"`, `a`, `"a`, `"a"b"`, `"\q"`, `"\ud800"`, "\"\n\""} {
		if s, err := Unquote(nil, []byte(raw)); err == nil {
			t.Errorf("Unquote(%q) = %q, want an error", raw, s)
		}
	}
}

func BenchmarkSplitRow(b *testing.B) {
	line := []byte(`["123456",42,"` + strings.Repeat("x", 60) + `","12.3400","2026-11-23T10:00:00.1234567",true,"0f8fad5b-d9cb-469f-a165-70867728950e"]`)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	var into [][]byte
	for b.Loop() {
		var err error
		if into, err = SplitRow(line, into); err != nil {
			b.Fatal(err)
		}
	}
}
