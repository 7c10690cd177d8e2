package sqlserver

import (
	"slices"
)

// table makes the catalog's rows into a Table: it decides which columns are
// synced, what the key is, and which index serves deltas.
func (t *rawTable) table() *Table {
	r := &Table{Schema: t.schema, Name: t.name, ObjectID: t.id}
	at := map[int]int{} // column_id -> index in r.Columns
	rv := 0
	for _, c := range t.columns {
		if isRowVersion(c.typ.name) && rv == 0 {
			r.RowVersion, rv = c.name, c.id
			continue
		}
		typ, ok := c.typ.wireType()
		if reason := c.leftOut(ok); reason != "" {
			r.LeftOut = append(r.LeftOut, LeftOut{c.name, reason})
			continue
		}
		at[c.id] = len(r.Columns)
		r.Columns = append(r.Columns, Column{
			ID: c.stable, Name: c.name, Type: typ, Declared: c.alias, Nullable: c.nullable, Identity: c.identity, Computed: c.computed,
			Collation: c.collation, base: c.typ.name, collating: c.collating,
		})
	}
	key, reason := t.key(r, at)
	if key == nil {
		r.Refused = reason
	} else {
		for _, c := range key.columns {
			r.Key = append(r.Key, KeyColumn{at[c.id], c.desc})
		}
		r.KeyClustered = key.clustered
		if rv != 0 {
			r.RowVersionIndexed, r.rvOrder = t.delta(rv, key)
		}
	}
	return r
}

func (c *rawColumn) leftOut(supported bool) string {
	switch {
	case c.encrypted:
		return "encrypted by the client (Always Encrypted)"
	case c.masked:
		return "masked for this login, which would deliver the mask; GRANT UNMASK shows its values"
	case c.set:
		return "a column set repeats the sparse columns"
	case c.graph:
		return "internal to a graph table"
	case c.volatile:
		return "computed and not stored: its value can change without a new row version"
	case isRowVersion(c.typ.name):
		return "a second rowversion column"
	case !supported:
		return "type " + c.alias + " is not supported"
	}
	return ""
}

// usable tells whether rows can be read in the index's order: it is a B-tree
// of all rows.
func (i *rawIndex) usable() bool {
	return !i.disabled && !i.filtered && (i.kind == "CLUSTERED" || i.kind == "NONCLUSTERED") && len(i.columns) > 0
}

// key chooses the table's key: the primary key, else the narrowest unique
// index without nullable columns.
func (t *rawTable) key(r *Table, at map[int]int) (*rawIndex, string) {
	reason := "it has neither a primary key nor a unique index without nullable columns"
	var best *rawIndex
	for n := range t.indexes {
		i := &t.indexes[n]
		if !i.unique || !i.usable() {
			continue
		}
		if why := t.unfit(i, r, at); why != "" {
			if i.primary {
				reason = "its primary key cannot be used: " + why
			}
			continue
		}
		if i.primary {
			return i, ""
		}
		if best == nil || t.width(i) < t.width(best) {
			best = i
		}
	}
	return best, reason
}

// unfit says why the index cannot be the key; "" when it can.
func (t *rawTable) unfit(i *rawIndex, r *Table, at map[int]int) string {
	for _, k := range i.columns {
		n, synced := at[k.id]
		c := t.column(k.id)
		switch {
		case c == nil:
			return "one of its columns is not visible"
		case c.nullable:
			return "column " + c.name + " can be null"
		case isRowVersion(c.typ.name):
			return "column " + c.name + " is a rowversion, which every change of the row changes"
		case !synced:
			for _, l := range r.LeftOut {
				if l.Column == c.name {
					return "column " + c.name + " is left out: " + l.Reason
				}
			}
			return "column " + c.name + " is left out"
		}
		if why := r.Columns[n].keyable(); why != "" {
			return "column " + c.name + ": " + why
		}
	}
	return ""
}

func (t *rawTable) width(i *rawIndex) int {
	sum := 0
	for _, k := range i.columns {
		sum += t.column(k.id).typ.maxLength
	}
	return sum
}

// delta tells whether an index leads with the row version, and whether one of
// those holds its rows in the order (row version, key). A nonclustered index
// that is not unique ends with the columns of the clustered key (Microsoft
// Learn, "SQL Server and Azure SQL index architecture and design guide").
func (t *rawTable) delta(rv int, key *rawIndex) (indexed, ordered bool) {
	var clustered []rawKeyColumn
	for _, i := range t.indexes {
		if i.clustered {
			clustered = i.columns
		}
	}
	for _, i := range t.indexes {
		if !i.usable() || i.columns[0].id != rv {
			continue
		}
		indexed = true
		if i.columns[0].desc {
			continue
		}
		rest := slices.Clone(i.columns[1:])
		if i.unique && len(rest) == 0 {
			ordered = true // no two rows share a row version
		}
		if !i.unique && !i.clustered {
			for _, c := range clustered {
				if !slices.ContainsFunc(i.columns, func(k rawKeyColumn) bool { return k.id == c.id }) {
					rest = append(rest, c)
				}
			}
		}
		if len(rest) >= len(key.columns) && slices.Equal(rest[:len(key.columns)], key.columns) {
			ordered = true
		}
	}
	return indexed, ordered
}
