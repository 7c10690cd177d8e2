package postgres

import (
	"context"
	"encoding/json"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// Rows implements cloud.Manifests.
func (s *Store) Rows(ctx context.Context, customer, table string, fn func(cloud.Row) error) error {
	return s.run(ctx, func(c *session) error {
		r, err := s.beginReading(ctx, c, customer, table, false)
		if err != nil {
			return err
		}
		// In the transaction: the columns are those of the moment that is read.
		var document []byte
		var schema wire.Schema
		err = c.QueryRow(ctx, "SELECT document FROM tidemark.schemas WHERE customer = $1 AND name = $2", customer, table).Scan(&document)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(document, &schema); err != nil {
			return err
		}
		if r.p, err = s.datasets.plan(r.p.shared, schema, r.st.Version.Schema); err != nil {
			return err
		}
		if err := r.each(ctx, customer, fn); err != nil {
			return err
		}
		_, err = c.Exec(ctx, "COMMIT")
		return err
	})
}

// each reads the rows as fn takes them. That can take any time, bounded by
// ctx alone; and the order comes from the primary key, because sorting would
// need the table's size on the server's disk.
func (r reading) each(ctx context.Context, customer string, fn func(cloud.Row) error) error {
	if err := r.c.pipeline(ctx, statement{sql: "SET LOCAL statement_timeout = 0"}, statement{sql: "SET LOCAL enable_sort = off"}); err != nil {
		return err
	}
	sql := "SELECT t._tm_rv, t._tm_epoch, " + list(r.p.columns, "t.%", ", ") + " FROM " + r.p.target() + " t WHERE t.customer_id = $1 ORDER BY " + r.p.order()
	result := r.c.PgConn().ExecParams(ctx, sql, [][]byte{[]byte(customer)}, nil, nil, nil)
	row := cloud.Row{Values: make([][]byte, len(r.p.columns))}
	var err error
	for err == nil && result.NextRow() {
		if err = r.decode(&row, result.Values()); err == nil {
			err = fn(row)
			row.Index++
		}
	}
	if err != nil {
		_ = r.c.Close(ctx) // cheaper than reading the rest
		_, _ = result.Close()
		return err
	}
	_, err = result.Close()
	return err
}

func (r reading) decode(row *cloud.Row, values [][]byte) (err error) {
	if row.Version, row.Epoch, err = parseStamp(values); err != nil {
		return err
	}
	if row.Epoch == r.st.EpochNumber {
		row.Epoch = 0
	}
	for i, c := range r.p.columns {
		if row.Values[i], err = appendWire(row.Values[i][:0], c.typ, values[2+i]); err != nil {
			return err
		}
	}
	return nil
}
