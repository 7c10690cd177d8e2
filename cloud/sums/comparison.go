package sums

import (
	"fmt"

	"tidemark/cloud/ledger"
	"tidemark/differ/summary"
	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// A Comparison answers a CompareQuestion from the rows of its leaves. It is
// for one goroutine.
type Comparison struct {
	q      summary.CompareQuestion
	types  []wire.Type
	bucket *summary.Bucketer
	hash   *summary.Hasher
	epoch  int64 // the table's current one
	leaves []comparedLeaf
	at     map[summary.Leaf]int
	listed int
	key    []byte
}

type comparedLeaf struct {
	matcher *summary.Matcher
	cell    summary.Cell
	rows    wire.Lines
}

// NewComparison begins the answer for a table of this layout, key, secret and
// current epoch.
func NewComparison(q summary.CompareQuestion, l summary.Layout, types []wire.Type, s summary.Secret, epoch int64) (*Comparison, error) {
	b, err := summary.NewBucketer(l, types, s)
	if err != nil {
		return nil, err
	}
	c := &Comparison{q: q, types: types, bucket: b, hash: summary.NewHasher(s, l.Number), epoch: epoch,
		leaves: make([]comparedLeaf, len(q.Leaves)), at: make(map[summary.Leaf]int, len(q.Leaves))}
	for i, l := range q.Leaves {
		c.at[l.Leaf] = i
	}
	return c, nil
}

// Row takes a row of the table, its key in wire form. Rows of leaves that
// nobody asked for are passed by.
func (c *Comparison) Row(key [][]byte, version uint64, epoch int64) (err error) {
	if c.key, err = canon.Key(c.key[:0], c.types, key); err != nil {
		return err
	}
	leaf, err := c.bucket.Leaf(c.key)
	if err != nil {
		return err
	}
	i, asked := c.at[leaf]
	if !asked {
		return nil
	}
	l := &c.leaves[i]
	if l.matcher == nil {
		l.matcher = summary.NewMatcher(c.q, c.q.Leaves[i])
	}
	row := c.hash.Row(c.key, epoch, version)
	l.cell.Add(row)
	if l.matcher.Row(row) {
		return nil
	}
	if c.listed++; c.listed > summary.MaxRowsCompared {
		return wire.NewProblem(wire.TooLarge, fmt.Sprintf("the leaves differ in over %d rows", summary.MaxRowsCompared), "Ask for fewer leaves at once.")
	}
	b := append(ledger.AppendStamp(append(l.rows.Buf, '[', '"'), version, epoch, c.epoch), '"')
	for _, v := range key {
		b = append(append(b, ','), v...)
	}
	l.rows.Buf = append(b, ']', '\n')
	l.rows.N++
	return nil
}

// Leaf is the answer for the leaf asked for in place i, all rows of which have
// been seen. What it holds is let go.
func (c *Comparison) Leaf(i int) summary.LeafDifference {
	l := &c.leaves[i]
	if l.matcher == nil {
		l.matcher = summary.NewMatcher(c.q, c.q.Leaves[i])
	}
	d := summary.LeafDifference{Leaf: c.q.Leaves[i].Leaf, Cell: l.cell, Unmatched: l.matcher.Unmatched(), Rows: l.rows}
	*l = comparedLeaf{}
	return d
}

// Find tells where a leaf was asked for.
func (c *Comparison) Find(l summary.Leaf) (int, bool) {
	i, ok := c.at[l]
	return i, ok
}

// Problems that both stores answer.

// NoSummary is the problem of a table that has no summary now.
func NoSummary(table, why string) *wire.Problem {
	return wire.NewProblem(wire.NoSummary, fmt.Sprintf("table %q: %s", table, why), "Compare by manifests, or ask again later.")
}

// LayoutChanged is the problem of a question for another layout.
func LayoutChanged(table string, asked, is uint64) *wire.Problem {
	return wire.NewProblem(wire.LayoutChanged, fmt.Sprintf("table %q: asked was layout %d, it has %d", table, asked, is), "Ask for the summary again.")
}
