package differ_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tidemark/differ"
	"tidemark/differ/summary"
)

// A cloud whose answers are changed on the way, or wrong from the start, is
// told so: nothing is deleted that the source has, and a run that found
// nothing odd made both sides equal.
func TestTreeHostileBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawTreeModel(t)
		for range rapid.IntRange(1, 60).Draw(t, "before") {
			m.change()
		}
		m.delta()
		for _, k := range m.keys("lost in the cloud") {
			delete(m.cloud, k)
		}
		left := rapid.IntRange(0, 3).Draw(t, "spoil the answer after")
		m.spoil = func(kind string, body []byte) []byte {
			if left--; left != -1 || strings.HasSuffix(kind, "?") {
				return body
			}
			body = bytes.Clone(body)
			if rapid.Bool().Draw(t, "cut") {
				return body[:rapid.IntRange(0, len(body)).Draw(t, "cut at")]
			}
			body[rapid.IntRange(0, len(body)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			return body
		}
		_, _ = m.runTree(differ.TreeOptions{})
		if m.wrong != nil {
			t.Fatalf("wrong deletes: %v", m.wrong)
		}
	})
}

// hostile answers as it likes, past the readers' checks.
type hostile struct {
	*treeModel
	tree        func(*summary.Tree)
	leaves      func(*summary.LeavesAnswer)
	differences func(asked int, d *summary.LeafDifference) (int, bool)
}

func (h hostile) Tree(ctx context.Context, width int) (*summary.Tree, error) {
	t, err := h.treeModel.Tree(ctx, width)
	if err == nil && h.tree != nil {
		h.tree(t)
	}
	return t, err
}

func (h hostile) Leaves(ctx context.Context, q summary.LeavesQuestion) (*summary.LeavesAnswer, error) {
	a, err := h.treeModel.Leaves(ctx, q)
	if err == nil && h.leaves != nil {
		h.leaves(a)
	}
	return a, err
}

func (h hostile) Differences(ctx context.Context, q summary.CompareQuestion, fn func(int, *summary.LeafDifference) error) error {
	return h.treeModel.Differences(ctx, q, func(asked int, d *summary.LeafDifference) error {
		if h.differences != nil {
			at, tell := h.differences(asked, d)
			if !tell {
				return nil
			}
			asked = at
		}
		return fn(asked, d)
	})
}

func TestTreeHostile(t *testing.T) {
	list := func(d *summary.LeafDifference, line string) {
		d.Rows.Buf = append(d.Rows.Buf, line+"\n"...)
		d.Rows.N++
	}
	for _, tt := range []struct {
		name   string
		change func(*hostile)
		want   error
	}{
		{"a layout that no key fits", func(h *hostile) { h.tree = func(t *summary.Tree) { t.Layout.Column = 3 } }, summary.ErrLayout},
		{"fewer nodes answered", func(h *hostile) { h.leaves = func(a *summary.LeavesAnswer) { a.Nodes = a.Nodes[1:] } }, summary.ErrMessage},
		{"no differences", func(h *hostile) {
			h.differences = func(int, *summary.LeafDifference) (int, bool) { return 0, false }
		}, summary.ErrMessage},
		{"differences of a leaf that was not asked for", func(h *hostile) {
			h.differences = func(i int, d *summary.LeafDifference) (int, bool) { d.Leaf.Index++; return i, true }
		}, summary.ErrMessage},
		{"differences out of order", func(h *hostile) {
			h.differences = func(i int, _ *summary.LeafDifference) (int, bool) { return i + 1, true }
		}, summary.ErrMessage},
		{"a row that was not sent", func(h *hostile) {
			h.differences = func(i int, d *summary.LeafDifference) (int, bool) { d.Unmatched = []int{999}; return i, true }
		}, summary.ErrMessage},
		{"a row that the leaf's cell does not hold", func(h *hostile) {
			h.differences = func(i int, d *summary.LeafDifference) (int, bool) { list(d, `["1",100]`); return i, true }
		}, summary.ErrMessage},
		{"a row of another leaf", func(h *hostile) {
			h.differences = func(i int, d *summary.LeafDifference) (int, bool) { list(d, `["1",7]`); return i, true }
		}, summary.ErrMessage},
		{"a row that is none", func(h *hostile) {
			h.differences = func(i int, d *summary.LeafDifference) (int, bool) { list(d, `["1"]`); return i, true }
		}, summary.ErrMessage},
		{"a stamp that is none", func(h *hostile) {
			h.differences = func(i int, d *summary.LeafDifference) (int, bool) { list(d, `["1@x",100]`); return i, true }
		}, summary.ErrMessage},
		{"a cell that its rows do not add up to", func(h *hostile) {
			h.differences = func(i int, d *summary.LeafDifference) (int, bool) { d.Cell.Lo++; return i, true }
		}, summary.ErrMessage},
		{"differences kept back", func(h *hostile) {
			h.differences = func(i int, d *summary.LeafDifference) (int, bool) { d.Rows.Reset(); d.Unmatched = nil; return i, true }
		}, summary.ErrMessage},
	} {
		for _, kind := range []summary.Kind{summary.Ordered, summary.Hashed} {
			t.Run(tt.name+", "+string(kind), func(t *testing.T) {
				l := summary.Layout{Number: 1, Kind: kind}
				if kind == summary.Ordered {
					l.Shift = 5
				}
				m := newTreeModel(newModel(nil), l)
				for k := range 9 {
					m.write(100 * k)
				}
				m.delta()
				delete(m.source, 100)
				m.cloud[300] = "1"
				if kind == summary.Hashed { // one leaf has all keys
					delete(m.source, 7)
				}
				h := &hostile{treeModel: m}
				tt.change(h)
				if kind == summary.Hashed && (tt.name == "a row of another leaf" || strings.HasPrefix(tt.name, "a layout")) {
					return // there is no other leaf, and every key fits
				}
				o := differ.TreeOptions{Options: differ.Options{Types: intKey, Watermark: m.watermark}, Secret: m.secret}
				_, err := differ.ByTree(context.Background(), o, whole{m.model}, h)
				if !errors.Is(err, tt.want) || m.deletes > 0 {
					t.Errorf("%v after %d deletes, want %v", err, m.deletes, tt.want)
				}
			})
		}
	}
}

