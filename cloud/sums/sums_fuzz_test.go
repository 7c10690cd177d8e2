package sums_test

import (
	"bytes"
	"errors"
	"testing"

	"tidemark/cloud/sums"
	"tidemark/differ/summary"
)

// What a store keeps of a summary is read as what it is, or refused: a blob
// that is read is written as one that reads the same.
func FuzzBlobs(f *testing.F) {
	nodes, err := sums.ParseNodes(nil)
	if err != nil {
		f.Fatal(err)
	}
	var cells sums.Cells
	cells[0], cells[255] = summary.Cell{Count: 3, Hi: 1, Lo: 2}, summary.Cell{Count: 1 << 40, Hi: 1 << 63}
	nodes.Put(0, &cells)
	nodes.Put(1<<64-1, &cells)
	f.Add(nodes.Append(nil))
	f.Add(cells.Append(nil))
	for _, l := range layouts[:2] {
		c, err := sums.NewChanges(l, ints, secret, 1)
		if err != nil {
			f.Fatal(err)
		}
		for k := range 20 {
			if err := c.Insert(key(f, ints, k*k*k), uint64(k)); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(c.Entry())
	}
	f.Fuzz(func(t *testing.T, blob []byte) {
		bad := func(err error) bool {
			if err != nil && !errors.Is(err, sums.ErrBlob) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return err != nil
		}
		if n, err := sums.ParseNodes(blob); !bad(err) {
			once := n.Append(nil)
			again, err := sums.ParseNodes(once)
			if err != nil || !bytes.Equal(again.Append(nil), once) {
				t.Fatalf("nodes %x became %x: %v", blob, once, err)
			}
			if _, err := n.Tree(summary.Layout{}); err != nil {
				_ = bad(err)
			}
			_ = bad(n.Add(blob))
		}
		var c sums.Cells
		if !bad(sums.ParseCells(blob, &c)) {
			var again sums.Cells
			if err := sums.ParseCells(c.Append(nil), &again); err != nil || again != c {
				t.Fatalf("cells %x: %v", blob, err)
			}
		}
		last, first := summary.Node(0), true
		_ = bad(sums.ReadEntry(blob, func(c sums.Change) {
			if !first && c.Node <= last {
				t.Fatalf("node %d behind %d", c.Node, last)
			}
			last, first = c.Node, false
		}))
	})
}
