package differ_test

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"tidemark/differ"
	"tidemark/differ/summary"
	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// bigTable is a source of many rows that holds none of them, and a cloud that
// is equal. Keys come from their number, in the source's order.
type bigTable struct {
	differ.TreeCloud // only Tree is called while both sides are equal
	n                int
	types            []wire.Type
	line             func(dst []byte, i int) []byte
	tree             *summary.Tree
	chunks           []wire.Lines // all lines, when they are held
}

const chunkRows = 10_000

func (b *bigTable) Keys(_ context.Context, after string, out *wire.Lines) (string, bool, error) {
	from := 0
	if after != "" {
		from, _ = strconv.Atoi(after)
	}
	to := min(from+chunkRows, b.n)
	if b.chunks != nil {
		out.Buf, out.N = append(out.Buf, b.chunks[from/chunkRows].Buf...), to-from
		return strconv.Itoa(to), to == b.n, nil
	}
	for i := from; i < to; i++ {
		out.Buf = append(b.line(out.Buf, i), '\n')
	}
	out.N = to - from
	return strconv.Itoa(to), to == b.n, nil
}

func (b *bigTable) Lookup(context.Context, [][]byte, *wire.Lines) ([]differ.Found, error) {
	panic("nothing differs")
}

func (b *bigTable) Tree(context.Context, int) (*summary.Tree, error) { return b.tree, nil }

// sum sums the table up as the cloud has it.
func (b *bigTable) sum(l summary.Layout, s summary.Secret) error {
	bucket, err := summary.NewBucketer(l, b.types, s)
	if err != nil {
		return err
	}
	hash := summary.NewHasher(s, l.Number)
	cells := map[summary.Node]summary.Cell{}
	leaves := map[summary.Leaf]bool{}
	var raws [][]byte
	var line, key []byte
	for i := range b.n {
		line = b.line(line[:0], i)
		if raws, err = wire.SplitRow(line, raws); err != nil {
			return err
		}
		if key, err = canon.Key(key[:0], b.types, raws[1:]); err != nil {
			return err
		}
		leaf, err := bucket.Leaf(key)
		if err != nil {
			return err
		}
		rv, err := strconv.ParseUint(string(raws[0][1:len(raws[0])-1]), 10, 64)
		if err != nil {
			return err
		}
		c := cells[leaf.Node]
		c.Add(hash.Row(key, l.Epoch, rv))
		cells[leaf.Node] = c
		leaves[leaf] = true
	}
	b.tree = &summary.Tree{Layout: l, Width: summary.MaxWidth, Leaves: int64(len(leaves))}
	for n, c := range cells {
		b.tree.Nodes = append(b.tree.Nodes, summary.NodeCell{Node: n, Cell: c})
		b.tree.Root.Add(c)
	}
	slices.SortFunc(b.tree.Nodes, func(a, b summary.NodeCell) int { return cmp.Compare(a.Node, b.Node) })
	return nil
}

func intTable(n int) *bigTable {
	return &bigTable{n: n, types: []wire.Type{{Kind: wire.Int}}, line: func(dst []byte, i int) []byte {
		dst = strconv.AppendUint(append(dst, `["`...), 1_000_000+uint64(i)*7919%uint64(n+1), 10)
		return append(strconv.AppendInt(append(dst, `",`...), int64(i), 10), ']')
	}}
}

// BenchmarkStream is what a diff of equal tables takes per key beside reading
// it, which takes about a microsecond.
func BenchmarkStream(b *testing.B) {
	guids := func(n int) *bigTable {
		return &bigTable{n: n, types: []wire.Type{{Kind: wire.UniqueIdentifier}}, line: func(dst []byte, i int) []byte {
			return fmt.Appendf(dst, `["%d","%08x-89ab-4def-8123-%012x"]`, i+1000, i, uint64(i)<<28)
		}}
	}
	pairs := func(n int) *bigTable {
		return &bigTable{n: n, types: []wire.Type{{Kind: wire.Int}, {Kind: wire.BigInt}}, line: func(dst []byte, i int) []byte {
			return fmt.Appendf(dst, `["%d",%d,"%d"]`, i+1000, i/50_000, i%50_000)
		}}
	}
	const n = 200_000
	for _, tt := range []struct {
		name   string
		table  *bigTable
		layout summary.Layout
	}{
		{"int", intTable(n), summary.Layout{Number: 1, Kind: summary.Ordered, Shift: 7}},
		{"int hashed", intTable(n), summary.Layout{Number: 1, Kind: summary.Hashed, Bits: 11}},
		{"guid", guids(n), summary.Layout{Number: 1, Kind: summary.Ordered, Shift: 128 - 25}},
		{"int and bigint", pairs(n), summary.Layout{Number: 1, Kind: summary.Ordered, Column: 1, Shift: 7}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			if err := tt.table.sum(tt.layout, summary.Secret{}); err != nil {
				b.Fatal(err)
			}
			for done, after := false, ""; !done; {
				var chunk wire.Lines
				after, done, _ = (&bigTable{n: n, line: tt.table.line}).Keys(b.Context(), after, &chunk)
				tt.table.chunks = append(tt.table.chunks, chunk)
			}
			o := differ.TreeOptions{Options: differ.Options{Types: tt.table.types, Watermark: 1 << 62}}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for b.Loop() {
				r, err := differ.ByTree(context.Background(), o, tt.table, tt.table)
				if err != nil || !r.Equal() || r.Matched != n {
					b.Fatalf("%+v, %v", r, err)
				}
			}
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N)/n, "allocs/key")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/key")
		})
	}
}
