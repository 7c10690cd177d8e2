package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud/sums"
	"tidemark/cloud/sums/upkeep"
	"tidemark/differ/summary"
	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// errOvertaken ends the making of a summary: the table was dropped, loaded
// anew or registered otherwise meanwhile.
var errOvertaken = errors.New("overtaken")

// Summarize implements cloud.Summaries.
func (s *Store) Summarize(ctx context.Context, customer, table string) (l summary.Layout, err error) {
	err = s.alone(ctx, customer, table, true, func(c *session) error {
		l, err = s.summarize(ctx, c, customer, table)
		return err
	})
	if errors.Is(err, errOvertaken) {
		err = sums.NoSummary(table, "its rows were replaced while the summary was made")
	}
	return l, err
}

// summarize makes a summary in a session that is alone.
func (s *Store) summarize(ctx context.Context, c *session, customer, table string) (summary.Layout, error) {
	m := making{s: s, c: c, customer: customer, table: table}
	if err := m.choose(ctx); err != nil {
		return summary.Layout{}, err
	}
	if err := m.begin(ctx); err != nil {
		return summary.Layout{}, err
	}
	for m.parts = sums.Parts(m.layout.Rows); ; m.parts *= 2 {
		err := m.sum(ctx)
		switch {
		case errors.Is(err, sums.ErrParts):
			c.rollback(ctx)
		case code(err) == codeSerialization: // only a drop or a removal writes there, too
			return m.layout, errOvertaken
		default:
			return m.layout, err
		}
	}
}

// A making is one attempt to make a summary.
type making struct {
	s               *Store
	c               *session
	customer, table string
	layout          summary.Layout
	parts           int
	schema          string // that the layout was chosen for
}

// choose samples the keys, while the summary before stays.
func (m *making) choose(ctx context.Context) error {
	k, err := m.c.beginKept(ctx, m.customer, m.table)
	if err != nil {
		return err
	}
	v := k.st.Version
	if !v.Loaded {
		return sums.NoSummary(m.table, "its load is not complete")
	}
	m.schema = v.Schema
	keys, err := m.s.keysOf(ctx, m.c, m.customer, m.table)
	if err != nil {
		return err
	}
	where := ""
	if v.Rows > sums.SampleSize {
		where = fmt.Sprintf(" AND random() < %g", sums.SampleSize/float64(v.Rows))
	}
	m.layout, err = sums.Choose(keys.types, 1, k.st.EpochNumber, v.Rows, func(add func([]byte) error) error {
		return keys.each(ctx, where, func(r summary.Row) error { return add(r.Key) })
	})
	if err != nil {
		return err
	}
	_, err = m.c.Exec(ctx, "COMMIT")
	return err
}

// begin marks the table, so that every batch from now on writes the log.
func (m *making) begin(ctx context.Context) error {
	st, err := m.c.begin(ctx, "BEGIN", lockState, m.customer, m.table)
	if err != nil {
		return err
	}
	if !st.Version.Loaded || st.Version.Schema != m.schema {
		return errOvertaken
	}
	var number int64
	err = m.c.QueryRow(ctx, "SELECT number FROM tidemark.summaries WHERE customer = $1 AND name = $2", m.customer, m.table).Scan(&number)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	m.layout.Number, m.layout.Epoch = uint64(number)+1, st.EpochNumber
	layout, err := json.Marshal(m.layout)
	if err != nil {
		return err
	}
	st.mark = sums.Mark{Number: m.layout.Number, Seq: st.Version.Seq}
	return m.c.pipeline(ctx, append(forget(m.customer, m.table), statement{
		sql: `INSERT INTO tidemark.summaries (customer, name, number, ready, layout, nodes, nodes_seq, nodes_at, leaves_seq, leaves_at)
			VALUES ($1, $2, $3, false, $4, '', 0, 0, 0, 0) ON CONFLICT (customer, name) DO UPDATE SET number = excluded.number,
			ready = false, layout = excluded.layout, nodes = '', nodes_seq = 0, nodes_at = 0, leaves_seq = 0, leaves_at = 0`,
		args: []any{m.customer, m.table, int64(m.layout.Number), string(layout)},
	}, st.writeMark(m.customer, m.table), statement{sql: "COMMIT"})...)
}

// sum reads all rows as of one moment and writes the summary of it, in one
// transaction. The log up to that moment is part of it.
func (m *making) sum(ctx context.Context) error {
	k, err := m.c.beginKept(ctx, m.customer, m.table)
	if err != nil {
		return err
	}
	if k.st.mark.Number != m.layout.Number {
		return errOvertaken
	}
	keys, err := m.s.keysOf(ctx, m.c, m.customer, m.table)
	if err != nil {
		return err
	}
	nodes, err := sums.ParseNodes(nil)
	if err != nil {
		return err
	}
	seq := int64(k.st.Version.Seq)
	for part := range m.parts {
		b, err := sums.NewBuilder(m.layout, keys.types, k.st.secret, part, m.parts)
		if err != nil {
			return err
		}
		if err := keys.each(ctx, "", b.Add); err != nil {
			return err
		}
		ids := b.Nodes()
		_, err = m.c.CopyFrom(ctx, pgx.Identifier{"tidemark", "leaves"}, []string{"customer", "name", "number", "node", "folded", "anchor", "cells"},
			pgx.CopyFromSlice(len(ids), func(i int) ([]any, error) {
				var cells sums.Cells
				anchor := b.Node(ids[i], &cells)
				nodes.Put(ids[i], &cells)
				return []any{m.customer, m.table, int64(m.layout.Number), int64(ids[i]), seq, anchor, cells.Append(nil)}, nil
			}))
		if err != nil {
			return err
		}
	}
	tag, err := m.c.Exec(ctx, `UPDATE tidemark.summaries SET ready = true, nodes = $4, nodes_seq = $5, leaves_seq = $5, nodes_at = $6, leaves_at = $6
		WHERE customer = $1 AND name = $2 AND number = $3`, m.customer, m.table, int64(m.layout.Number), nodes.Append(nil), seq, k.st.mark.Logged)
	if err == nil && tag.RowsAffected() != 1 {
		err = errOvertaken
	}
	if err != nil {
		return err
	}
	return m.c.pipeline(ctx, trimLog(m.customer, m.table, k.st.Version.Seq), statement{sql: "COMMIT"})
}

