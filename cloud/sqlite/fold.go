package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"tidemark/cloud/sums"
)

// Fold brings what the log has into nodes and leaves. The store does so by
// itself when it is due.
func (s *Store) Fold(ctx context.Context, customer, table string) error {
	return s.alone(ctx, func() error { return s.fold(ctx, customer, table) })
}

// fold folds nodes and leaves. The log is bounded, so that one transaction does.
func (s *Store) fold(ctx context.Context, customer, table string) error {
	drifted := false
	err := s.write(ctx, func(tx *sql.Tx) error {
		h, k, err := readSummary(ctx, tx, customer, table)
		if err != nil {
			return err
		}
		nodes, err := k.current(ctx, tx, customer, table)
		if err != nil {
			return err
		}
		tail, err := k.tail(ctx, tx, customer, table)
		if err != nil {
			return err
		}
		seq := h.state.Version.Seq
		for _, id := range tail.Nodes() {
			l := storedLeaves{node: id, folded: seq, anchor: tail.Anchor(id)}
			var c sums.Cells
			err := eachLeaves(ctx, tx, customer, table, func(before storedLeaves) error {
				l.cells = before.cells
				return nil
			}, id)
			if err == nil {
				err = sums.ParseCells(l.cells, &c)
			}
			if err != nil {
				return err
			}
			tail.Apply(id, k.leavesSeq, &c)
			nodes.SetLeaves(id, c.Leaves())
			l.cells = c.Append(nil)
			if err := writeLeaves(ctx, tx, customer, table, l); err != nil {
				return err
			}
		}
		drifted = k.layout.Due(h.state.Version.Rows, nodes.Leaves())
		k.nodes = nodes.Append(nil)
		k.nodesSeq, k.leavesSeq, k.nodesAt, k.leavesAt = seq, seq, h.mark.Logged, h.mark.Logged
		if err := k.save(ctx, tx, customer, table); err != nil {
			return err
		}
		return trimLog(ctx, tx, customer, table, seq)
	})
	var none *errNone
	if errors.As(err, &none) {
		return sums.NoSummary(table, none.why)
	}
	if err == nil && drifted {
		_, err = s.summarize(ctx, customer, table)
	}
	return err
}
