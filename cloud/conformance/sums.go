package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"tidemark/differ/summary"
	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// A row of a table as the suite sums it up.
type row struct {
	summary.Row
	leaf summary.Leaf
	cell summary.Cell
	line string // manifest line with its line feed
}

// sum sums up what the server lists, in a layout.
func (s *site) sum(t *testing.T, l summary.Layout) ([]row, *summary.Deltas) {
	t.Helper()
	var secret summary.Secret
	if err := secret.UnmarshalText([]byte(s.secret)); err != nil {
		t.Fatalf("there is a summary, but the table's secret is %q: %v", s.secret, err)
	}
	types := s.schema.KeyTypes()
	bucket, err := summary.NewBucketer(l, types, secret)
	if err != nil {
		t.Fatal(err)
	}
	hash := summary.NewHasher(secret, l.Number)
	all, err := summary.NewDeltas(l, types, secret)
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for _, text := range s.list(t, 50_000) {
		r := row{line: text + "\n"}
		if r.Row, err = parse(text, types, l.Epoch); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if r.leaf, err = bucket.Leaf(r.Key); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		r.cell = hash.Row(r.Key, r.Epoch, r.Version)
		if err := all.Add(r.Row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	return rows, all
}

// parse reads a manifest line. A stamp without an epoch is one of the current.
func parse(line string, types []wire.Type, current int64) (r summary.Row, err error) {
	fields, err := wire.SplitRow([]byte(line), nil)
	if err != nil {
		return r, err
	}
	stamp, err := wire.Unquote(nil, fields[0])
	if err != nil {
		return r, err
	}
	version, epoch, old := strings.Cut(string(stamp), "@")
	if r.Version, err = strconv.ParseUint(version, 10, 64); err != nil {
		return r, err
	}
	if r.Epoch = current; old {
		if r.Epoch, err = strconv.ParseInt(epoch, 10, 64); err != nil {
			return r, err
		}
	}
	r.Key, err = canon.Key(nil, types, fields[1:])
	return r, err
}

// tries is how often a check begins again because the server has made another
// layout under it.
const tries = 20

// summedUp holds the server's summary against the rows that it lists, to the
// last bit: root, nodes, leaves, in whole sums and in cut ones.
func (s *site) summedUp(t *testing.T, when string) {
	t.Helper()
	for range tries {
		if s.heldAgainst(t, when) {
			return
		}
	}
	t.Errorf("%s: another layout, again and again", when)
}

func (s *site) heldAgainst(t *testing.T, when string) bool {
	t.Helper()
	whole, _ := s.tree(t, summary.MaxWidth)
	_, want := s.sum(t, whole.Layout)
	leaves := want.Leaves()
	for _, width := range []int{summary.MaxWidth, 4, 1, 0} {
		got, _ := s.tree(t, width)
		if got.Layout != whole.Layout {
			return false
		}
		// How many leaves there are may be as of a while ago.
		tree := &summary.Tree{Layout: whole.Layout, Root: want.Root(), Leaves: got.Leaves, Width: width, Nodes: []summary.NodeCell{}}
		for _, n := range want.Nodes() {
			if width > 0 {
				tree.Nodes = append(tree.Nodes, summary.NodeCell{Node: n.Node, Cell: n.Cell.Cut(width)})
			}
		}
		if d := gocmp.Diff(tree, got); d != "" {
			t.Errorf("%s, sums of %d bytes: %s", when, width, d)
		}
	}
	for at := 0; at < len(whole.Nodes); at += 100 {
		q := summary.LeavesQuestion{Layout: whole.Layout.Number, Width: 16 - at%9}
		for _, n := range whole.Nodes[at:min(at+100, len(whole.Nodes))] {
			q.Nodes = append(q.Nodes, n.Node)
		}
		a := s.leaves(t, q)
		if a == nil {
			return false
		}
		for _, n := range a.Nodes {
			if d := gocmp.Diff(expected(leaves, n.Node, q.Width), n); d != "" {
				t.Errorf("%s: leaves: %s", when, d)
			}
		}
	}
	return true
}

// expected are the leaves of one node among all.
func expected(all []summary.LeafDelta, node summary.Node, width int) summary.NodeLeaves {
	n := summary.NodeLeaves{Node: node}
	at, _ := slices.BinarySearchFunc(all, node, func(l summary.LeafDelta, n summary.Node) int { return cmp.Compare(l.Node, n) })
	for ; at < len(all) && all[at].Node == node; at++ {
		n.Cell.Add(all[at].Cell)
		n.Cells[all[at].Index] = all[at].Cell.Cut(width)
	}
	return n
}

// lines makes n rows with ids from first on, by step, in row versions from
// version on.
func lines(n, first, step, version int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`["%d",%d,"row %d"]`, version+i, first+i*step, first+i*step)
	}
	return all
}
