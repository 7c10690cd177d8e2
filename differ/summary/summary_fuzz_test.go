package summary

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/internal/wire"
)

// keeps holds what was read of a message against what is read of it when it is
// written again.
func keeps[T any](t *testing.T, was T, write func(io.Writer) error, read func(io.Reader) (T, error)) {
	t.Helper()
	again := encode(t, write)
	is, err := read(bytes.NewReader(again))
	if err != nil {
		t.Fatalf("%+v is written as %q: %v", was, again, err)
	}
	if d := cmp.Diff(was, is); d != "" {
		t.Fatalf("it changed on its way: %s", d)
	}
}

func unread(t *testing.T, err error) bool {
	t.Helper()
	if err != nil && !errors.Is(err, ErrMessage) {
		t.Fatalf("an error of another kind: %v", err)
	}
	return err != nil
}

func exampleTree(layout Layout, width int) *Tree {
	t := &Tree{Layout: layout, Width: width}
	for _, n := range []NodeCell{{0, Cell{3, 1, 2}}, {7, Cell{1, 1 << 63, 0}}, {1<<64 - 1, Cell{300, 0, 5}}} {
		t.Root.Add(n.Cell)
		t.Leaves++
		t.Nodes = append(t.Nodes, NodeCell{n.Node, n.Cell.Cut(width)})
	}
	return t
}

// A tree that is read adds up, is written as it was read, and its layout is
// taken or refused for each kind of key.
func FuzzTree(f *testing.F) {
	for _, width := range []int{1, 4, MaxWidth} {
		for _, l := range []Layout{{Number: 1, Kind: Hashed, Bits: 9}, {Number: 1 << 63, Kind: Ordered, Shift: 8, Epoch: 7}, {Kind: Ordered, Column: 1, Shift: 63}} {
			f.Add(encode(f, func(w io.Writer) error { return WriteTree(w, exampleTree(l, width)) }))
		}
	}
	f.Add([]byte(`{"v":1,"layout":{"number":"1","kind":"ordered","shift":-1},"root":{"rows":0,"sum":"00000000000000000000000000000000"},"leaves":0,"width":0,"nodes":0}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		tree, err := ReadTree(bytes.NewReader(b))
		if unread(t, err) {
			return
		}
		keeps(t, tree, func(w io.Writer) error { return WriteTree(w, tree) }, ReadTree)
		for _, types := range [][]wire.Type{{{Kind: wire.Int}}, {{Kind: wire.UniqueIdentifier}}, {{Kind: wire.Date}, {Kind: wire.BigInt}}, {{Kind: wire.NVarChar, Len: 40}}} {
			bucket, err := NewBucketer(tree.Layout, types, Secret{1})
			if err != nil {
				continue
			}
			for _, n := range tree.Nodes { // nodes that no key is in are answered too
				_, _ = bucket.Range(Leaf{Node: n.Node, Index: 255}, nil)
			}
		}
	})
}

// Leaves that are read in answer to a question are those asked for.
func FuzzLeaves(f *testing.F) {
	q := LeavesQuestion{Layout: 7, Width: 4, Nodes: []Node{0, 3, 1<<64 - 1}}
	a := &LeavesAnswer{Layout: 7, Width: 4}
	for _, n := range q.Nodes {
		leaves := NodeLeaves{Node: n}
		for i := 0; i < LeavesPerNode; i += 85 {
			c := Cell{int64(i + 1), uint64(i) << 32, 1}
			leaves.Cell.Add(c)
			leaves.Cells[i] = c.Cut(q.Width)
		}
		a.Nodes = append(a.Nodes, leaves)
	}
	question := encode(f, func(w io.Writer) error { return WriteLeavesQuestion(w, q) })
	f.Add(question, encode(f, func(w io.Writer) error { return WriteLeaves(w, a) }))
	f.Add(question, question)
	f.Fuzz(func(t *testing.T, question, answer []byte) {
		q, err := ReadLeavesQuestion(bytes.NewReader(question))
		if unread(t, err) {
			return
		}
		keeps(t, q, func(w io.Writer) error { return WriteLeavesQuestion(w, q) }, ReadLeavesQuestion)
		a, err := ReadLeaves(bytes.NewReader(answer), q)
		if unread(t, err) {
			return
		}
		keeps(t, a, func(w io.Writer) error { return WriteLeaves(w, a) }, func(r io.Reader) (*LeavesAnswer, error) { return ReadLeaves(r, q) })
	})
}

// Differences that are read in answer to a question name its leaves and its
// fingerprints, and their counts agree.
func FuzzDifferences(f *testing.F) {
	q := CompareQuestion{Layout: 7, Salt: 9, Width: 4, Leaves: []LeafPrints{{Leaf: Leaf{3, 0}, Prints: []uint64{1, 2, 3}}, {Leaf: Leaf{3, 9}}}}
	question := encode(f, func(w io.Writer) error { return WriteCompareQuestion(w, q) })
	f.Add(question, encodeDifferences(f, q, []LeafDifference{
		{Leaf: Leaf{3, 0}, Cell: Cell{Count: 2}, Unmatched: []int{0, 2}, Rows: wire.Lines{Buf: []byte("[\"7\",1]\n"), N: 1}},
		{Leaf: Leaf{3, 9}, Cell: Cell{Count: 1}, Rows: wire.Lines{Buf: []byte("[\"8@2\",5]\n"), N: 1}},
	}))
	f.Add(question, question)
	f.Fuzz(func(t *testing.T, question, answer []byte) {
		q, err := ReadCompareQuestion(bytes.NewReader(question))
		if unread(t, err) {
			return
		}
		keeps(t, q, func(w io.Writer) error { return WriteCompareQuestion(w, q) }, ReadCompareQuestion)
		at := 0
		err = ReadDifferences(bytes.NewReader(answer), q, func(asked int, d *LeafDifference) error {
			if asked != at || d.Leaf != q.Leaves[asked].Leaf {
				t.Fatalf("leaf %d, %+v, in the place of %d", asked, d.Leaf, at)
			}
			for _, i := range d.Unmatched {
				if i < 0 || i >= len(q.Leaves[asked].Prints) {
					t.Fatalf("row %d of %d", i, len(q.Leaves[asked].Prints))
				}
			}
			if n := bytes.Count(d.Rows.Buf, []byte("\n")); n != d.Rows.N {
				t.Fatalf("%d lines, said to be %d", n, d.Rows.N)
			}
			at++
			return nil
		})
		if !unread(t, err) && at != len(q.Leaves) {
			t.Fatalf("%d of %d leaves are answered, without an error", at, len(q.Leaves))
		}
	})
}
