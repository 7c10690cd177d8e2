package cloud

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/internal/wire"
)

var sourceSchema = wire.Schema{Columns: []wire.Column{{Name: "c", Type: wire.Type{Kind: wire.NVarChar, Len: wire.MaxLen}, Nullable: true}, {Name: "k", Type: wire.Type{Kind: wire.VarChar, Len: 8000}},
	{Name: "v", Type: wire.Type{Kind: wire.Variant}, Nullable: true}}, Key: []string{"k"}, Versioning: wire.ByRowVersion}

var sourceLimits = wire.Limits{Body: 1 << 20, Line: 1 << 18}

func sourceOf(t *testing.T, keys bool, text ...string) *source {
	t.Helper()
	body, err := wire.EncodeBody(nil, wire.Header{}, []byte(strings.Join(append(text, ""), "\n")))
	if err != nil {
		t.Fatal(err)
	}
	if keys {
		return keySource(body, sourceLimits, len(text), sourceSchema)
	}
	return rowSource(body, sourceLimits, len(text), sourceSchema)
}

func TestSourceRefuses(t *testing.T) {
	tests := []struct {
		line   string
		column string // refused; "": taken
		key    string
	}{
		{`["1",null,"k",null]`, "", ""},
		{`["1","\\u0000","k",{"t":"varchar(9)","v":"\\\\u0000"}]`, "", ""},
		{`["1","a\u0000b","k",null]`, "c", `"k"`},
		{`["1","\\\u0000","k",null]`, "c", `"k"`},
		{`["1",7,"k",null]`, "c", `"k"`},
		{`["1","a","\u0000",null]`, "k", ""},
		{`["1","a",null,null]`, "k", ""},
		{`["1",7,null,null]`, "c", ""},
		{`["1","a","k",{"t":"varchar(9)","v":"\u0000"}]`, "v", `"k"`},
		{`["1","a","k",{"t":"varchar(2)","v":"abc"}]`, "v", `"k"`},
		{`["1","a","` + strings.Repeat(`\u0041`, 4000) + `",null]`, "k", ""},
		{`["1",7,"` + strings.Repeat(`\u0041`, 4000) + `",null]`, "c", ""},
	}
	var lines []string
	for _, tt := range tests {
		lines = append(lines, tt.line)
	}
	s := sourceOf(t, false, lines...)
	defer s.Close()
	for range 2 { // from the start again, also out of the middle
		for i, tt := range tests {
			row, err := s.Next()
			if err != nil {
				t.Fatal(err)
			}
			column := ""
			if row.Refusal != nil {
				column = row.Refusal.Column
				if row.Refusal.Reason == "" || len(row.Refusal.Reason) > 200 || row.Refusal.Row != i || row.Values != nil {
					t.Errorf("%.60s: %+v", tt.line, row)
				}
			}
			if key := string(bytes.Join(row.Key, nil)); row.Index != i || column != tt.column || key != tt.key {
				t.Errorf("%.60s: column %q, key %q; want %q, %q", tt.line, column, key, tt.column, tt.key)
			}
		}
		if _, err := s.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %v", err)
		}
		if err := s.Rewind(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSourceStamps(t *testing.T) {
	s := sourceOf(t, true, `["18446744073709551615","a"]`, `["7@3","b"]`)
	defer s.Close()
	var got []Row
	for {
		row, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		row.Values = nil
		got = append(got, row)
	}
	if d := cmp.Diff([]Row{{Version: 1<<64 - 1}, {Index: 1, Version: 7, Epoch: 3}}, got); d != "" {
		t.Error(d)
	}
}

// Whatever a line holds: it is a problem, a refusal, or values that are what
// the schema says.
func FuzzSource(f *testing.F) {
	for _, line := range []string{`["1","a","k",null]`, `["1",7,"k",{"t":"int","v":7}]`, `["7@3","k"]`, `["1","\u0000",null,null]`, `[]`, ``} {
		f.Add(line, false)
		f.Add(line, true)
	}
	f.Fuzz(func(t *testing.T, line string, keys bool) {
		if strings.ContainsRune(line, '\n') {
			t.Skip("two lines")
		}
		s := sourceOf(t, keys, line)
		defer s.Close()
		row, err := s.Next()
		var p *wire.Problem
		switch {
		case err != nil && !errors.As(err, &p) && !errors.Is(err, wire.ErrTooLarge):
			t.Fatalf("%q: %v", line, err)
		case err != nil || row.Refusal != nil:
			return
		}
		for i, raw := range row.Values {
			if isNull(raw) {
				continue
			}
			if err := wire.CheckValue(s.columns[i].Type, raw); err != nil {
				t.Fatalf("%q: value %d: %v", line, i, err)
			}
		}
	})
}

// A long line waits for its place; the rows before it come once, and the place
// is kept until the end.
func TestSourceWaitsWithLongLines(t *testing.T) {
	long := `["2","` + strings.Repeat("x", longLine) + `","k2",null]`
	s := sourceOf(t, false, `["1","a","k1",null]`, long, `["3","b","k3",null]`, long)
	s.limits = wire.Limits{Body: 64 << 20, Line: 2 * longLine}
	g := newGate("long lines", 1, 0, 0)
	s.long = func() (func(), error) { return g.enter(t.Context(), "", 1) }
	other, err := g.enter(t.Context(), "", 1)
	if err != nil {
		t.Fatal(err)
	}
	if row, err := s.Next(); err != nil || string(row.Values[1]) != `"k1"` {
		t.Fatalf("%+v, %v", row, err)
	}
	if _, err := s.Next(); !overloaded(err) {
		t.Fatalf("a long line came without a place: %v", err)
	}
	other()
	if err := s.Rewind(); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for {
		row, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, string(row.Values[1]))
		if row.Index != len(keys)-1 {
			t.Errorf("row %d has the index %d", len(keys)-1, row.Index)
		}
	}
	if d := cmp.Diff([]string{`"k1"`, `"k2"`, `"k3"`, `"k2"`}, keys); d != "" {
		t.Error(d)
	}
	if inside, _, _ := g.figures(); inside != 1 {
		t.Errorf("%d inside at the end of the lines", inside)
	}
	s.Close()
	if inside, _, _ := g.figures(); inside != 0 {
		t.Errorf("%d inside behind Close", inside)
	}

	s = sourceOf(t, false, `["1","`+strings.Repeat("x", 3*longLine)+`","k",null]`)
	s.limits = wire.Limits{Body: 64 << 20, Line: 2 * longLine}
	s.long = func() (func(), error) { return g.enter(t.Context(), "", 1) }
	defer s.Close()
	if _, err := s.Next(); !errors.Is(err, wire.ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
}
