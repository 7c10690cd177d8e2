package sqlite

import (
	"context"
	"database/sql"
	"encoding/base64"
	"strings"

	"tidemark/cloud"
	"tidemark/cloud/ledger"
	"tidemark/internal/wire"
)

// Compare implements cloud.Manifests.
func (s *Store) Compare(ctx context.Context, m cloud.Manifest) (c wire.Comparison, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		h, err := load(ctx, tx, m.Customer, m.Table)
		if err != nil {
			return err
		}
		if err := h.state.AdmitManifest(m.Header); err != nil {
			return err
		}
		c = wire.Comparison{Version: h.state.Version}
		p := newPlan(h.set, h.schema)
		texts, err := statements(ctx, tx, p.find())
		if err != nil {
			return err
		}
		var args []any
		return each(ctx, m.Rows, func(ctx context.Context, row cloud.Row) error {
			if row.Refusal != nil {
				c.Missing = append(c.Missing, row.Index)
				return nil
			}
			if args, err = p.keyArgs(args[:0], m.Customer, row.Values); err != nil {
				return err
			}
			version, epoch, found, err := lookup(ctx, texts[0], args)
			switch {
			case err != nil:
				return err
			case !found:
				c.Missing = append(c.Missing, row.Index)
			case !sameStamp(row, version, epoch, h.state.EpochNumber):
				c.Stale = append(c.Stale, row.Index)
			}
			return nil
		})
	})
	return c, err
}

// List implements cloud.Manifests.
func (s *Store) List(ctx context.Context, m cloud.Manifest, out *wire.Lines) (lh wire.ListHeader, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		h, err := load(ctx, tx, m.Customer, m.Table)
		if err != nil {
			return err
		}
		if err := h.state.AdmitManifest(m.Header); err != nil {
			return err
		}
		p := newPlan(h.set, h.schema)
		text, args := "", []any{m.Customer}
		if m.Header.After != "" {
			key, err := parsePage(p.keyTypes, m.Header.After)
			if err != nil {
				return err
			}
			if args, err = p.keyArgs(args[:0], m.Customer, key); err != nil {
				return err
			}
			text = p.beyond(">")
		}
		rows, err := tx.QueryContext(ctx, "SELECT _tm_rv, _tm_epoch, "+strings.Join(p.keyIDs(), ", ")+" FROM "+p.table+
			" WHERE customer_id = ?"+text+p.orderByKey()+" LIMIT ?", append(args, m.Header.Limit+1)...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err has told
		lh = wire.ListHeader{Version: h.state.Version}
		r := newReader(p.keyTypes)
		for rows.Next() {
			if lh.Rows == m.Header.Limit || lh.Rows > 0 && len(out.Buf) >= m.Bytes {
				lh.Next = pageAfter(r.values)
				break
			}
			if err := r.scan(rows); err != nil {
				return err
			}
			out.Buf = append(ledger.AppendStamp(append(out.Buf, '[', '"'), r.version, r.epoch, h.state.EpochNumber), '"')
			for _, v := range r.values {
				out.Buf = append(append(out.Buf, ','), v...)
			}
			out.Buf = append(out.Buf, ']', '\n')
			out.N++
			lh.Rows++
		}
		return rows.Err()
	})
	return lh, err
}

// Rows implements cloud.Manifests.
func (s *Store) Rows(ctx context.Context, customer, table string, fn func(cloud.Row) error) error {
	return s.read(ctx, func(tx *sql.Tx) error {
		h, err := load(ctx, tx, customer, table)
		if err != nil {
			return err
		}
		p := newPlan(h.set, h.schema)
		rows, err := tx.QueryContext(ctx, "SELECT _tm_rv, _tm_epoch, "+strings.Join(p.ids, ", ")+" FROM "+p.table+" WHERE customer_id = ?"+p.orderByKey(), customer)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err has told
		var types []wire.Type
		for _, c := range h.schema.Columns {
			types = append(types, c.Type)
		}
		r := newReader(types)
		for n := 0; rows.Next(); n++ {
			if err := r.scan(rows); err != nil {
				return err
			}
			row := cloud.Row{Index: n, Version: r.version, Epoch: r.epoch, Values: r.values}
			if r.epoch == h.state.EpochNumber {
				row.Epoch = 0
			}
			if err := fn(row); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// A reader turns rows of SQLite into their wire form.
type reader struct {
	types   []wire.Type
	version uint64
	epoch   int64
	values  [][]byte // valid until the next scan

	bits int64
	held []any
	into []any
}

func newReader(types []wire.Type) *reader {
	r := &reader{types: types, values: make([][]byte, len(types)), held: make([]any, len(types))}
	r.into = []any{&r.bits, &r.epoch}
	for i := range r.held {
		r.into = append(r.into, &r.held[i])
	}
	return r
}

func (r *reader) scan(rows *sql.Rows) (err error) {
	if err := rows.Scan(r.into...); err != nil {
		return err
	}
	r.version = uint64(r.bits)
	for i, t := range r.types {
		if r.values[i], err = appendWire(r.values[i][:0], t, r.held[i]); err != nil {
			return err
		}
	}
	return nil
}

// pageAfter is the opaque text that names the last key of a page.
func pageAfter(key [][]byte) string {
	line := []byte{'['}
	for i, v := range key {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(line, v...)
	}
	return base64.RawURLEncoding.EncodeToString(append(line, ']'))
}

// parsePage reads what pageAfter wrote, and trusts none of it.
func parsePage(types []wire.Type, s string) ([][]byte, error) {
	bad := wire.NewProblem(wire.Malformed, "after is not what a page before said", "Begin with the first page.")
	line, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, bad
	}
	key, err := wire.SplitRow(line, nil)
	if err != nil || len(key) != len(types) {
		return nil, bad
	}
	for i, t := range types {
		if wire.CheckValue(t, key[i]) != nil {
			return nil, bad
		}
	}
	return key, nil
}
