package postgres

import (
	"context"

	"tidemark/cloud/sums"
	"tidemark/cloud/sums/upkeep"
	"tidemark/differ/summary"
	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// Tree implements cloud.Summaries.
func (s *Store) Tree(ctx context.Context, customer, table string) (t *summary.Tree, err error) {
	err = s.question(ctx, customer, table, func(c *session, k kept) error {
		nodes, err := k.current(ctx, c, customer, table)
		if err != nil {
			return err
		}
		if t, err = nodes.Tree(k.layout); err == nil && sums.LeavesDue(k.st.mark.Logged-k.leavesAt, t.Leaves, true) {
			s.upkeep.Ask(upkeep.Table{Customer: customer, Name: table, Soon: true})
		}
		return err
	})
	return t, err
}

// Leaves implements cloud.Summaries.
func (s *Store) Leaves(ctx context.Context, customer, table string, q summary.LeavesQuestion) (a *summary.LeavesAnswer, err error) {
	err = s.question(ctx, customer, table, func(c *session, k kept) error {
		if q.Layout != k.number {
			return sums.LayoutChanged(table, q.Layout, k.number)
		}
		tail, err := k.tail(ctx, c, customer, table, q.Nodes...)
		if err != nil {
			return err
		}
		leaves := sums.NewLeaves(q, tail)
		err = k.eachLeaves(ctx, c, customer, table, func(l storedLeaves) error { return leaves.Stored(l.node, l.folded, l.cells) }, q.Nodes...)
		a = leaves.Answer()
		return err
	})
	return a, err
}

// Differences implements cloud.Summaries. Leaves that are no range of the
// primary key, those of hashed layouts and of GUIDs, which Postgres sorts in
// another order, are found by reading the customer's part of the table once for
// each question: an index for them would cost every row that is written more
// than all summaries do.
func (s *Store) Differences(ctx context.Context, customer, table string, q summary.CompareQuestion, fn func(summary.LeafDifference) error) error {
	return s.question(ctx, customer, table, func(c *session, k kept) error {
		if q.Layout != k.number {
			return sums.LayoutChanged(table, q.Layout, k.number)
		}
		keys, err := s.keysOf(ctx, c, customer, table)
		if err != nil {
			return err
		}
		cmp, err := sums.NewComparison(q, k.layout, keys.types, k.st.secret, k.st.EpochNumber)
		if err != nil {
			return err
		}
		if err := c.pipeline(ctx, settings...); err != nil {
			return err
		}
		if !isRange(k.layout, keys.types) {
			if err := keys.rows(ctx, "", nil, cmp.Row); err != nil {
				return err
			}
			for i := range q.Leaves {
				if err := fn(cmp.Leaf(i)); err != nil {
					return err
				}
			}
			return nil
		}
		anchors, err := k.anchors(ctx, c, customer, table, k.layout.Counted(keys.types), q)
		if err != nil {
			return err
		}
		bucket, err := summary.NewBucketer(k.layout, keys.types, k.st.secret)
		if err != nil {
			return err
		}
		for i, l := range q.Leaves {
			if anchor, named := anchors[l.Leaf.Node]; anchors == nil || named {
				r, err := bucket.Range(l.Leaf, anchor)
				if err == nil && !r.Empty {
					err = keys.leaf(ctx, k.layout, r, cmp.Row)
				}
				if err != nil {
					return err
				}
			}
			if err := fn(cmp.Leaf(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// isRange tells whether a leaf is a range of the primary key.
func isRange(l summary.Layout, types []wire.Type) bool {
	return l.Kind == summary.Ordered && canon.TagOf(types[l.Column].Kind) != canon.GUID
}

// leaf reads the rows of a range by the primary key.
func (k *tableKeys) leaf(ctx context.Context, l summary.Layout, r summary.Range, fn func(key [][]byte, rv uint64, epoch int64) error) error {
	where := ""
	var args []any
	add := func(column column, operator string, raw []byte) error {
		text, err := appendText(nil, column.form, raw)
		args = append(args, string(text))
		where += " AND t." + column.id + " " + operator + " " + column.param(1+len(args))
		return err
	}
	for i, raw := range r.Prefix {
		if err := add(k.p.key[i], "=", raw); err != nil {
			return err
		}
	}
	column := k.p.key[l.Column]
	if err := add(column, ">=", r.Low); err != nil {
		return err
	}
	if err := add(column, "<=", r.High); err != nil {
		return err
	}
	return k.rows(ctx, where, args, fn)
}

// anchors are those of the nodes asked for that have any rows; nil where nodes
// need none.
func (k *kept) anchors(ctx context.Context, c *session, customer, table string, counted bool, q summary.CompareQuestion) (map[summary.Node][]byte, error) {
	if counted {
		return nil, nil
	}
	var nodes []summary.Node
	for i, l := range q.Leaves {
		if i == 0 || l.Leaf.Node != q.Leaves[i-1].Leaf.Node {
			nodes = append(nodes, l.Leaf.Node)
		}
	}
	tail, err := k.tail(ctx, c, customer, table, nodes...)
	if err != nil {
		return nil, err
	}
	all := make(map[summary.Node][]byte, len(nodes))
	for _, n := range nodes {
		if anchor := tail.Anchor(n); anchor != nil {
			all[n] = anchor
		}
	}
	return all, k.eachLeaves(ctx, c, customer, table, func(l storedLeaves) error {
		if l.anchor != nil {
			all[l.node] = append([]byte(nil), l.anchor...)
		}
		return nil
	}, nodes...)
}
