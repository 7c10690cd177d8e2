package postgres

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud/dataset"
	"tidemark/internal/wire"
)

// shared is a dataset as it is in the database.
type shared struct {
	dataset.Dataset
	shape int
}

// target is the quoted name of its table.
func (d *shared) target() string { return pgx.Identifier{"data", d.Table}.Sanitize() }

// staging is the quoted name of its staging table.
func (d *shared) staging() string { return pgx.Identifier{"pg_temp", d.Table}.Sanitize() }

// isKey tells whether the column of a name is the key's.
func (d *shared) isKey(name string) bool {
	for _, k := range d.Key {
		if k == name {
			return true
		}
	}
	return false
}

// pgType is the type of one of the dataset's columns.
func (d *shared) pgType(c dataset.Column) string { return pgType(c.Type, d.isKey(c.Name)) }

// A plan is how rows of one schema get into the table of one shape of its
// dataset, and out: nothing in it depends on a customer.
type plan struct {
	*shared
	columns []column // of the schema, in its order
	key     []column // in key order
	keyAt   []int    // positions of the key's columns
	byRV    bool     // wire.ByRowVersion
	merge   string   // the statement
	// mergeTold is merge that also tells which lines were new, and what those
	// that were not have replaced.
	mergeTold string
	// mergeInline is mergeTold of rows that it carries.
	mergeInline string
}

// A column is one that a customer declared.
type column struct {
	name   string    // the source's
	id     string    // quoted identifier
	typ    wire.Type // as the customer declared it
	form   form
	pgType string
}

// newPlan returns the plan of a schema. The dataset must have its columns and
// its key.
func newPlan(d *shared, schema wire.Schema) (*plan, error) {
	p := &plan{shared: d, byRV: schema.Versioning == wire.ByRowVersion}
	for _, c := range schema.Columns {
		held := d.Column(c.Name)
		if held == nil {
			return nil, fmt.Errorf("dataset %q has no column %q", d.Name, c.Name)
		}
		text := d.isKey(c.Name) && keyIsText(held.Type)
		p.columns = append(p.columns, column{name: c.Name, id: quote(held.ID), typ: c.Type, form: formOf(c.Type, text), pgType: d.pgType(*held)})
	}
	p.keyAt = schema.KeyIndexes()
	for _, i := range p.keyAt {
		p.key = append(p.key, p.columns[i])
	}
	p.merge, p.mergeTold, p.mergeInline = p.mergeSQL(p.staging(), false), p.mergeSQL(p.staging(), true), p.mergeSQL(inlined, true)
	return p, nil
}

// quote makes a name an identifier.
func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// list writes the columns, each through format, separated by sep.
func list(columns []column, format, sep string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = strings.ReplaceAll(format, "%", c.id)
	}
	return strings.Join(parts, sep)
}

// absent are the columns of the dataset that the schema lacks, quoted.
func (p *plan) absent() []column {
	have := make(map[string]bool, len(p.columns))
	for _, c := range p.columns {
		have[c.id] = true
	}
	var rest []column
	for _, c := range p.Columns {
		if id := quote(c.ID); !have[id] {
			rest = append(rest, column{id: id})
		}
	}
	return rest
}
