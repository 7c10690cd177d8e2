package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"tidemark/cloud/sums"
	"tidemark/cloud/sums/upkeep"
	"tidemark/differ/summary"
	"tidemark/internal/canon"
)

// alone runs f while nothing else of this store makes or folds summaries.
func (s *Store) alone(ctx context.Context, f func() error) error {
	select {
	case s.making <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.making }()
	return f()
}

// errOvertaken ends the making of a summary: the table was dropped or loaded
// anew meanwhile, or another process makes one.
var errOvertaken = errors.New("overtaken")

// Summarize implements cloud.Summaries.
func (s *Store) Summarize(ctx context.Context, customer, table string) (l summary.Layout, err error) {
	err = s.alone(ctx, func() error {
		l, err = s.summarize(ctx, customer, table)
		return err
	})
	if errors.Is(err, errOvertaken) {
		err = sums.NoSummary(table, "its rows were replaced while the summary was made")
	}
	return l, err
}

func (s *Store) summarize(ctx context.Context, customer, table string) (summary.Layout, error) {
	m := making{s: s, customer: customer, table: table}
	if err := s.read(ctx, func(tx *sql.Tx) error { return m.choose(ctx, tx) }); err != nil {
		return summary.Layout{}, err
	}
	if err := s.write(ctx, func(tx *sql.Tx) error { return m.begin(ctx, tx) }); err != nil {
		return summary.Layout{}, err
	}
	for m.parts = sums.Parts(m.layout.Rows); ; m.parts *= 2 {
		err := s.read(ctx, func(tx *sql.Tx) error { return m.sum(ctx, tx) })
		if !errors.Is(err, sums.ErrParts) {
			return m.layout, err
		}
	}
}

// A making is one attempt to make a summary.
type making struct {
	s               *Store
	customer, table string
	layout          summary.Layout
	parts           int
	schema          string // that the layout was chosen for

	seq    uint64 // of the last batch whose rows are summed up
	logged int64
	nodes  *sums.Nodes
}

// choose samples the keys, while the summary before stays.
func (m *making) choose(ctx context.Context, tx *sql.Tx) error {
	h, err := load(ctx, tx, m.customer, m.table)
	if err != nil {
		return err
	}
	if !h.state.Version.Loaded {
		return sums.NoSummary(m.table, "its load is not complete")
	}
	m.schema = h.state.Version.Schema
	p := newPlan(h.set, h.schema)
	text, args := p.keysAndStamps(), []any{m.customer}
	if every := h.state.Version.Rows / sums.SampleSize; every > 1 {
		text, args = text+" AND random() % ? = 0", append(args, every)
	}
	m.layout, err = sums.Choose(p.keyTypes, 1, h.state.EpochNumber, h.state.Version.Rows, func(add func([]byte) error) error {
		return eachKey(ctx, tx, p, text, args, func(r summary.Row) error { return add(r.Key) })
	})
	return err
}

// begin marks the table, so that every batch from now on writes the log.
func (m *making) begin(ctx context.Context, tx *sql.Tx) error {
	h, err := load(ctx, tx, m.customer, m.table)
	if err != nil {
		return err
	}
	if !h.state.Version.Loaded || h.state.Version.Schema != m.schema {
		return errOvertaken
	}
	k, err := loadSummary(ctx, tx, m.customer, m.table)
	if err != nil {
		return err
	}
	if err := forget(ctx, tx, m.customer, m.table); err != nil {
		return err
	}
	m.layout.Number, m.layout.Epoch = k.number+1, h.state.EpochNumber
	k = kept{number: m.layout.Number, layout: m.layout}
	if err := k.save(ctx, tx, m.customer, m.table); err != nil {
		return err
	}
	return saveMark(ctx, tx, m.customer, m.table, sums.Mark{Number: k.number, Seq: h.state.Version.Seq})
}