func trimLog(customer, table string, upTo uint64) statement {
	return statement{sql: "DELETE FROM tidemark.log WHERE customer = $1 AND name = $2 AND seq <= $3", args: []any{customer, table, int64(upTo)}}
}

// tableKeys reads the keys of a customer's table, in the transaction at hand.
type tableKeys struct {
	c        *session
	p        *plan
	customer string
	types    []wire.Type
}

// keysOf prepares to read a table, as the transaction sees it.
func (s *Store) keysOf(ctx context.Context, c *session, customer, table string) (*tableKeys, error) {
	var document []byte
	var schema wire.Schema
	err := c.QueryRow(ctx, "SELECT document FROM tidemark.schemas WHERE customer = $1 AND name = $2", customer, table).Scan(&document)
	if err == nil {
		err = json.Unmarshal(document, &schema)
	}
	if err != nil {
		return nil, err
	}
	d, err := c.readDataset(ctx, table, "")
	if err != nil {
		return nil, err
	}
	p, err := newPlan(d, schema)
	return &tableKeys{c, p, customer, schema.KeyTypes()}, err
}

// each calls fn for what a summary sees of the rows, in the order of the
// primary key. The key is valid until fn returns. It can take any time, bounded
// by ctx alone.
func (k *tableKeys) each(ctx context.Context, where string, fn func(summary.Row) error) error {
	if err := k.c.pipeline(ctx, settings...); err != nil {
		return err
	}
	var key []byte
	return k.rows(ctx, where+" ORDER BY "+k.p.order(), nil, func(values [][]byte, rv uint64, epoch int64) (err error) {
		if key, err = canon.Key(key[:0], k.types, values); err != nil {
			return err
		}
		return fn(summary.Row{Key: key, Epoch: epoch, Version: rv})
	})
}

// settings make a query go along the primary key, whatever the statistics say,
// for as long as it takes.
var settings = []statement{{sql: "SET LOCAL statement_timeout = 0"}, {sql: "SET LOCAL enable_sort = off"}, {sql: "SET LOCAL enable_seqscan = off"}}

// rows calls fn for the rows of a query: the key in its wire form, valid until
// fn returns. Args are texts, from $2 on.
func (k *tableKeys) rows(ctx context.Context, where string, args []any, fn func(key [][]byte, rv uint64, epoch int64) error) error {
	params := [][]byte{[]byte(k.customer)}
	for _, a := range args {
		params = append(params, []byte(a.(string)))
	}
	result := k.c.PgConn().ExecParams(ctx, "SELECT t._tm_rv, t._tm_epoch, "+list(k.p.key, "t.%", ", ")+" FROM "+k.p.target()+" t WHERE t.customer_id = $1"+where,
		params, nil, nil, nil)
	key := make([][]byte, len(k.p.key))
	err := func() error {
		for result.NextRow() {
			values := result.Values()
			rv, epoch, err := parseStamp(values)
			for i := 0; i < len(key) && err == nil; i++ {
				key[i], err = appendWire(key[i][:0], k.p.key[i].typ, values[2+i])
			}
			if err == nil {
				err = fn(key, rv, epoch)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}()
	if err != nil && !errors.Is(err, sums.ErrParts) {
		_ = k.c.Close(ctx) // cheaper than reading the rest
	}
	if _, closed := result.Close(); err == nil {
		err = closed
	}
	return err
}

// tend looks after a table when nobody waits for it.
func (s *Store) tend(ctx context.Context, t upkeep.Table) error {
	err := s.look(ctx, t, false)
	if errors.Is(err, errBusy) { // somebody else does it
		err = nil
	}
	return err
}

// look makes the summary of a table that has none, folds one that is due, and
// gives one another layout that has grown out of its own.
func (s *Store) look(ctx context.Context, t upkeep.Table, wait bool) error {
	return s.alone(ctx, t.Customer, t.Name, wait, func(c *session) error {
		k, err := c.beginKept(ctx, t.Customer, t.Name)
		if err != nil {
			return err
		}
		if _, err := c.Exec(ctx, "COMMIT"); err != nil {
			return err
		}
		err = k.check()
		var none *errNone
		switch {
		case err == nil:
			err = s.foldDue(ctx, c, t.Customer, t.Name, k, t.Soon)
		case errors.As(err, &none) && none.wanted:
			err = sums.ErrBlob
		default:
			return nil
		}
		if errors.Is(err, sums.ErrBlob) {
			_, err = s.summarize(ctx, c, t.Customer, t.Name)
		}
		if errors.Is(err, errOvertaken) { // what overtook it asks again
			err = nil
		}
		return err
	})
}
