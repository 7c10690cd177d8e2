package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"

	"tidemark/cloud/dataset"
	"tidemark/cloud/sums"
	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// Register implements cloud.Tables.
func (s *Store) Register(ctx context.Context, customer, table string, schema wire.Schema) (t wire.Table, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := customerExists(ctx, tx, customer); err != nil {
			return err
		}
		h, before, err := registered(ctx, tx, customer, table)
		if err != nil {
			return err
		}
		fingerprint := schema.Fingerprint()
		if before == nil || h.state.Version.Schema != fingerprint {
			change, err := planChange(ctx, tx, customer, table, h, before, schema)
			if err != nil {
				return err
			}
			if err := change.apply(ctx, tx); err != nil {
				return err
			}
			if before == nil {
				h.secret = summary.NewSecret()
			} else if !sums.Survives(*before, schema, change.Reload) {
				h.mark = sums.Mark{}
			}
			h.state, h.schema = h.state.Register(fingerprint, change.Reload), schema
			if err := saveTable(ctx, tx, customer, table, h); err != nil {
				return err
			}
		}
		t, err = h.answer(table)
		return err
	})
	return t, err
}

// registered is what there is of a table before it is registered: before is
// nil when this customer has not done so yet.
func registered(ctx context.Context, tx *sql.Tx, customer, table string) (h held, before *wire.Schema, err error) {
	h, err = load(ctx, tx, customer, table)
	if err == nil {
		return h, &h.schema, nil
	}
	var p *wire.Problem
	if !errors.As(err, &p) {
		return held{}, nil, err
	}
	var body []byte
	err = tx.QueryRowContext(ctx, "SELECT body FROM datasets WHERE name = ?", table).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return held{}, nil, nil
	}
	if err != nil {
		return held{}, nil, err
	}
	return h, nil, json.Unmarshal(body, &h.set)
}

// change is a dataset.Change that this store can carry out.
type change struct{ dataset.Change }

func planChange(ctx context.Context, tx *sql.Tx, customer, table string, h held, before *wire.Schema, schema wire.Schema) (change, error) {
	var others int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM tables WHERE name = ? AND customer <> ?", table, customer).Scan(&others); err != nil {
		return change{}, err
	}
	var failed error
	c, err := h.set.Register(dataset.Request{
		Name: table, Schema: schema, Before: before,
		Alone: others == 0 && h.state.Version.Rows == 0,
		Taken: func(id string) bool {
			var n int
			if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM datasets WHERE id = ?", id).Scan(&n); err != nil {
				failed = err
			}
			return n > 0
		},
	})
	return change{c}, errors.Join(failed, err)
}

// apply changes the shared table. Widened columns need nothing: the form in
// which a value is held does not depend on the size of its type.
func (c change) apply(ctx context.Context, tx *sql.Tx) error {
	set := c.Dataset
	var text []string
	if c.Rebuild {
		text = append(text, "DROP TABLE "+tableName(set))
	}
	if c.Create || c.Rebuild {
		text = append(text, createTable(set))
	}
	for _, col := range c.Added {
		text = append(text, "ALTER TABLE "+tableName(set)+" ADD COLUMN "+quote(col.ID)+" "+affinity(col.Type))
	}
	for _, t := range text {
		if _, err := tx.ExecContext(ctx, t); err != nil {
			return err
		}
	}
	body, err := json.Marshal(set)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO datasets (name, id, body) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body",
		set.Name, set.Table, string(body))
	return err
}

func saveTable(ctx context.Context, tx *sql.Tx, customer, table string, h held) error {
	state, err := json.Marshal(h.state)
	if err != nil {
		return err
	}
	schema, err := json.Marshal(h.schema)
	if err != nil {
		return err
	}
	mark, err := json.Marshal(h.mark)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO tables (customer, name, state, schema, secret, mark) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (customer, name) DO UPDATE SET state = excluded.state, schema = excluded.schema, mark = excluded.mark`,
		customer, table, string(state), string(schema), h.secret[:], string(mark))
	return errors.Join(err, otherToken(ctx, tx, customer))
}

func createTable(set dataset.Dataset) string {
	var b strings.Builder
	b.WriteString("CREATE TABLE " + tableName(set) + " (\n  customer_id TEXT NOT NULL")
	for _, c := range set.Columns {
		b.WriteString(",\n  " + quote(c.ID) + " " + affinity(c.Type))
	}
	b.WriteString(",\n  _tm_rv INTEGER NOT NULL,\n  _tm_epoch INTEGER NOT NULL,\n  PRIMARY KEY (customer_id")
	for _, name := range set.Key {
		b.WriteString(", " + quote(set.Column(name).ID))
	}
	b.WriteString(")\n) WITHOUT ROWID")
	return b.String()
}

// tableName keeps the names of datasets apart from those of our own tables.
func tableName(set dataset.Dataset) string { return quote("data_" + set.Table) }

func quote(id string) string { return `"` + strings.ReplaceAll(id, `"`, `""`) + `"` }
