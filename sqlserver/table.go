package sqlserver

import (
	"fmt"
	"slices"
	"strings"

	"tidemark/internal/wildcard"
	"tidemark/internal/wire"
)

// A Table is one table of the catalog. It is not changed once it is made.
type Table struct {
	Schema   string
	Name     string
	ObjectID int32
	Columns  []Column    // in the table's order, without its rowversion column
	Key      []KeyColumn // in the key's order; empty where Refused says why

	// KeyClustered: the rows are stored in the order of the key.
	KeyClustered bool
	// RowVersion is the name of the rowversion column, "" where there is none.
	RowVersion string
	// RowVersionIndexed: an index leads with the rowversion column, so that a
	// delta reads nothing but what has changed.
	RowVersionIndexed bool
	// Refused says why the table cannot be synced; "" where it can.
	Refused string
	// LeftOut are the columns that are not synced.
	LeftOut []LeftOut

	// rvOrder: the index that leads with the row version holds its rows in
	// the order (row version, key).
	rvOrder bool
}

// A Column is one column of a table.
type Column struct {
	ID        int // column_id, which no other column of the table ever gets; 0 where the server does not tell
	Name      string
	Type      wire.Type
	Declared  string // the type's name as declared: that of an alias type, text, ntext, image or numeric too
	Nullable  bool
	Identity  bool
	Computed  bool
	Collation string // of (n)char, (n)varchar and (n)text; "" for others

	base      string // name of the base type
	collating collationUse
	hash      string // the key that its values are hashed with; "" where they are not
}

// A KeyColumn is one column of a key.
type KeyColumn struct {
	Index int  // into Columns
	Desc  bool // the key's index sorts it descending
}

// A LeftOut names a column that is not synced, and why.
type LeftOut struct{ Column, Reason string }

// String is the table's name as people write it.
func (t *Table) String() string { return t.Schema + "." + t.Name }

// WireSchema is the table as the cloud sees it. Only a table that is not
// Refused has one.
func (t *Table) WireSchema() wire.Schema {
	s := wire.Schema{Versioning: wire.ByContent}
	if t.RowVersion != "" {
		s.Versioning = wire.ByRowVersion
	}
	for _, c := range t.Columns {
		s.Columns = append(s.Columns, wire.Column{Name: c.Name, Type: c.wireType(), Nullable: c.Nullable})
	}
	for _, k := range t.Key {
		s.Key = append(s.Key, t.Columns[k.Index].Name)
	}
	return s
}

// KeyTypes are the types of the key's columns, in key order.
func (t *Table) KeyTypes() []wire.Type {
	types := make([]wire.Type, len(t.Key))
	for i, k := range t.Key {
		types[i] = t.Columns[k.Index].Type
	}
	return types
}

// meant returns the places of the columns that a name means: the one of that
// name, or else, with * and ? in it, those of that pattern. Case does not
// matter, as SQL Server mostly has it.
func (t *Table) meant(name string) []int {
	if i := slices.IndexFunc(t.Columns, func(c Column) bool { return strings.EqualFold(c.Name, name) }); i >= 0 {
		return []int{i}
	}
	var places []int
	for i, c := range t.Columns {
		if wildcard.In(name) && wildcard.Match(name, c.Name) {
			places = append(places, i)
		}
	}
	return places
}

// Having returns those of the names and patterns that mean a column of the
// table: where one list is for many tables, and not each has all of it.
func (t *Table) Having(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return len(t.meant(name)) == 0 })
}

func (t *Table) inKey(column int) bool {
	return slices.ContainsFunc(t.Key, func(k KeyColumn) bool { return k.Index == column })
}

// Without returns the table without the columns of these names and patterns,
// which are then never read. One that means no column, or one of the key, is an
// error.
func (t *Table) Without(names []string) (*Table, error) {
	if len(names) == 0 {
		return t, nil
	}
	drop := make([]bool, len(t.Columns))
	for _, name := range names {
		meant := t.meant(name)
		if len(meant) == 0 {
			if strings.EqualFold(name, t.RowVersion) || slices.ContainsFunc(t.LeftOut, func(l LeftOut) bool { return strings.EqualFold(l.Column, name) }) {
				continue // not delivered anyway
			}
			return nil, fmt.Errorf("table %s has no column %q to exclude", t, name)
		}
		for _, i := range meant {
			if t.inKey(i) {
				return nil, fmt.Errorf("column %q of table %s is part of its key and cannot be excluded", t.Columns[i].Name, t)
			}
			drop[i] = true
		}
	}
	less := *t
	less.Columns, less.Key = nil, slices.Clone(t.Key)
	less.LeftOut = slices.Clone(t.LeftOut)
	for i, c := range t.Columns {
		if drop[i] {
			less.LeftOut = append(less.LeftOut, LeftOut{c.Name, "excluded by the configuration"})
			continue
		}
		for k := range less.Key {
			if t.Key[k].Index == i {
				less.Key[k].Index = len(less.Columns)
			}
		}
		less.Columns = append(less.Columns, c)
	}
	return &less, nil
}

// quote makes an identifier of name, whatever it holds.
func quote(name string) string { return "[" + strings.ReplaceAll(name, "]", "]]") + "]" }

// quoted is the table's name in SQL.
func (t *Table) quoted() string { return quote(t.Schema) + "." + quote(t.Name) }
