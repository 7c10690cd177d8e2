package summary

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"tidemark/internal/wire"
)

// stored is a summary as a store keeps it.
type stored struct {
	leaves  map[Leaf]Cell
	nodes   map[Node]Cell
	anchors map[Node][]byte
	root    Cell
}

func newStored() *stored {
	return &stored{map[Leaf]Cell{}, map[Node]Cell{}, map[Node][]byte{}, Cell{}}
}

func (s *stored) apply(d *Deltas) {
	for _, l := range d.Leaves() {
		c := s.leaves[l.Leaf]
		if c.Add(l.Cell); c == (Cell{}) {
			delete(s.leaves, l.Leaf)
		} else {
			s.leaves[l.Leaf] = c
		}
	}
	for _, n := range d.Nodes() {
		c := s.nodes[n.Node]
		if c.Add(n.Cell); c == (Cell{}) {
			delete(s.nodes, n.Node)
		} else {
			s.nodes[n.Node] = c
			s.anchors[n.Node] = n.Anchor
		}
	}
	s.root.Add(d.Root())
}

// Whatever is inserted, updated and deleted, in whatever batches, the summary
// that is kept along is the one of the rows that are there; and another layout
// sums up the same rows.
func TestKeptAlongEqualsRecomputed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		types := []wire.Type{{Kind: wire.Int}, {Kind: wire.UniqueIdentifier}}
		if rapid.Bool().Draw(t, "one column") {
			types = types[:1]
		}
		l := drawLayout(t, types)
		d, err := NewDeltas(l, types, Secret{3})
		if err != nil {
			t.Fatal(err)
		}
		kept, rows := newStored(), map[string]Row{}
		for range rapid.IntRange(0, 20).Draw(t, "batches") {
			for range rapid.IntRange(0, 10).Draw(t, "changes") {
				raws := []string{fmt.Sprint(rapid.Int32Range(-3, 3).Draw(t, "key") << rapid.IntRange(0, 29).Draw(t, "by"))}
				if len(types) == 2 {
					raws = append(raws, sequential(rapid.Uint32Range(0, 3).Draw(t, "guid")))
				}
				key := keyOf(t, types, raws...)
				if old, ok := rows[string(key)]; ok {
					if err := d.Remove(old); err != nil {
						t.Fatal(err)
					}
					delete(rows, string(key))
				}
				if rapid.IntRange(0, 2).Draw(t, "deleted") == 0 {
					continue
				}
				row := Row{key, rapid.Int64Range(0, 2).Draw(t, "epoch"), rapid.Uint64Range(1, 5).Draw(t, "version")}
				if err := d.Add(row); err != nil {
					t.Fatal(err)
				}
				rows[string(key)] = row
			}
			kept.apply(d)
			d.Reset()
		}
		same(t, kept, recomputed(t, l, types, rows))
		bucket, err := NewBucketer(l, types, Secret{3})
		if err != nil {
			t.Fatal(err)
		}
		for n := range kept.nodes {
			if anchor := kept.anchors[n]; l.Counted(types) != (anchor == nil) {
				t.Fatalf("node %d of %+v has anchor %x", n, l, anchor)
			} else if anchor != nil {
				if _, err := bucket.Range(Leaf{n, 0}, anchor); err != nil {
					t.Fatal(err)
				}
			}
		}
		other := drawLayout(t, types)
		other.Number = l.Number + 1
		again := recomputed(t, other, types, rows)
		if again.root.Count != kept.root.Count || len(rows) > 0 && again.root == kept.root {
			t.Fatalf("another layout: root %v, before %v", again.root, kept.root)
		}
		rows2 := 0
		for _, c := range again.leaves {
			rows2 += int(c.Count)
		}
		if rows2 != len(rows) {
			t.Fatalf("%d rows in the leaves of another layout, %d there", rows2, len(rows))
		}
	})
}

func recomputed(t *rapid.T, l Layout, types []wire.Type, rows map[string]Row) *stored {
	b, err := NewBucketer(l, types, Secret{3})
	if err != nil {
		t.Fatal(err)
	}
	h, s := NewHasher(Secret{3}, l.Number), newStored()
	for _, r := range rows {
		leaf, err := b.Leaf(r.Key)
		if err != nil {
			t.Fatal(err)
		}
		cell := h.Row(r.Key, r.Epoch, r.Version)
		c, n := s.leaves[leaf], s.nodes[leaf.Node]
		c.Add(cell)
		n.Add(cell)
		s.leaves[leaf], s.nodes[leaf.Node] = c, n
		s.root.Add(cell)
	}
	return s
}

func same(t *rapid.T, a, b *stored) {
	if a.root != b.root || len(a.leaves) != len(b.leaves) || len(a.nodes) != len(b.nodes) {
		t.Fatalf("root %v and %v, %d and %d leaves, %d and %d nodes", a.root, b.root, len(a.leaves), len(b.leaves), len(a.nodes), len(b.nodes))
	}
	for leaf, c := range a.leaves {
		if b.leaves[leaf] != c {
			t.Fatalf("leaf %v: %v and %v", leaf, c, b.leaves[leaf])
		}
	}
	for n, c := range a.nodes {
		if b.nodes[n] != c {
			t.Fatalf("node %v: %v and %v", n, c, b.nodes[n])
		}
	}
}

// A hash covers all that a row is: no two of these are one.
func TestRowsDiffer(t *testing.T) {
	types := typesOf(t, "varchar(9)", "varchar(9)")
	secret := Secret{1}
	h := func(layout uint64, s Secret, epoch int64, version uint64, raws ...string) Cell {
		return NewHasher(s, layout).Row(keyOf(t, types, raws...), epoch, version)
	}
	all := []Cell{
		h(1, secret, 1, 7, `"a"`, `"bc"`), h(1, secret, 1, 7, `"ab"`, `"c"`), h(1, secret, 1, 7, `"A"`, `"bc"`), h(1, secret, 1, 7, `"a "`, `"bc"`),
		h(2, secret, 1, 7, `"a"`, `"bc"`), h(1, Secret{2}, 1, 7, `"a"`, `"bc"`), h(1, secret, 2, 7, `"a"`, `"bc"`), h(1, secret, 1, 8, `"a"`, `"bc"`),
	}
	for i, a := range all {
		for j, b := range all[:i] {
			if a == b {
				t.Errorf("rows %d and %d have one hash", i, j)
			}
		}
	}
}

func TestKeysOfAnotherType(t *testing.T) {
	ints := typesOf(t, "int")
	b, err := NewBucketer(Layout{Number: 1, Kind: Ordered, Shift: 7}, ints, Secret{})
	if err != nil {
		t.Fatal(err)
	}
	key := keyOf(t, ints, "7")
	for _, bad := range [][]byte{nil, key[:1], key[:5], bytes.Replace(key, []byte("i"), []byte("s"), 1)} {
		if leaf, err := b.Leaf(bad); err == nil {
			t.Errorf("key %x is in leaf %v", bad, leaf)
		}
	}
}
