package sqlite

import (
	"context"
	"database/sql"
	"strings"

	"tidemark/cloud/sums"
	"tidemark/cloud/sums/upkeep"
	"tidemark/differ/summary"
	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// Tree implements cloud.Summaries.
func (s *Store) Tree(ctx context.Context, customer, table string) (t *summary.Tree, err error) {
	err = s.question(ctx, customer, table, func(tx *sql.Tx, h held, k kept) error {
		nodes, err := k.current(ctx, tx, customer, table)
		if err != nil {
			return err
		}
		if t, err = nodes.Tree(k.layout); err == nil && sums.LeavesDue(h.mark.Logged-k.leavesAt, t.Leaves, true) {
			s.upkeep.Ask(upkeep.Table{Customer: customer, Name: table, Soon: true})
		}
		return err
	})
	return t, err
}

// Leaves implements cloud.Summaries.
func (s *Store) Leaves(ctx context.Context, customer, table string, q summary.LeavesQuestion) (a *summary.LeavesAnswer, err error) {
	err = s.question(ctx, customer, table, func(tx *sql.Tx, _ held, k kept) error {
		if q.Layout != k.number {
			return sums.LayoutChanged(table, q.Layout, k.number)
		}
		tail, err := k.tail(ctx, tx, customer, table, q.Nodes...)
		if err != nil {
			return err
		}
		leaves := sums.NewLeaves(q, tail)
		err = eachLeaves(ctx, tx, customer, table, func(l storedLeaves) error { return leaves.Stored(l.node, l.folded, l.cells) }, q.Nodes...)
		a = leaves.Answer()
		return err
	})
	return a, err
}

// Differences implements cloud.Summaries. Leaves that are no range of the
// primary key, those of hashed layouts and of keys that are text here, are
// found by reading the customer's part of the table once for each question.
func (s *Store) Differences(ctx context.Context, customer, table string, q summary.CompareQuestion, fn func(summary.LeafDifference) error) error {
	return s.question(ctx, customer, table, func(tx *sql.Tx, h held, k kept) error {
		if q.Layout != k.number {
			return sums.LayoutChanged(table, q.Layout, k.number)
		}
		p := newPlan(h.set, h.schema)
		c, err := sums.NewComparison(q, k.layout, p.keyTypes, h.secret, h.state.EpochNumber)
		if err != nil {
			return err
		}
		d := differences{tx: tx, p: p, h: h, customer: customer, c: c}
		if !isRange(k.layout, p.keyTypes) {
			if err := d.rows(ctx, "", customer); err != nil {
				return err
			}
			for i := range q.Leaves {
				if err := fn(c.Leaf(i)); err != nil {
					return err
				}
			}
			return nil
		}
		if d.anchors, err = k.anchors(ctx, tx, customer, table, k.layout.Counted(p.keyTypes), q); err != nil {
			return err
		}
		if d.bucket, err = summary.NewBucketer(k.layout, p.keyTypes, h.secret); err != nil {
			return err
		}
		for i, l := range q.Leaves {
			if err := d.leaf(ctx, k.layout, l.Leaf); err != nil {
				return err
			}
			if err := fn(c.Leaf(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// isRange tells whether a leaf is a range of the primary key: of numbers that
// are held as such, and of times, whose text sorts as they do.
func isRange(l summary.Layout, types []wire.Type) bool {
	if l.Kind != summary.Ordered {
		return false
	}
	tag := canon.TagOf(types[l.Column].Kind)
	return tag == canon.Integer || tag == canon.Time
}

// anchors are those of the nodes asked for, where they have any.
func (k *kept) anchors(ctx context.Context, tx *sql.Tx, customer, table string, counted bool, q summary.CompareQuestion) (map[summary.Node][]byte, error) {
	if counted {
		return nil, nil
	}
	var nodes []summary.Node
	for i, l := range q.Leaves {
		if i == 0 || l.Leaf.Node != q.Leaves[i-1].Leaf.Node {
			nodes = append(nodes, l.Leaf.Node)
		}
	}
	tail, err := k.tail(ctx, tx, customer, table, nodes...)
	if err != nil {
		return nil, err
	}
	all := make(map[summary.Node][]byte, len(nodes))
	for _, n := range nodes {
		all[n] = tail.Anchor(n)
	}
	err = eachLeaves(ctx, tx, customer, table, func(l storedLeaves) error {
		if l.anchor != nil {
			all[l.node] = l.anchor
		}
		return nil
	}, nodes...)
	return all, err
}

// differences reads the rows of leaves.
type differences struct {
	tx       *sql.Tx
	p        plan
	h        held
	customer string
	c        *sums.Comparison
	bucket   *summary.Bucketer
	anchors  map[summary.Node][]byte
}

// leaf reads the rows of one leaf by the primary key.
func (d *differences) leaf(ctx context.Context, l summary.Layout, leaf summary.Leaf) error {
	anchor := d.anchors[leaf.Node]
	if anchor == nil && !l.Counted(d.p.keyTypes) {
		return nil // no row has ever been in it
	}
	r, err := d.bucket.Range(leaf, anchor)
	if err != nil || r.Empty {
		return err
	}
	ids := d.p.keyIDs()
	where, args := "", []any{d.customer}
	for i, raw := range r.Prefix {
		v, err := hold(d.p.keyTypes[i], raw)
		if err != nil {
			return err
		}
		where, args = where+" AND "+ids[i]+" = ?", append(args, v)
	}
	for _, raw := range [][]byte{r.Low, r.High} {
		v, err := hold(d.p.keyTypes[l.Column], raw)
		if err != nil {
			return err
		}
		args = append(args, v)
	}
	return d.rows(ctx, where+" AND "+ids[l.Column]+" BETWEEN ? AND ?", args...)
}

func (d *differences) rows(ctx context.Context, where string, args ...any) error {
	rows, err := d.tx.QueryContext(ctx, d.p.keysAndStamps()+where, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err has told
	r := newReader(d.p.keyTypes)
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return err
		}
		if err := d.c.Row(r.values, r.version, r.epoch); err != nil {
			return err
		}
	}
	return rows.Err()
}

// keysAndStamps selects what a summary is made of.
func (p plan) keysAndStamps() string {
	return "SELECT _tm_rv, _tm_epoch, " + strings.Join(p.keyIDs(), ", ") + " FROM " + p.table + " WHERE customer_id = ?"
}
