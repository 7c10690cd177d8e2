package summary

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// The layout chosen gives tables of every shape leaves of 64 to 256 rows, and
// large ones nodes of many.
func TestChoose(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	day := func(i int) time.Time { return time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i) }
	for _, tt := range []struct {
		name   string
		types  []string
		n      int
		row    func(i int) []string
		kind   Kind
		column int
	}{
		{"dense int", []string{"int"}, 300_000, func(i int) []string { return []string{fmt.Sprint(i + 1)} }, Ordered, 0},
		{"int by tens, below zero", []string{"int"}, 100_000, func(i int) []string { return []string{fmt.Sprint(-10 * i)} }, Ordered, 0},
		{"int with large gaps", []string{"bigint"}, 200_000, func(i int) []string { return []string{quoted(int64(i) + int64(i/10_000)*1e12)} }, Ordered, 0},
		{"bursts", []string{"bigint"}, 200_000, func(i int) []string { return []string{quoted(int64(i%128) + int64(i/128)*1e6)} }, Ordered, 0},
		{"the extremes of bigint", []string{"bigint"}, 20_000, func(i int) []string {
			return []string{quoted([]int64{-1 << 63, 1<<63 - 20_000}[i%2] + int64(i))}
		}, Ordered, 0},
		{"random bigint", []string{"bigint"}, 200_000, func(int) []string { return []string{quoted(int64(rnd.Uint64()))} }, Ordered, 0},
		{"random guid", []string{"uniqueidentifier"}, 200_000, func(int) []string { return []string{guidText(random(rnd))} }, Ordered, 0},
		{"sequential guid", []string{"uniqueidentifier"}, 200_000, func(i int) []string { return []string{sequential(0x5b3 + uint32(i))} }, Ordered, 0},
		{"lines of orders", []string{"int", "smallint"}, 200_000, func(i int) []string { return []string{fmt.Sprint(i / 3), fmt.Sprint(i % 3)} }, Ordered, 0},
		{"a few large tenants", []string{"varchar(9)", "int"}, 200_000, func(i int) []string {
			return []string{fmt.Sprintf("%q", []string{"ACME", "Globex", "Initech"}[i%3]), fmt.Sprint(i / 3)}
		}, Ordered, 1},
		{"tenants of a few rows", []string{"varchar(9)", "int"}, 200_000, func(i int) []string { return []string{fmt.Sprintf(`"T%d"`, i/20), fmt.Sprint(i % 20)} }, Hashed, 0},
		{"days", []string{"int", "date"}, 9_000, func(i int) []string { return []string{fmt.Sprint(i % 3), day(i / 3).Format(`"2006-01-02"`)} }, Ordered, 1},
		{"texts", []string{"nvarchar(20)"}, 100_000, func(i int) []string { return []string{fmt.Sprintf(`"K%d"`, i)} }, Hashed, 0},
		{"decimal as a number", []string{"decimal(18,0)"}, 100_000, func(i int) []string { return []string{quoted(int64(i))} }, Ordered, 0},
		{"a few rows", []string{"int"}, 40, func(i int) []string { return []string{fmt.Sprint(i)} }, Hashed, 0},
		{"no row", []string{"int"}, 0, nil, Hashed, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			types := typesOf(t, tt.types...)
			s := NewSampler(types, 7)
			var keys [][]byte
			for i := range tt.n {
				key := keyOf(t, types, tt.row(i)...)
				keys = append(keys, key)
				if !s.Want() {
					s.Skip()
				} else if err := s.Add(key); err != nil {
					t.Fatal(err)
				}
			}
			l := s.Layout(4, 2)
			if err := l.Check(types); err != nil {
				t.Fatal(err)
			}
			if l.Number != 4 || l.Epoch != 2 || l.Rows != int64(tt.n) || l.Kind != tt.kind || l.Column != tt.column {
				t.Fatalf("layout %+v, want %s by column %d", l, tt.kind, tt.column)
			}
			b, err := NewBucketer(l, types, Secret{9})
			if err != nil {
				t.Fatal(err)
			}
			leaves, nodes := map[Leaf]int{}, map[Node]int{}
			for _, key := range keys {
				leaf, err := b.Leaf(key)
				if err != nil {
					t.Fatal(err)
				}
				leaves[leaf]++
				nodes[leaf.Node]++
			}
			if tt.n < 64 {
				return
			}
			squares := 0
			for _, n := range leaves {
				squares += n * n
			}
			weighted, mean := float64(squares)/float64(tt.n), float64(tt.n)/float64(len(leaves))
			if weighted < 60 || weighted > 280 || mean < fewRows {
				t.Errorf("layout %+v: a row's leaf has %.0f rows, a leaf %.0f", l, weighted, mean)
			}
			if tt.n >= largeTable && tt.n/len(nodes) < leastOfNode {
				t.Errorf("layout %+v: %d nodes", l, len(nodes))
			}
			if l.Due(int64(tt.n), int64(len(leaves))) || l.Due(3*int64(tt.n)/2, int64(len(leaves))) {
				t.Errorf("layout %+v is due as soon as it is made", l)
			}
		})
	}
}

func TestDue(t *testing.T) {
	l := Layout{Rows: 1_000_000}
	for _, tt := range []struct {
		rows, leaves int64
		want         bool
	}{
		{1_000_000, 8_000, false},
		{1_900_000, 1_000, false}, // crowded, but it was so when it was chosen
		{5_000_000, 40_000, false},
		{5_000_000, 9_000, true},
		{400_000, 8_000, false},
		{200_000, 8_000, true},
		{100, 60, false},
		{0, 0, false},
	} {
		if got := l.Due(tt.rows, tt.leaves); got != tt.want {
			t.Errorf("%d rows in %d leaves: due %v", tt.rows, tt.leaves, got)
		}
	}
	if empty := (Layout{}); empty.Due(300, 1) || !empty.Due(600, 1) {
		t.Error("a layout made for no rows is due when there are 513")
	}
}

func TestLayoutCheck(t *testing.T) {
	types := typesOf(t, "int", "nvarchar(9)", "uniqueidentifier", "decimal(19,0)", "datetimeoffset(0)")
	for _, l := range []Layout{
		{Kind: Hashed},
		{Number: 1},
		{Number: 1, Kind: "other"},
		{Number: 1, Kind: Hashed, Bits: 41},
		{Number: 1, Kind: Hashed, Bits: -1},
		{Number: 1, Kind: Hashed, Rows: -1},
		{Number: 1, Kind: Ordered, Column: 5},
		{Number: 1, Kind: Ordered, Column: -1},
		{Number: 1, Kind: Ordered, Column: 1},
		{Number: 1, Kind: Ordered, Column: 3},
		{Number: 1, Kind: Ordered, Column: 4},
		{Number: 1, Kind: Ordered, Shift: 65},
		{Number: 1, Kind: Ordered, Shift: -1},
		{Number: 1, Kind: Ordered, Column: 2, Shift: 129},
	} {
		if _, err := NewBucketer(l, types, Secret{}); !errors.Is(err, ErrLayout) {
			t.Errorf("%+v: %v", l, err)
		}
	}
}
