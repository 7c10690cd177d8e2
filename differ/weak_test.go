package differ_test

import (
	"testing"

	"pgregory.net/rapid"

	"tidemark/differ"
)

// With hashes of 8 bits one difference in some 256 hides behind a collision.
// Layouts are numbered, and the number is hashed: a run under another one
// finds what the run before did not. Nothing is deleted by mistake.
func TestWeakHash(t *testing.T) {
	hidden, runs := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m := drawTreeModel(t)
		m.weak = 8
		for range rapid.IntRange(1, 60).Draw(t, "before") {
			m.change()
		}
		m.delta()
		for i := range 40 { // many small histories: collisions are rare
			for _, k := range sorted(m.source) {
				m.cloud[k] = stamp(uint64(i)) + "@1"
				break
			}
			if m.equal() {
				continue
			}
			runs++
			for n := 0; !m.equal(); n++ {
				if n == 20 {
					t.Fatalf("hidden under %d layouts in a row", n)
				}
				if n > 0 {
					hidden++
				}
				r, err := m.runTree(differ.TreeOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if r.Equal() && r.Nodes == 0 && r.Matched != int64(len(m.source)) {
					t.Fatalf("equal, and not: %+v", r)
				}
				m.layout.Number++
			}
		}
		if m.wrong != nil {
			t.Fatalf("wrong deletes: %v", m.wrong)
		}
	})
	t.Logf("%d of %d differences hid behind a collision and were found by a later run", hidden, runs)
	if hidden == 0 || hidden > runs/20 {
		t.Errorf("%d of %d differences hid: that is not what 8 bits do", hidden, runs)
	}
}

// Cut to one byte, sums and fingerprints collide all the time. No run ends
// with a difference unseen: the root is whole, and the rows explain the cells.
func TestCutSumsHideNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawTreeModel(t)
		for range rapid.IntRange(1, 60).Draw(t, "before") {
			m.change()
		}
		m.delta()
		for range 40 {
			lost := 0
			for _, k := range sorted(m.source) {
				if lost++; lost > 2 {
					break
				}
				delete(m.cloud, k)
			}
			for n := 0; !m.equal(); n++ {
				if n == 2 {
					t.Fatal("two runs did not find it")
				}
				r, err := m.runTree(differ.TreeOptions{Width: 1})
				if err != nil {
					t.Fatal(err)
				}
				if r.Equal() != m.equal() {
					t.Fatalf("equal %v, reported %v: %+v", m.equal(), r.Equal(), r)
				}
			}
		}
	})
}
