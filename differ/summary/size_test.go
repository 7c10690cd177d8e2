package summary

import (
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// traffic counts what a diff of a table of 10 million rows sends, compressed,
// both ways, from messages of the sizes that it has.
type traffic struct {
	t     *testing.T
	rnd   *rand.Rand
	zip   *zstd.Encoder
	even  bool // every leaf has 128 rows; else about as many, by chance
	bytes int
}

func (f *traffic) send(write func(io.Writer) error) {
	f.bytes += len(f.zip.EncodeAll(encode(f.t, write), nil))
}

func (f *traffic) cell(rows int) Cell {
	if !f.even {
		for range rows { // about Poisson's
			rows += f.rnd.IntN(2)*2 - 1
		}
	}
	return Cell{int64(rows), f.rnd.Uint64(), f.rnd.Uint64()}
}

const (
	nodes10M  = 305
	leavesNow = 256
	width     = 4
)

func (f *traffic) tree() {
	t := &Tree{Layout: Layout{Number: 1, Kind: Ordered, Shift: 7, Epoch: 1, Rows: 1e7}, Width: width, Leaves: 78_000}
	for i := range nodes10M {
		c := f.cell(leavesNow * 128)
		t.Root.Add(c)
		t.Nodes = append(t.Nodes, NodeCell{Node(1<<48 + i), c.Cut(width)})
	}
	f.send(func(w io.Writer) error { return WriteTree(w, t) })
}

// leaves asks for nodes, some at a time, as the agent does.
func (f *traffic) leaves(n int) {
	for ; n > 0; n -= 8 {
		q, a := LeavesQuestion{1, width, nil}, &LeavesAnswer{Layout: 1, Width: width}
		for i := range min(n, 8) {
			leaves := NodeLeaves{Node: Node(1<<48 + i)}
			for j := range leaves.Cells {
				c := f.cell(128)
				leaves.Cell.Add(c)
				leaves.Cells[j] = c.Cut(width)
			}
			q.Nodes, a.Nodes = append(q.Nodes, leaves.Node), append(a.Nodes, leaves)
		}
		f.send(func(w io.Writer) error { return WriteLeavesQuestion(w, q) })
		f.send(func(w io.Writer) error { return WriteLeaves(w, a) })
	}
}

// rows lists leaves with some differences each.
func (f *traffic) rows(leaves, differences int) {
	for ; leaves > 0; leaves -= 24 {
		q := CompareQuestion{Layout: 1, Salt: Salt(f.rnd.Uint64()), Width: width}
		var all []LeafDifference
		for i := range min(leaves, 24) {
			p := LeafPrints{Leaf: Leaf{Node(1<<48 + i), uint8(f.rnd.UintN(256))}}
			for range 128 {
				p.Prints = append(p.Prints, f.rnd.Uint64()&(1<<32-1))
			}
			q.Leaves = append(q.Leaves, p)
			d := LeafDifference{Leaf: p.Leaf, Cell: f.cell(128)}
			for j := range differences {
				d.Unmatched = append(d.Unmatched, j)
				d.Rows.Buf = fmt.Appendf(d.Rows.Buf, "[\"%d\",%d]\n", f.rnd.IntN(1e9), f.rnd.IntN(1e9))
				d.Rows.N++
			}
			all = append(all, d)
		}
		f.send(func(w io.Writer) error { return WriteCompareQuestion(w, q) })
		f.bytes += len(f.zip.EncodeAll(encodeDifferences(f.t, q, all), nil))
	}
}

// What a diff of 10 million rows costs on the wire, without the rows that are
// repaired and the headers of the requests.
func TestTraffic(t *testing.T) {
	zip, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer zip.Close()
	for _, even := range []bool{true, false} {
		for _, tt := range []struct {
			name                                string
			nodes, leaves, differences, atMostB int
		}{
			{"equal", 0, 0, 0, 2_000},
			{"1 difference", 1, 1, 1, 4_500},
			{"10 scattered", 10, 10, 1, 30_000},
			{"1,000 scattered", nodes10M, 1000, 1, 1_300_000},
			{"1,000 in one range", 2, 9, 112, 40_000},
		} {
			f := &traffic{t: t, rnd: rand.New(rand.NewPCG(1, 2)), zip: zip, even: even}
			f.tree()
			f.leaves(tt.nodes)
			f.rows(tt.leaves, tt.differences)
			if t.Logf("%s, leaves even %v: %d bytes", tt.name, even, f.bytes); f.bytes > tt.atMostB {
				t.Errorf("more than %d", tt.atMostB)
			}
		}
	}
}
