package postgres

import (
	"context"
	"errors"
	"slices"

	"tidemark/cloud/sums"
	"tidemark/differ/summary"
)

// Fold brings what the log has into nodes and leaves. The store does so by
// itself when it is due.
func (s *Store) Fold(ctx context.Context, customer, table string) error {
	err := s.alone(ctx, customer, table, true, func(c *session) error { return s.fold(ctx, c, customer, table, true) })
	var none *errNone
	if errors.As(err, &none) {
		return sums.NoSummary(table, none.why)
	}
	return err
}

// foldDue folds what is due in a summary that was read just now.
func (s *Store) foldDue(ctx context.Context, c *session, customer, table string, k kept, soon bool) error {
	nodes, err := sums.ParseNodes(k.nodes)
	if err != nil {
		return err
	}
	leaves := sums.LeavesDue(k.st.mark.Logged-k.leavesAt, nodes.Leaves(), soon)
	if !leaves && !sums.NodesDue(k.st.mark.Logged-k.nodesAt, len(k.nodes)) {
		return nil
	}
	err = s.fold(ctx, c, customer, table, leaves)
	if errors.As(err, new(*errNone)) { // gone since
		return nil
	}
	return err
}

// fold folds the nodes, and the leaves if that is wanted too, in a session that
// is alone. Batches go on: what they append meanwhile is not touched.
func (s *Store) fold(ctx context.Context, c *session, customer, table string, leaves bool) error {
	f := folding{c: c, customer: customer, table: table}
	if err := f.read(ctx, leaves); err != nil {
		return err
	}
	if f.tail == nil {
		return c.pipeline(ctx, f.write())
	}
	for ids := range slices.Chunk(f.tail.Nodes(), foldedAtOnce) {
		if err := f.leaves(ctx, ids); err != nil {
			return err
		}
	}
	f.k.leavesSeq, f.k.leavesAt = f.k.nodesSeq, f.k.nodesAt
	err := c.pipeline(ctx, statement{sql: "BEGIN"}, f.write(), trimLog(customer, table, f.k.leavesSeq),
		statement{sql: "DELETE FROM tidemark.leaves WHERE customer = $1 AND name = $2 AND number = $3 AND cells = ''",
			args: []any{customer, table, int64(f.k.number)}}, statement{sql: "COMMIT"})
	if err != nil || !f.k.layout.Due(f.k.st.Version.Rows, f.nodes.Leaves()) {
		return err
	}
	_, err = s.summarize(ctx, c, customer, table)
	return err
}

// foldedAtOnce is how many nodes one transaction folds.
const foldedAtOnce = 64

// A folding is one run.
type folding struct {
	c               *session
	customer, table string
	k               kept
	nodes           *sums.Nodes
	tail            *sums.Tail // nil: nodes alone
}

// read reads summary and log as of one moment.
func (f *folding) read(ctx context.Context, leaves bool) (err error) {
	if f.k, err = f.c.beginKept(ctx, f.customer, f.table); err != nil {
		return err
	}
	if err := f.k.check(); err != nil {
		return err
	}
	if f.nodes, err = f.k.current(ctx, f.c, f.customer, f.table); err != nil {
		return err
	}
	if leaves {
		if f.tail, err = f.k.tail(ctx, f.c, f.customer, f.table); err != nil {
			return err
		}
	}
	f.k.nodesSeq, f.k.nodesAt = f.k.st.Version.Seq, f.k.st.mark.Logged
	_, err = f.c.Exec(ctx, "COMMIT")
	return err
}

// leaves folds the leaves of some nodes. The row of a node says which batches
// are in it, so that a fold may end anywhere; one that has become empty stays
// until the log is trimmed.
func (f *folding) leaves(ctx context.Context, ids []summary.Node) error {
	if _, err := f.c.Exec(ctx, "BEGIN"); err != nil {
		return err
	}
	stored := make(map[summary.Node]storedLeaves, len(ids))
	err := f.k.eachLeaves(ctx, f.c, f.customer, f.table, func(l storedLeaves) error {
		stored[l.node] = storedLeaves{l.node, l.folded, nil, slices.Clone(l.cells)}
		return nil
	}, ids...)
	if err != nil {
		return err
	}
	var writes []statement
	for _, id := range ids {
		l := stored[id]
		var c sums.Cells
		if err := sums.ParseCells(l.cells, &c); err != nil {
			return err
		}
		f.tail.Apply(id, l.folded, &c)
		n := c.Leaves()
		f.nodes.SetLeaves(id, n)
		cells := []byte{}
		if n > 0 {
			cells = c.Append(nil)
		}
		writes = append(writes, statement{
			sql: `INSERT INTO tidemark.leaves AS l (customer, name, number, node, folded, anchor, cells) VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (customer, name, number, node) DO UPDATE SET folded = excluded.folded, cells = excluded.cells,
				anchor = coalesce(l.anchor, excluded.anchor)`,
			args: []any{f.customer, f.table, int64(f.k.number), int64(id), int64(f.k.nodesSeq), f.tail.Anchor(id), cells},
		})
	}
	return f.c.pipeline(ctx, append(writes, statement{sql: "COMMIT"})...)
}

// write is the statement that stores the nodes and how far the folds are. A
// summary that was made or dropped since is another one.
func (f *folding) write() statement {
	return statement{
		sql: `UPDATE tidemark.summaries SET nodes = $4, nodes_seq = $5, nodes_at = $6, leaves_seq = $7, leaves_at = $8
			WHERE customer = $1 AND name = $2 AND number = $3 AND ready`,
		args: []any{f.customer, f.table, int64(f.k.number), f.nodes.Append(nil), int64(f.k.nodesSeq), f.k.nodesAt, int64(f.k.leavesSeq), f.k.leavesAt},
	}
}