// sum reads all rows in one state of the file and writes the summary of it.
func (m *making) sum(ctx context.Context, tx *sql.Tx) error {
	h, err := load(ctx, tx, m.customer, m.table)
	if err != nil {
		return err
	}
	if h.mark.Number != m.layout.Number {
		return errOvertaken
	}
	m.seq, m.logged = h.state.Version.Seq, h.mark.Logged
	if m.nodes, err = sums.ParseNodes(nil); err != nil {
		return err
	}
	p := newPlan(h.set, h.schema)
	for part := range m.parts {
		b, err := sums.NewBuilder(m.layout, p.keyTypes, h.secret, part, m.parts)
		if err != nil {
			return err
		}
		if err := eachKey(ctx, tx, p, p.keysAndStamps(), []any{m.customer}, b.Add); err != nil {
			return err
		}
		ids := b.Nodes()
		for chunk := range slices.Chunk(ids, writtenAtOnce) {
			if err := m.write(ctx, func(tx *sql.Tx) error { return m.put(ctx, tx, b, chunk) }); err != nil {
				return err
			}
		}
	}
	return m.write(ctx, func(tx *sql.Tx) error { return m.end(ctx, tx) })
}

// writtenAtOnce is how many nodes one transaction writes: it is in the way of
// batches.
const writtenAtOnce = 256

// write runs f as long as the table is marked with the layout.
func (m *making) write(ctx context.Context, f func(*sql.Tx) error) error {
	return m.s.write(ctx, func(tx *sql.Tx) error {
		h, err := load(ctx, tx, m.customer, m.table)
		if err != nil {
			return err
		}
		if h.mark.Number != m.layout.Number {
			return errOvertaken
		}
		return f(tx)
	})
}

func (m *making) put(ctx context.Context, tx *sql.Tx, b *sums.Builder, ids []summary.Node) error {
	var c sums.Cells
	for _, id := range ids {
		anchor := b.Node(id, &c)
		m.nodes.Put(id, &c)
		if err := writeLeaves(ctx, tx, m.customer, m.table, storedLeaves{id, m.seq, anchor, c.Append(nil)}); err != nil {
			return err
		}
	}
	return nil
}

func (m *making) end(ctx context.Context, tx *sql.Tx) error {
	k := kept{number: m.layout.Number, ready: true, layout: m.layout, nodes: m.nodes.Append(nil),
		nodesSeq: m.seq, nodesAt: m.logged, leavesSeq: m.seq, leavesAt: m.logged}
	if err := k.save(ctx, tx, m.customer, m.table); err != nil {
		return err
	}
	return trimLog(ctx, tx, m.customer, m.table, m.seq)
}

func trimLog(ctx context.Context, tx *sql.Tx, customer, table string, upTo uint64) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM log WHERE customer = ? AND name = ? AND seq <= ?", customer, table, int64(upTo))
	return err
}

// eachKey calls fn for what a summary sees of the rows of a query. The key is
// valid until fn returns.
func eachKey(ctx context.Context, tx *sql.Tx, p plan, text string, args []any, fn func(summary.Row) error) error {
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err has told
	r := newReader(p.keyTypes)
	var key []byte
	for n := 0; rows.Next(); n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := r.scan(rows); err != nil {
			return err
		}
		if key, err = canon.Key(key[:0], p.keyTypes, r.values); err != nil {
			return err
		}
		if err := fn(summary.Row{Key: key, Epoch: r.epoch, Version: r.version}); err != nil {
			return err
		}
	}
	return rows.Err()
}

// tend makes the summary of a table that has none, folds one that is due, and
// gives one another layout that has grown out of its own.
func (s *Store) tend(ctx context.Context, t upkeep.Table) error {
	return s.alone(ctx, func() error {
		var none *errNone
		due := false
		err := s.read(ctx, func(tx *sql.Tx) error {
			h, k, err := readSummary(ctx, tx, t.Customer, t.Name)
			if err != nil {
				return err
			}
			nodes, err := sums.ParseNodes(k.nodes)
			if err != nil {
				return err
			}
			due = sums.NodesDue(h.mark.Logged-k.nodesAt, len(k.nodes)) || sums.LeavesDue(h.mark.Logged-k.leavesAt, nodes.Leaves(), t.Soon)
			return nil
		})
		switch {
		case errors.As(err, &none) && none.wanted, errors.Is(err, sums.ErrBlob):
			_, err = s.summarize(ctx, t.Customer, t.Name)
		case errors.As(err, &none):
			err = nil
		case err == nil && due:
			err = s.fold(ctx, t.Customer, t.Name)
		}
		if errors.Is(err, errOvertaken) { // what overtook it asks again
			err = nil
		}
		return err
	})
}
