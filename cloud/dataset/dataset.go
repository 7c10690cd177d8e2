package dataset

import (
	"fmt"
	"slices"
	"strings"

	"tidemark/internal/wire"
)

// A Dataset is the table that all customers of a dataset name share. The zero
// Dataset is one that does not exist yet. Stores keep it as JSON.
type Dataset struct {
	Name    string   `json:"name"`
	Table   string   `json:"table"` // identifier
	Columns []Column `json:"columns"`
	Key     []string `json:"key"` // names, in key order
}

// A Column is a column of the shared table.
type Column struct {
	Name string    `json:"name"` // the source's
	ID   string    `json:"id"`   // identifier
	Type wire.Type `json:"type"` // holds what every customer has declared
}

// Column returns the column of a name, nil when there is none.
func (d Dataset) Column(name string) *Column {
	for i := range d.Columns {
		if d.Columns[i].Name == name {
			return &d.Columns[i]
		}
	}
	return nil
}

// A Request asks to register a schema with a dataset.
type Request struct {
	Name   string      // of the dataset
	Schema wire.Schema // has passed its Check
	Before *wire.Schema
	// Alone says that no other customer is registered with the dataset, and
	// that this one holds no rows of it.
	Alone bool
	// Taken tells which identifiers other datasets have for their tables.
	Taken func(id string) bool
}

// A Change is what registering a schema does.
type Change struct {
	Dataset Dataset  // as it will be
	Create  bool     // the table is new
	Rebuild bool     // the table is empty and made anew, for another key
	Added   []Column // columns to add, nullable
	Widened []Column // columns whose type becomes this
	// Reload says that the rows of this customer cannot answer for the new
	// schema: see NeedsReload.
	Reload bool
}

// Register returns what registering a schema does to the dataset. The error
// is a *wire.Problem with the code SchemaConflict.
func (d Dataset) Register(r Request) (Change, error) {
	change := Change{Reload: r.Before != nil && NeedsReload(*r.Before, r.Schema)}
	switch {
	case d.Table == "":
		d = Dataset{Name: r.Name, Table: Identifier(r.Name, r.Taken), Key: slices.Clone(r.Schema.Key)}
		change.Create = true
	case slices.Equal(d.Key, r.Schema.Key):
		d.Columns = slices.Clone(d.Columns)
	case r.Alone:
		d = Dataset{Name: d.Name, Table: d.Table, Key: slices.Clone(r.Schema.Key)}
		change.Rebuild = true
	default:
		return Change{}, wire.NewProblem(wire.SchemaConflict,
			fmt.Sprintf("the key of %s is (%s), not (%s)", d.Name, strings.Join(d.Key, ", "), strings.Join(r.Schema.Key, ", ")),
			"All customers of a dataset have one key. Give this table a dataset name of its own, or, if no other customer has it, delete its rows in the cloud first.")
	}
	for _, c := range r.Schema.Columns {
		held := d.Column(c.Name)
		if held == nil {
			added := Column{Name: c.Name, ID: Identifier(c.Name, d.hasID), Type: c.Type}
			d.Columns = append(d.Columns, added)
			if !change.Create && !change.Rebuild {
				change.Added = append(change.Added, added)
			}
			continue
		}
		wide, ok := Widen(held.Type, c.Type)
		if !ok {
			return Change{}, wire.NewProblem(wire.SchemaConflict,
				fmt.Sprintf("column %q of %s is %s in the cloud and cannot hold %s", c.Name, d.Name, held.Type, c.Type),
				"Give this table a dataset name of its own, leave the column out, or change its type back.")
		}
		if wide != held.Type {
			held.Type = wide
			change.Widened = append(change.Widened, *held)
		}
	}
	if len(d.Columns) > MaxColumns {
		return Change{}, wire.NewProblem(wire.SchemaConflict, fmt.Sprintf("%s would have %d columns with those of other customers, the most is %d", d.Name, len(d.Columns), MaxColumns),
			"Give this table a dataset name of its own.")
	}
	change.Dataset = d
	return change, nil
}

// MaxColumns bounds the columns of a shared table. Postgres allows 1,600.
const MaxColumns = 1500

func (d Dataset) hasID(id string) bool {
	return slices.ContainsFunc(d.Columns, func(c Column) bool { return c.ID == id })
}

// NeedsReload tells whether rows that were sent under one schema cannot answer
// for another: a column is new, its values were made to fit a narrower or
// another type, a text or binary of fixed length was padded anew, or the key or the
// versioning is another. SQL Server gives a row no new row version for any of
// these.
func NeedsReload(before, after wire.Schema) bool {
	if !slices.Equal(before.Key, after.Key) || before.Versioning != after.Versioning {
		return true
	}
	types := make(map[string]wire.Type, len(before.Columns))
	for _, c := range before.Columns {
		types[c.Name] = c.Type
	}
	for _, c := range after.Columns {
		old, ok := types[c.Name]
		if !ok {
			return true
		}
		wide, ok := Widen(old, c.Type)
		fixed := c.Type.Kind == wire.Char || c.Type.Kind == wire.NChar || c.Type.Kind == wire.Binary
		if old != c.Type && (!ok || wide != c.Type || fixed) {
			return true
		}
	}
	return false
}
