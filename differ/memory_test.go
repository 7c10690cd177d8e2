package differ_test

import (
	"context"
	"runtime"
	"testing"

	"tidemark/differ"
	"tidemark/differ/summary"
)

// What a diff of equal tables allocates in all does not grow with the table,
// beyond the cells of a hashed layout.
func TestTreeMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a million keys")
	}
	allocated := func(n int, l summary.Layout) uint64 {
		table := intTable(n)
		if err := table.sum(l, summary.Secret{}); err != nil {
			t.Fatal(err)
		}
		o := differ.TreeOptions{Options: differ.Options{Types: table.types, Watermark: 1 << 62}}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		r, err := differ.ByTree(context.Background(), o, table, table)
		runtime.ReadMemStats(&after)
		if err != nil || !r.Equal() || r.Matched != int64(n) || r.Passes != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	for _, tt := range []struct {
		name         string
		small, large summary.Layout
		more         uint64
	}{
		{"ordered", summary.Layout{Number: 1, Kind: summary.Ordered, Shift: 7}, summary.Layout{Number: 1, Kind: summary.Ordered, Shift: 7}, 1 << 20},
		{"hashed", summary.Layout{Number: 1, Kind: summary.Hashed, Bits: 10}, summary.Layout{Number: 1, Kind: summary.Hashed, Bits: 13}, 1 << 20},
	} {
		small, large := allocated(100_000, tt.small), allocated(1_000_000, tt.large)
		t.Logf("%s: %d KiB for 100,000 rows, %d KiB for 1,000,000", tt.name, small>>10, large>>10)
		if large > small+tt.more || large > 16<<20 {
			t.Errorf("%s: %d bytes for 100,000 rows, %d for 1,000,000", tt.name, small, large)
		}
	}
}
