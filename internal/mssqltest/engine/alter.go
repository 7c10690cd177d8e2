package engine

import (
	"slices"
	"strings"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// alterTable carries out ALTER TABLE. The latch is held.
func (x *exec) alterTable(t *table, st *tsql.AlterTable) error {
	switch {
	case st.AddKey != nil:
		return x.createIndex(t, *st.AddKey)
	case st.Alter != nil:
		return x.alterColumn(t, *st.Alter)
	case st.DropCols != nil:
		return t.dropColumns(st.DropCols, st.IfExists)
	case st.DropKey != "":
		return t.dropIndex(st.DropKey, st.IfExists, true)
	}
	for _, d := range st.Add {
		if err := x.addColumn(t, d); err != nil {
			return err
		}
	}
	return nil
}

func (x *exec) addColumn(t *table, d tsql.ColumnDef) error {
	x.db.mu.Unlock() // types are looked up under the latch
	col, err := x.newColumn(t, d)
	x.db.mu.Lock()
	if err != nil {
		return err
	}
	t.nextCol++
	col.id = t.nextCol
	fill := nullValue
	if d.Default != nil && !col.nullable {
		c := x.compiler()
		if fill, err = c.assignableTo(t, col, c.expr(d.Default), "ALTER TABLE")(&frame{}); err != nil {
			return err
		}
	}
	if !col.nullable && fill.null && col.typ.Kind != tds.RowVersion && !col.identity && t.live > 0 {
		return errorf(4901, "ALTER TABLE only allows columns to be added that can contain nulls, or have a DEFAULT definition specified, or the column being added is an identity or timestamp column, or alternatively if none of the previous conditions are satisfied the table must be empty to allow addition of this column. Column '%s' cannot be added to non-empty table '%s' because it does not satisfy these conditions.", d.Name, t.name)
	}
	tx := &txn{}
	return t.reshape(append(slices.Clone(t.cols), col), func(old *rowView) ([]byte, error) {
		v := fill
		switch {
		case col.typ.Kind == tds.RowVersion:
			v = rowVersionValue(x.db.nextRowVersion(tx))
		case col.identity:
			v = intValue(t.nextIdentity())
		}
		return encode(slices.Clone(old.data), col.typ, v)
	})
}

func (x *exec) alterColumn(t *table, d tsql.ColumnDef) error {
	i := t.column(d.Name)
	if i < 0 {
		return errorf(4924, "ALTER TABLE ALTER COLUMN failed because column '%s' does not exist in table '%s'.", d.Name, t.name)
	}
	old := t.cols[i]
	without := &table{name: t.name, ident: -1}
	x.db.mu.Unlock() // types are looked up under the latch
	col, err := x.newColumn(without, d)
	x.db.mu.Lock()
	if err != nil {
		return err
	}
	if old.typ.Kind == tds.RowVersion || col.typ.Kind == tds.RowVersion {
		return errorf(4928, "Cannot alter column '%s' because it is 'timestamp'.", old.name)
	}
	for _, ix := range t.indexes {
		for _, c := range ix.cols {
			widened := old.typ.Kind == col.typ.Kind && isVariable(col.typ.Kind) && col.typ.Len >= old.typ.Len && col.typ.Len != tds.MaxLen
			if c.ord == i && (ix.primary || !widened) {
				return errorf(5074, "The object '%s' is dependent on column '%s'.", ix.name, old.name)
			}
		}
	}
	col.id, col.name, col.identity, col.deflt = old.id, old.name, old.identity, old.deflt
	cols := slices.Clone(t.cols)
	cols[i] = col
	// Indexes refer to columns by place, which stays.
	t.cols[i] = col
	defer func() {
		if err != nil {
			t.cols[i] = old
			t.layoutChanged()
		}
	}()
	types := slices.Clone(t.lay.types)
	err = t.reshape(cols, func(r *rowView) ([]byte, error) {
		var row []byte
		for j := range cols {
			b := r.bytes(j)
			if j == i {
				v, err := decode(types[j], b)
				if err != nil {
					return nil, err
				}
				if v, err = t.fit(x.db, col, v, types[j], "ALTER TABLE ALTER COLUMN"); err != nil {
					return nil, err
				}
				if row, err = encode(row, col.typ, v); err != nil {
					return nil, err
				}
				continue
			}
			row = append(row, b...)
		}
		return row, nil
	})
	return err
}

func (t *table) dropColumns(names []string, ifExists bool) error {
	cols := slices.Clone(t.cols)
	for _, name := range names {
		i := t.column(name)
		if i < 0 {
			if ifExists {
				continue
			}
			return errorf(4924, "ALTER TABLE DROP COLUMN failed because column '%s' does not exist in table '%s'.", name, t.name)
		}
		for _, ix := range t.indexes {
			if slices.ContainsFunc(ix.cols, func(c indexCol) bool { return c.ord == i }) || slices.Contains(ix.include, i) {
				return errorf(5074, "The index '%s' is dependent on column '%s'.", ix.name, name)
			}
		}
		cols = slices.DeleteFunc(cols, func(c *column) bool { return c == t.cols[i] })
	}
	if len(cols) == 0 {
		return errorf(4923, "ALTER TABLE DROP COLUMN failed because '%s' is the only data column in table '%s'. A table must have at least one data column.", names[0], t.name)
	}
	old := t.cols
	return t.reshape(cols, func(r *rowView) ([]byte, error) {
		var row []byte
		for i, c := range old {
			if slices.Contains(cols, c) {
				row = append(row, r.bytes(i)...)
			}
		}
		return row, nil
	})
}

func (t *table) dropIndex(name string, ifExists, constraint bool) error {
	ix := t.index(name)
	switch {
	case ix == nil && ifExists:
		return nil
	case ix == nil || ix.constr != constraint && constraint:
		return errorf(3701, "Cannot drop the index '%s.%s', because it does not exist or you do not have permission.", t.fullName(), name)
	case ix.constr != constraint:
		return errorf(3723, "An explicit DROP INDEX is not allowed on index '%s.%s'. It is being used for PRIMARY KEY constraint enforcement.", t.fullName(), name)
	}
	if ix != t.indexes[0] {
		t.indexes = slices.DeleteFunc(slices.Clone(t.indexes), func(other *index) bool { return other == ix })
		return nil
	}
	t.indexes = append([]*index{{tree: newTree()}}, t.indexes[1:]...)
	return t.rebuildFrom(ix)
}

func (x *exec) drop(st *tsql.Drop) error {
	for _, n := range st.Names {
		switch st.Kind {
		case "INDEX":
			if err := x.alter(n, func(t *table) error { return t.dropIndex(st.Index, st.IfExists, false) }); err != nil {
				return err
			}
			continue
		case "TABLE":
			if err := x.dropTable(n, st.IfExists); err != nil {
				return err
			}
			continue
		}
		if err := x.dropOther(st.Kind, n, st.IfExists); err != nil {
			return err
		}
	}
	return nil
}

func (x *exec) dropTable(n tsql.Name, ifExists bool) error {
	t, err := x.db.findTable(n)
	if err != nil {
		return err
	}
	if t == nil {
		if ifExists {
			return nil
		}
		return severity(11, errorf(3701, "Cannot drop the table '%s', because it does not exist or you do not have permission.", nameText(n)))
	}
	return x.alterFound(t, func(t *table) error {
		t.dropped = true
		delete(x.db.tables, strings.ToLower(t.fullName()))
		return nil
	})
}

func (x *exec) dropOther(kind string, n tsql.Name, ifExists bool) error {
	db := x.db
	db.mu.Lock()
	defer db.mu.Unlock()
	if kind == "TYPE" {
		i := slices.IndexFunc(db.types, func(a *aliasType) bool { return strings.EqualFold(a.name, n.Object) })
		if i >= 0 {
			db.types = slices.Delete(db.types, i, i+1)
			return nil
		}
	} else {
		i := slices.IndexFunc(db.schemas, func(s *schema) bool { return strings.EqualFold(s.name, n.Object) })
		if i >= 0 {
			for _, t := range db.tables {
				if t.schema == db.schemas[i] {
					return errorf(3729, "Cannot drop schema '%s' because it is being referenced by object '%s'.", n.Object, t.name)
				}
			}
			db.schemas = slices.Delete(db.schemas, i, i+1)
			return nil
		}
	}
	if ifExists {
		return nil
	}
	return errorf(3701, "Cannot drop the %s '%s', because it does not exist or you do not have permission.", strings.ToLower(kind), n.Object)
}

// execProc runs the one procedure that the stand-in has.
func (x *exec) execProc(e *tsql.Exec) error {
	if !strings.EqualFold(e.Proc.Object, "sp_rename") {
		return severity(16, errorf(2812, "Could not find stored procedure '%s'.", nameText(e.Proc)))
	}
	if err := x.mayDefine("ALTER"); err != nil {
		return err
	}
	names := []string{"@objname", "@newname", "@objtype"}
	args := make([]string, 3)
	for i, a := range e.Args {
		at := i
		if a.Name != "" {
			at = slices.Index(names, strings.ToLower(a.Name))
		}
		if at < 0 || at > 2 {
			return errorf(8144, "Procedure or function sp_rename has too many arguments specified.")
		}
		var v value
		if err := compiling(func() {
			c := x.compiler()
			var err error
			if v, err = c.coerce(c.expr(a.X), typLong).eval(&frame{}); err != nil {
				fail(err)
			}
		}); err != nil {
			return err
		}
		args[at] = v.s
	}
	if err := x.rename(args[0], args[1], strings.ToUpper(args[2])); err != nil {
		return err
	}
	return x.w.Done(0, false)
}

func (x *exec) rename(object, newName, kind string) error {
	unknown := errorf(15225, "No item by the name of '%s' could be found in the current database '%s', given that @itemtype was input as '%s'.", object, x.db.name, kind)
	n, ok := nameOf(object)
	if !ok || newName == "" {
		return unknown
	}
	if kind == "" || kind == "OBJECT" {
		t, err := x.db.findTable(n)
		if err != nil || t == nil {
			return unknown
		}
		return x.alterFound(t, func(t *table) error {
			key := strings.ToLower(t.schema.name + "." + newName)
			if x.db.tables[key] != nil {
				return errorf(15335, "Error: The new name '%s' is already in use as a OBJECT name and would cause a duplicate that is not permitted.", newName)
			}
			delete(x.db.tables, strings.ToLower(t.fullName()))
			t.name = newName
			x.db.tables[key] = t
			return nil
		})
	}
	part := n.Object // the column or index; its table stands before it
	t, err := x.db.findTable(tsql.Name{Schema: n.Database, Object: n.Schema})
	if err != nil || t == nil {
		return unknown
	}
	return x.alterFound(t, func(t *table) error {
		switch kind {
		case "COLUMN":
			i := t.column(part)
			if i < 0 || t.column(newName) >= 0 {
				return unknown
			}
			c := *t.cols[i]
			c.name = newName
			t.cols = slices.Clone(t.cols)
			t.cols[i] = &c
		case "INDEX":
			ix := t.index(part)
			if ix == nil || t.index(newName) != nil {
				return unknown
			}
			ix.name = newName
		default:
			return notKnown("sp_rename of a %s", kind)
		}
		return nil
	})
}
