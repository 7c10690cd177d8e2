package differ_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"tidemark/differ"
	"tidemark/differ/summary"
	"tidemark/internal/canon"
)

// treeModel is a model whose cloud keeps a summary. All that it says goes
// through the messages' own writers and readers.
type treeModel struct {
	*model
	layout summary.Layout
	secret summary.Secret
	weak   int
	salt   summary.Salt
	// spoil changes an encoded answer on its way, by its kind.
	spoil func(kind string, body []byte) []byte
	sent  map[string]int // bytes by kind
}

func newTreeModel(m *model, l summary.Layout) *treeModel {
	return &treeModel{model: m, layout: l, secret: summary.Secret{1}, sent: map[string]int{}}
}

// drawTreeModel draws the shape of the key, the order of the source, and any
// layout, good or bad for them.
func drawTreeModel(t *rapid.T) *treeModel {
	m := newModel(t)
	m.pair = rapid.Bool().Draw(t, "two columns")
	m.scrambled = rapid.IntRange(0, 3).Draw(t, "scrambled") == 0
	return newTreeModel(m, drawLayout(t, m))
}

func drawLayout(t *rapid.T, m *model) summary.Layout {
	l := summary.Layout{Number: rapid.Uint64Range(1, 1000).Draw(t, "layout"), Kind: summary.Ordered, Shift: rapid.IntRange(0, 12).Draw(t, "shift")}
	if m.pair {
		l.Column = rapid.IntRange(0, 1).Draw(t, "column")
	}
	if rapid.IntRange(0, 2).Draw(t, "hashed") == 0 {
		l.Kind, l.Shift, l.Column, l.Bits = summary.Hashed, 0, 0, rapid.IntRange(0, 13).Draw(t, "bits")
	}
	return l
}

type cloudRow struct {
	leaf summary.Leaf
	cell summary.Cell
	line []byte
}

// rows are the cloud's rows in the order of leaves.
func (m *treeModel) rows() []cloudRow {
	b, err := summary.NewBucketer(m.layout, m.types(), m.secret)
	if err != nil {
		panic(err)
	}
	h := summary.NewHasher(m.secret, m.layout.Number)
	h.Weaken(m.weak)
	var all []cloudRow
	for k, stamp := range m.cloud {
		key := m.canonical(k)
		leaf, err := b.Leaf(key)
		if err != nil {
			panic(err)
		}
		digits, number, _ := strings.Cut(stamp, "@")
		rv, _ := strconv.ParseUint(digits, 10, 64)
		epoch := m.layout.Epoch
		if number != "" {
			epoch, _ = strconv.ParseInt(number, 10, 64)
		}
		all = append(all, cloudRow{leaf, h.Row(key, epoch, rv), fmt.Appendf(nil, "[%q,%s]\n", stamp, m.columns(k))})
	}
	slices.SortFunc(all, func(a, b cloudRow) int { return a.leaf.Compare(b.leaf) })
	return all
}

func (m *treeModel) canonical(key int) []byte {
	var raws [][]byte
	for column := range strings.SplitSeq(m.columns(key), ",") {
		raws = append(raws, []byte(column))
	}
	c, err := canon.Key(nil, m.types(), raws)
	if err != nil {
		panic(err)
	}
	return c
}

// pass encodes an answer, and lets it be spoiled.
func (m *treeModel) pass(kind string, write func(*bytes.Buffer) error) *bytes.Buffer {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		panic(err)
	}
	m.sent[kind] += b.Len()
	if m.spoil != nil {
		return bytes.NewBuffer(m.spoil(kind, b.Bytes()))
	}
	return &b
}

func (m *treeModel) Tree(_ context.Context, width int) (*summary.Tree, error) {
	m.tick()
	t := &summary.Tree{Layout: m.layout, Width: width}
	last := summary.Leaf{}
	for i, r := range m.rows() {
		if i == 0 || r.leaf != last {
			t.Leaves++
		}
		if i == 0 || r.leaf.Node != last.Node {
			t.Nodes = append(t.Nodes, summary.NodeCell{Node: r.leaf.Node})
		}
		last = r.leaf
		t.Nodes[len(t.Nodes)-1].Cell.Add(r.cell)
		t.Root.Add(r.cell)
	}
	return summary.ReadTree(m.pass("tree", func(b *bytes.Buffer) error { return summary.WriteTree(b, t) }))
}

func (m *treeModel) Leaves(_ context.Context, q summary.LeavesQuestion) (*summary.LeavesAnswer, error) {
	m.tick()
	asked, err := summary.ReadLeavesQuestion(m.pass("leaves?", func(b *bytes.Buffer) error { return summary.WriteLeavesQuestion(b, q) }))
	if err != nil {
		return nil, err
	}
	if asked.Layout != m.layout.Number {
		return nil, summary.ErrLayout
	}
	a := &summary.LeavesAnswer{Layout: asked.Layout, Width: asked.Width}
	rows := m.rows()
	for _, n := range asked.Nodes {
		leaves := summary.NodeLeaves{Node: n}
		for _, r := range rows {
			if r.leaf.Node == n {
				leaves.Cell.Add(r.cell)
				leaves.Cells[r.leaf.Index].Add(r.cell)
			}
		}
		a.Nodes = append(a.Nodes, leaves)
	}
	return summary.ReadLeaves(m.pass("leaves", func(b *bytes.Buffer) error { return summary.WriteLeaves(b, a) }), q)
}

func (m *treeModel) Differences(_ context.Context, q summary.CompareQuestion, fn func(int, *summary.LeafDifference) error) error {
	m.tick()
	asked, err := summary.ReadCompareQuestion(m.pass("rows?", func(b *bytes.Buffer) error { return summary.WriteCompareQuestion(b, q) }))
	if err != nil {
		return err
	}
	if asked.Layout != m.layout.Number {
		return summary.ErrLayout
	}
	rows := m.rows()
	body := m.pass("rows", func(b *bytes.Buffer) error {
		w := summary.NewDifferenceWriter(b, asked)
		for _, leaf := range asked.Leaves {
			match := summary.NewMatcher(asked, leaf)
			d := summary.LeafDifference{Leaf: leaf.Leaf}
			for _, r := range rows {
				if r.leaf != leaf.Leaf {
					continue
				}
				d.Cell.Add(r.cell)
				if !match.Row(r.cell) {
					d.Rows.Buf = append(d.Rows.Buf, r.line...)
					d.Rows.N++
				}
			}
			d.Unmatched = match.Unmatched()
			if err := w.Leaf(d); err != nil {
				return err
			}
		}
		return w.Close()
	})
	return summary.ReadDifferences(body, q, fn)
}

// runTree diffs by summaries.
func (m *treeModel) runTree(o differ.TreeOptions) (differ.TreeReport, error) {
	o.Types, o.Watermark, o.Secret = m.types(), m.watermark, m.secret
	o.Weaken(m.weak)
	o.SaltWith(func() summary.Salt { m.salt++; return m.salt })
	if o.Ahead {
		l := &locked{treeModel: m}
		return differ.ByTree(context.Background(), o, l, l)
	}
	return differ.ByTree(context.Background(), o, m, m)
}
