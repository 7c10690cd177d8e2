package summary

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tidemark/internal/wire"
)

// sqlServerGUID compares as SQL Server does: by the bytes of the form that it
// stores, in the order that is documented for it. It is written apart from
// codeOf on purpose.
func sqlServerGUID(a, b [16]byte) int {
	stored := func(g [16]byte) []byte {
		slices.Reverse(g[0:4])
		slices.Reverse(g[4:6])
		slices.Reverse(g[6:8])
		return g[:]
	}
	x, y := stored(a), stored(b)
	for _, part := range [][2]int{{10, 16}, {8, 10}, {6, 8}, {4, 6}, {0, 4}} {
		if c := bytes.Compare(x[part[0]:part[1]], y[part[0]:part[1]]); c != 0 {
			return c
		}
	}
	return 0
}

// sortable draws values of one type with the source's order of two of them.
type sortable struct {
	typ  string
	draw func(t *rapid.T) (raw string, compare func(other any) int, self any)
}

func numeric[T cmp.Ordered](self T, raw string) (string, func(any) int, any) {
	return raw, func(o any) int { return cmp.Compare(self, o.(T)) }, self
}

var sortables = []sortable{
	{"int", func(t *rapid.T) (string, func(any) int, any) {
		n := int64(rapid.Int32().Draw(t, "int"))
		return numeric(n, fmt.Sprint(n))
	}},
	{"bigint", func(t *rapid.T) (string, func(any) int, any) {
		n := rapid.Int64().Draw(t, "bigint")
		return numeric(n, quoted(n))
	}},
	{"bigint", func(t *rapid.T) (string, func(any) int, any) { // side by side
		n := rapid.Int64Range(-300, 300).Draw(t, "near")
		return numeric(n, quoted(n))
	}},
	{"tinyint", func(t *rapid.T) (string, func(any) int, any) {
		n := int64(rapid.Byte().Draw(t, "tinyint"))
		return numeric(n, fmt.Sprint(n))
	}},
	{"decimal(18,0)", func(t *rapid.T) (string, func(any) int, any) {
		n := rapid.Int64Range(-999_999_999_999_999_999, 999_999_999_999_999_999).Draw(t, "decimal")
		return numeric(n, quoted(n))
	}},
	{"date", func(t *rapid.T) (string, func(any) int, any) {
		s := drawDate(t) // texts of one length sort as what they say
		return numeric(s, `"`+s+`"`)
	}},
	{"time(3)", func(t *rapid.T) (string, func(any) int, any) {
		s := drawClock(t) + fmt.Sprintf(".%03d", rapid.IntRange(0, 999).Draw(t, "ms"))
		return numeric(s, `"`+s+`"`)
	}},
	{"datetime2(7)", func(t *rapid.T) (string, func(any) int, any) {
		s := drawDate(t) + "T" + drawClock(t) + fmt.Sprintf(".%07d", rapid.IntRange(0, 9_999_999).Draw(t, "ticks"))
		return numeric(s, `"`+s+`"`)
	}},
	{"uniqueidentifier", func(t *rapid.T) (string, func(any) int, any) {
		var b [16]byte
		copy(b[:], rapid.SliceOfN(rapid.ByteRange(0, 3), 16, 16).Draw(t, "guid"))
		if rapid.Bool().Draw(t, "wide") {
			copy(b[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "guid"))
		}
		return guidText(b), func(o any) int { return sqlServerGUID(b, o.([16]byte)) }, b
	}},
}

func drawDate(t *rapid.T) string {
	y, m := rapid.IntRange(1, 9999).Draw(t, "y"), rapid.IntRange(1, 12).Draw(t, "m")
	last := 31
	switch m {
	case 4, 6, 9, 11:
		last = 30
	case 2:
		last = 28
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			last = 29
		}
	}
	return fmt.Sprintf("%04d-%02d-%02d", y, m, rapid.IntRange(1, last).Draw(t, "d"))
}

func drawClock(t *rapid.T) string {
	return fmt.Sprintf("%02d:%02d:%02d", rapid.IntRange(0, 23).Draw(t, "h"), rapid.IntRange(0, 59).Draw(t, "min"), rapid.IntRange(0, 59).Draw(t, "s"))
}

// In the source's own order, the rows of a leaf come together, those of a node
// do, and where nodes are counted their ids ascend; with columns in front and
// without.
func TestLeavesAreContiguous(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		last := rapid.SampledFrom(sortables).Draw(t, "last column")
		types := []wire.Type{}
		for _, name := range []string{"int", last.typ} {
			typ, err := wire.ParseType(name)
			if err != nil {
				t.Fatal(err)
			}
			types = append(types, typ)
		}
		l := Layout{Number: 1, Kind: Ordered, Column: 1, Shift: rapid.IntRange(0, codeBits(types[1])).Draw(t, "shift")}
		front := rapid.IntRange(0, 2).Draw(t, "columns in front")
		if front == 0 {
			types, l.Column = types[1:], 0
		}
		type row struct {
			key     []byte
			front   int
			compare func(any) int
			self    any
		}
		var rows []row
		for range rapid.IntRange(2, 60).Draw(t, "rows") {
			raw, compare, self := last.draw(t)
			r := row{nil, 0, compare, self}
			raws := []string{raw}
			if front > 0 {
				r.front = rapid.IntRange(-1, 1).Draw(t, "front")
				raws = []string{fmt.Sprint(r.front), raw}
			}
			r.key = keyOf(t, types, raws...)
			rows = append(rows, r)
		}
		slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.front, b.front), a.compare(b.self)) })
		b, err := NewBucketer(l, types, Secret{1})
		if err != nil {
			t.Fatal(err)
		}
		leaves, nodes := map[Leaf]bool{}, map[Node]bool{}
		before := Leaf{}
		for i, r := range rows {
			leaf, err := b.Leaf(r.key)
			if err != nil {
				t.Fatal(err)
			}
			if i > 0 && leaf != before && leaves[leaf] || i > 0 && leaf.Node != before.Node && nodes[leaf.Node] {
				t.Fatalf("row %d of %d is back in %v", i, len(rows), leaf)
			}
			if i > 0 && l.Counted(types) && leaf.Compare(before) < 0 {
				t.Fatalf("row %d is in %v, before it %v", i, leaf, before)
			}
			leaves[leaf], nodes[leaf.Node], before = true, true, leaf
		}
	})
}

