package sums_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidemark/cloud/sums"
	"tidemark/differ/summary"
	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

var secret = summary.Secret{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

var ints = []wire.Type{{Kind: wire.Int}}

var pairs = []wire.Type{{Kind: wire.Int}, {Kind: wire.Int}}

func key(t interface{ Fatal(...any) }, types []wire.Type, values ...int) []byte {
	var raws [][]byte
	for _, v := range values {
		raws = append(raws, fmt.Append(nil, v))
	}
	k, err := canon.Key(nil, types, raws)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A fixture is a table with its summary beside it, as a store keeps it.
type fixture struct {
	layout summary.Layout
	types  []wire.Type
	rows   map[string]summary.Row
	epoch  int64

	log       map[uint64][]byte
	seq       uint64
	nodes     []byte
	nodesSeq  uint64
	leaves    map[summary.Node][]byte
	folded    map[summary.Node]uint64
	anchors   map[summary.Node][]byte
	leavesSeq uint64
}

var layouts = []summary.Layout{
	{Number: 1, Kind: summary.Ordered, Shift: 2},
	{Number: 2, Kind: summary.Ordered, Shift: 0},
	{Number: 3, Kind: summary.Ordered, Column: 1, Shift: 1},
	{Number: 4, Kind: summary.Hashed, Bits: 10},
}

func newFixture(l summary.Layout) *fixture {
	f := &fixture{layout: l, types: pairs, rows: map[string]summary.Row{}, epoch: 1, log: map[uint64][]byte{},
		leaves: map[summary.Node][]byte{}, folded: map[summary.Node]uint64{}, anchors: map[summary.Node][]byte{}}
	return f
}

// batch changes rows and appends to the log.
func (f *fixture) batch(t *rapid.T) {
	c, err := sums.NewChanges(f.layout, f.types, secret, f.epoch)
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for range rapid.IntRange(0, 30).Draw(t, "rows") {
		k := key(t, f.types, rapid.IntRange(-3, 3).Draw(t, "a"), rapid.IntRange(-700, 700).Draw(t, "b"))
		old, there := f.rows[string(k)]
		row := summary.Row{Key: k, Epoch: f.epoch, Version: rapid.Uint64().Draw(t, "version")}
		switch {
		case !there:
			check(c.Insert(k, row.Version))
			f.rows[string(k)] = row
		case rapid.Bool().Draw(t, "delete"):
			check(c.Delete(k, old.Version, old.Epoch))
			delete(f.rows, string(k))
		default:
			check(c.Update(k, row.Version, old.Version, old.Epoch))
			f.rows[string(k)] = row
		}
	}
	f.seq++
	if e := c.Entry(); e != nil {
		f.log[f.seq] = e
	}
}

func (f *fixture) foldNodes(t *rapid.T) {
	n := f.current(t)
	f.nodes, f.nodesSeq = n.Append(nil), f.seq
}

func (f *fixture) current(t *rapid.T) *sums.Nodes {
	n, err := sums.ParseNodes(f.nodes)
	if err != nil {
		t.Fatal(err)
	}
	for _, seq := range slices.Sorted(maps.Keys(f.log)) {
		if seq > f.nodesSeq {
			if err := n.Add(f.log[seq]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return n
}

func (f *fixture) tail(t *rapid.T, only ...summary.Node) *sums.Tail {
	tail := sums.NewTail(only...)
	for _, seq := range slices.Sorted(maps.Keys(f.log)) {
		if seq > f.leavesSeq {
			if err := tail.Add(seq, f.log[seq]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return tail
}

// foldLeaves folds some of the nodes, all of them when it is not interrupted.
func (f *fixture) foldLeaves(t *rapid.T) {
	tail := f.tail(t)
	stop := rapid.IntRange(0, 20).Draw(t, "stop")
	for i, id := range tail.Nodes() {
		if i == stop {
			return
		}
		c := f.cells(t, id, tail)
		f.leaves[id], f.folded[id] = c.Append(nil), f.seq
		if f.anchors[id] == nil {
			f.anchors[id] = tail.Anchor(id)
		}
	}
	for seq := range f.log {
		if seq <= f.seq && seq <= f.nodesSeq {
			delete(f.log, seq)
		}
	}
	f.leavesSeq = min(f.seq, f.nodesSeq)
}

func (f *fixture) cells(t *rapid.T, id summary.Node, tail *sums.Tail) *sums.Cells {
	var c sums.Cells
	if err := sums.ParseCells(f.leaves[id], &c); err != nil {
		t.Fatal(err)
	}
	tail.Apply(id, f.folded[id], &c)
	return &c
}

// check holds what is kept against what the rows say, in several passes.
func (f *fixture) check(t *rapid.T) {
	tree, err := f.current(t).Tree(f.layout)
	if err != nil {
		t.Fatal(err)
	}
	parts := rapid.IntRange(1, 3).Draw(t, "parts")
	want := &summary.Tree{Layout: f.layout, Width: summary.MaxWidth, Nodes: []summary.NodeCell{}}
	for part := range parts {
		b, err := sums.NewBuilder(f.layout, f.types, secret, part, parts)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range f.rows {
			if err := b.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		ids := b.Nodes()
		tail := f.tail(t, ids...)
		for _, id := range ids {
			var c sums.Cells
			anchor := b.Node(id, &c)
			if n := c.Differ(f.cells(t, id, tail)); n != 0 {
				t.Fatalf("%d leaves of node %d differ", n, id)
			}
			if known := f.anchors[id]; known == nil && string(anchor) != string(tail.Anchor(id)) || known != nil && string(anchor) != string(known) {
				t.Fatalf("node %d: anchor %x, kept are %x and %x", id, anchor, known, tail.Anchor(id))
			}
			want.Nodes = append(want.Nodes, summary.NodeCell{Node: id, Cell: c.Sum()})
			want.Root.Add(c.Sum())
		}
	}
	slices.SortFunc(want.Nodes, func(a, b summary.NodeCell) int {
		if a.Node < b.Node {
			return -1
		}
		return 1
	})
	if err := tree.Check(); err != nil {
		t.Fatal(err)
	}
	tree.Leaves = 0
	if d := cmp.Diff(want, tree); d != "" {
		t.Fatal(d)
	}
}

// Whatever batches and folds come in which order, and folds may stop anywhere,
// what is kept is what the rows say.
func TestHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newFixture(rapid.SampledFrom(layouts).Draw(t, "layout"))
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				f.foldNodes(t)
			case 1:
				f.foldLeaves(t)
			case 2:
				f.epoch++
			default:
				f.batch(t)
			}
		}
		f.check(t)
	})
}

// Blobs are in databases: their bytes do not change.
func TestGolden(t *testing.T) {
	c, err := sums.NewChanges(summary.Layout{Number: 1, Kind: summary.Ordered, Shift: 2}, pairs, secret, 7)
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range []error{
		c.Insert(key(t, pairs, 1, 1), 10), c.Insert(key(t, pairs, 1025, 1), 11),
		c.Update(key(t, pairs, 900_000, 1), 12, 5, 6), c.Delete(key(t, pairs, 2, 1), 3, 6), c.Delete(key(t, pairs, 5, 1), 4, 6),
	} {
		if err != nil {
			t.Fatal(i, err)
		}
	}
	nodes, err := sums.ParseNodes(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := nodes.Add(c.Entry()); err != nil {
		t.Fatal(err)
	}
	nodes.SetLeaves(1<<53, 2)
	var cells sums.Cells
	cells[3], cells[255] = summary.Cell{Count: 130, Lo: 5}, summary.Cell{Count: -1, Hi: 6}
	column, err := sums.NewChanges(summary.Layout{Number: 3, Kind: summary.Ordered, Column: 1, Shift: 2}, pairs, secret, 7)
	if err != nil {
		t.Fatal(err)
	}
	if err := column.Insert(key(t, pairs, 1, 1), 10); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		got  []byte
		want string
	}{
		"entry":          {c.Entry(), goldenEntry},
		"anchored entry": {column.Entry(), goldenAnchored},
		"nodes":          {nodes.Append(nil), goldenNodes},
		"cells":          {cells.Append(nil), goldenCells},
	} {
		if got := hex.EncodeToString(test.got); got != test.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// An update of a random row in a table of ten million costs 18 bytes, as the
// bounds of the tails suppose.
func TestEntrySize(t *testing.T) {
	c, err := sums.NewChanges(summary.Layout{Number: 1, Kind: summary.Ordered, Shift: 7}, ints, secret, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		if err := c.Update(key(t, ints, r.IntN(10_000_000)), 2, 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(c.Entry()); n > 18*50+20 {
		t.Errorf("%d bytes for 50 updates", n)
	}
}

// What was cut off or changed is an error, or reads as something else; it
// never panics, and never reads more than there is.
func TestSpoiledBlobs(t *testing.T) {
	entry, _ := hex.DecodeString(goldenEntry)
	anchored, _ := hex.DecodeString(goldenAnchored)
	nodes, _ := hex.DecodeString(goldenNodes)
	cells, _ := hex.DecodeString(goldenCells)
	read := []func([]byte) error{
		func(b []byte) error { return sums.ReadEntry(b, func(sums.Change) {}) },
		func(b []byte) error { return sums.ReadEntry(b, func(sums.Change) {}) },
		func(b []byte) error { _, err := sums.ParseNodes(b); return err },
		func(b []byte) error { return sums.ParseCells(b, new(sums.Cells)) },
	}
	for i, whole := range [][]byte{entry, anchored, nodes, cells} {
		if err := read[i](whole); err != nil {
			t.Fatal(err)
		}
		if err := read[i](append(slices.Clone(whole), 0)); !errors.Is(err, sums.ErrBlob) {
			t.Errorf("%d with a byte more: %v", i, err)
		}
		if err := read[i](append([]byte{2}, whole[1:]...)); !errors.Is(err, sums.ErrBlob) {
			t.Errorf("%d of another form: %v", i, err)
		}
		// Entries and nodes end where their last node does: a cut there reads well.
		for n := 2; n < len(whole); n++ {
			if err := read[i](whole[:n]); err != nil && !errors.Is(err, sums.ErrBlob) {
				t.Errorf("%d cut to %d: %v", i, n, err)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		b := append([]byte{1}, rapid.SliceOf(rapid.Byte()).Draw(t, "blob")...)
		for _, f := range read {
			if err := f(b); err != nil && !errors.Is(err, sums.ErrBlob) {
				t.Fatal(err)
			}
		}
	})
}

// Nodes that no rows can have are not told to anybody.
func TestNodesBelowZero(t *testing.T) {
	c, err := sums.NewChanges(layouts[0], pairs, secret, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(key(t, pairs, 1, 1), 1, 1); err != nil {
		t.Fatal(err)
	}
	n, _ := sums.ParseNodes(nil)
	if err := n.Add(c.Entry()); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Tree(layouts[0]); !errors.Is(err, sums.ErrBlob) {
		t.Errorf("the error is %v", err)
	}
}

func TestDue(t *testing.T) {
	for _, test := range []struct {
		tail, leaves int64
		blob         int
		nodesDue     bool
		leavesDue    bool
		soon         bool // leaves, when somebody will ask
	}{
		{0, 0, 0, false, false, false},
		{40 << 10, 0, 0, true, false, false},
		{50 << 10, 0, 20 << 10, false, false, false},
		{64 << 10, 10, 100, true, true, true},
		{300_000, 78_000, 7000, true, false, false},
		{400_000, 78_000, 7000, true, false, true},
		{3_400_000, 78_000, 7000, true, false, true},
		{3_600_000, 78_000, 7000, true, true, true},
		{16 << 20, 1 << 40, 1 << 20, true, true, true},
	} {
		n, l, soon := sums.NodesDue(test.tail, test.blob), sums.LeavesDue(test.tail, test.leaves, false), sums.LeavesDue(test.tail, test.leaves, true)
		if n != test.nodesDue || l != test.leavesDue || soon != test.soon {
			t.Errorf("%+v: %t, %t, %t", test, n, l, soon)
		}
	}
}
