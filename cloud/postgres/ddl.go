package postgres

import (
	"context"
	"encoding/json"
	"strings"

	"tidemark/cloud/dataset"
)

// changeTable changes the dataset and its table.
func (r *registration) changeTable(ctx context.Context, change dataset.Change) error {
	if !change.Create && !change.Rebuild && len(change.Added) == 0 && len(change.Widened) == 0 {
		return nil
	}
	d := &shared{Dataset: change.Dataset, shape: 1}
	if change.Create || change.Rebuild { // deploy/citus.sql makes the function
		if err := r.c.QueryRow(ctx, "SELECT to_regprocedure('tidemark.distribute(text)') IS NOT NULL").Scan(&r.distributes); err != nil {
			return err
		}
	}
	var ddl []statement
	switch {
	case change.Create:
		ddl = []statement{{sql: createTable(d)}}
	case change.Rebuild:
		ddl = []statement{{sql: "DROP TABLE " + r.old.target()}, {sql: createTable(d)}}
	default:
		if sql := alterTable(r.old, d, change); sql != "" {
			ddl = []statement{{sql: sql}}
		}
	}
	if r.old != nil {
		d.shape = r.old.shape + 1
	}
	document, err := json.Marshal(d.Dataset)
	if err != nil {
		return err
	}
	if (change.Create || change.Rebuild) && r.distributes {
		ddl = append(ddl, statement{sql: "SELECT tidemark.distribute($1)", args: []any{d.target()}})
	}
	// First the dataset: its identifier is unique, and a table that exists is
	// an error that passes when the registration is tried again.
	return r.c.pipeline(ctx, append([]statement{{
		sql: `INSERT INTO tidemark.datasets (name, identifier, document, shape) VALUES ($1, $2, $3, $4)
			ON CONFLICT (name) DO UPDATE SET document = excluded.document, shape = excluded.shape`,
		args: []any{d.Name, d.Table, string(document), d.shape},
	}}, ddl...)...)
}

// createTable makes the table of a dataset. One tenth of every page is free
// so that updates find room beside the row they replace, and no index but the
// primary key's exists: such updates touch no index at all ("Heap-Only
// Tuples" in the PostgreSQL manual).
func createTable(d *shared) string {
	var b strings.Builder
	b.WriteString("CREATE TABLE " + d.target() + ` (customer_id text COLLATE "C" NOT NULL`)
	for _, c := range d.Columns {
		b.WriteString(", " + quote(c.ID) + " " + d.pgType(c))
	}
	b.WriteString(", _tm_rv bigint NOT NULL, _tm_epoch integer NOT NULL, PRIMARY KEY (customer_id")
	for _, k := range d.Key {
		b.WriteString(", " + quote(d.Column(k).ID))
	}
	b.WriteString(")) WITH (fillfactor = 90)")
	return b.String()
}

// alterTable makes the table of old that of d, in one statement so that it is
// rewritten once at most; "" when Postgres' types stay what they are.
func alterTable(old, d *shared, change dataset.Change) string {
	var actions []string
	for _, c := range change.Added {
		actions = append(actions, "ADD COLUMN "+quote(c.ID)+" "+d.pgType(c))
	}
	for _, c := range change.Widened {
		was, is := old.pgType(*old.Column(c.Name)), d.pgType(c)
		if was == is {
			continue
		}
		using := ""
		if is == keyText { // a time that has got more digits than Postgres holds: in formKeyTime's spelling
			using = " USING replace(" + quote(c.ID) + "::text, ' ', 'T')"
		}
		actions = append(actions, "ALTER COLUMN "+quote(c.ID)+" TYPE "+is+using)
	}
	if len(actions) == 0 {
		return ""
	}
	return "ALTER TABLE " + d.target() + " " + strings.Join(actions, ", ")
}