// Errors of either side end the diff as they are.
func TestTreeErrors(t *testing.T) {
	away := errors.New("the cloud is away")
	for _, kind := range []string{"tree", "leaves", "rows"} {
		m := newTreeModel(newModel(nil), summary.Layout{Number: 1, Kind: summary.Ordered, Shift: 7})
		for k := range 9 {
			m.write(100 * k)
		}
		c := failing{m, kind, away}
		o := differ.TreeOptions{Options: differ.Options{Types: intKey, Watermark: m.counter}, Secret: m.secret}
		if _, err := differ.ByTree(context.Background(), o, whole{m.model}, c); !errors.Is(err, away) {
			t.Errorf("%s: %v", kind, err)
		}
		stopped, stop := context.WithCancel(context.Background())
		stop()
		if _, err := differ.ByTree(stopped, o, whole{m.model}, m); !errors.Is(err, context.Canceled) {
			t.Errorf("stopped: %v", err)
		}
	}
}

type failing struct {
	*treeModel
	kind string
	err  error
}

func (f failing) Tree(ctx context.Context, width int) (*summary.Tree, error) {
	if f.kind == "tree" {
		return nil, f.err
	}
	return f.treeModel.Tree(ctx, width)
}

func (f failing) Leaves(ctx context.Context, q summary.LeavesQuestion) (*summary.LeavesAnswer, error) {
	if f.kind == "leaves" {
		return nil, f.err
	}
	return f.treeModel.Leaves(ctx, q)
}

func (f failing) Differences(ctx context.Context, q summary.CompareQuestion, fn func(int, *summary.LeafDifference) error) error {
	if f.kind == "rows" {
		return f.err
	}
	return f.treeModel.Differences(ctx, q, fn)
}

// Without a summary, and with a layout that changes with every question, the
// diff still comes to an end.
func TestTreeFallsBack(t *testing.T) {
	fill := func() *treeModel {
		m := newTreeModel(newModel(nil), summary.Layout{Number: 1, Kind: summary.Ordered, Shift: 7})
		for k := range 9 {
			m.write(100 * k)
		}
		m.delta()
		delete(m.source, 100)
		return m
	}
	m := fill()
	o := differ.TreeOptions{Options: differ.Options{Types: intKey, Watermark: m.watermark}, Secret: m.secret}
	r, err := differ.ByTree(context.Background(), o, whole{m.model}, failing{m, "tree", differ.ErrNoTree})
	if err != nil || r.Manifest == "" || r.Deleted+r.Hidden != 1 {
		t.Errorf("without a summary: %+v, %v", r, err)
	}
	m = fill()
	if _, err := differ.ByTree(context.Background(), o, whole{m.model}, failing{m, "leaves", summary.ErrLayout}); !errors.Is(err, summary.ErrLayout) || m.deletes > 0 {
		t.Errorf("a layout that never stays: %v", err)
	}
}