// A key is within the range of its leaf and of no other leaf beside it.
func TestRangeHoldsItsKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(sortables).Draw(t, "type")
		typ, err := wire.ParseType(s.typ)
		if err != nil {
			t.Fatal(err)
		}
		types := []wire.Type{{Kind: wire.NVarChar, Len: 10}, typ}
		l := Layout{Number: 1, Kind: Ordered, Column: 1, Shift: rapid.IntRange(0, codeBits(typ)).Draw(t, "shift")}
		prefix := string(wire.AppendString(nil, rapid.StringN(0, 5, -1).Draw(t, "prefix")))
		if rapid.Bool().Draw(t, "alone") {
			types, l.Column = types[1:], 0
		}
		key := func(raw string) []byte {
			if len(types) == 2 {
				return keyOf(t, types, prefix, raw)
			}
			return keyOf(t, types, raw)
		}
		b, err := NewBucketer(l, types, Secret{1})
		if err != nil {
			t.Fatal(err)
		}
		raw, compare, _ := s.draw(t)
		leaf, err := b.Leaf(key(raw))
		if err != nil {
			t.Fatal(err)
		}
		var anchor []byte
		if !l.Counted(types) {
			if anchor, err = b.AppendAnchor(nil, key(raw)); err != nil {
				t.Fatal(err)
			}
		}
		r, err := b.Range(leaf, anchor)
		if err != nil || r.Empty {
			t.Fatalf("range of a leaf with a key: %+v, %v", r, err)
		}
		if len(types) == 2 && string(r.Prefix[0]) != prefix {
			t.Fatalf("prefix %s, want %s", r.Prefix[0], prefix)
		}
		for _, end := range [][]byte{r.Low, r.High} {
			if err := wire.CheckValue(typ, end); err != nil {
				t.Fatal(err)
			}
			if at, err := b.Leaf(key(string(end))); err != nil || at != leaf {
				t.Fatalf("%s at the end of leaf %v is in %v, %v", end, leaf, at, err)
			}
		}
		other, _, self := s.draw(t)
		at, err := b.Leaf(key(other))
		if err != nil {
			t.Fatal(err)
		}
		code := func(raw string) Code {
			_, c, err := b.split(key(raw))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		c := code(other)
		within := c.Compare(code(string(r.Low))) >= 0 && c.Compare(code(string(r.High))) <= 0
		if within != (at == leaf) {
			t.Fatalf("%s within %s to %s: %v, in its leaf: %v", other, r.Low, r.High, within, at == leaf)
		}
		if (compare(self) < 0) != (code(raw).Compare(c) < 0) {
			t.Fatalf("%s and %s sort otherwise than their codes", raw, other)
		}
	})
}

func TestRangeBeyondTheType(t *testing.T) {
	for _, tt := range []struct {
		typ   string
		shift int
		raw   string
		low   string
		high  string
	}{
		{"int", 32, `-2147483648`, `-2147483648`, `-1`},
		{"int", 64, `7`, `-2147483648`, `2147483647`},
		{"tinyint", 7, `200`, `128`, `255`},
		{"bigint", 64, `"-9223372036854775808"`, `"-9223372036854775808"`, `"9223372036854775807"`},
		{"bigint", 7, `"9223372036854775807"`, `"9223372036854775680"`, `"9223372036854775807"`},
		{"date", 64, `"2026-11-23"`, `"0001-01-01"`, `"9999-12-31"`},
		{"time(0)", 64, `"10:00:00"`, `"00:00:00"`, `"23:59:59"`},
		{"datetime2(7)", 0, `"9999-12-31T23:59:59.9999999"`, `"9999-12-31T23:59:59.9999999"`, `"9999-12-31T23:59:59.9999999"`},
		{"smalldatetime", 30, `"2026-11-23T10:00:00"`, `"2026-11-23T10:00:00"`, `"2026-11-23T10:01:00"`},
	} {
		types := typesOf(t, tt.typ)
		b, err := NewBucketer(Layout{Number: 1, Kind: Ordered, Shift: tt.shift}, types, Secret{})
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := b.Leaf(keyOf(t, types, tt.raw))
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.Range(leaf, nil)
		if err != nil || string(r.Low) != tt.low || string(r.High) != tt.high {
			t.Errorf("%s >> %d of %s: %s to %s, %v; want %s to %s", tt.raw, tt.shift, tt.typ, r.Low, r.High, err, tt.low, tt.high)
		}
	}
	types := typesOf(t, "tinyint")
	b, err := NewBucketer(Layout{Number: 1, Kind: Ordered, Shift: 7}, types, Secret{})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := b.Range(Leaf{}, nil); err != nil || !r.Empty {
		t.Errorf("a leaf of values that no tinyint has: %+v, %v", r, err)
	}
}
