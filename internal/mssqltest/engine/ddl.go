package engine

import (
	"fmt"
	"strings"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

func (x *exec) mayDefine(permission string) error {
	if !x.s.login.Admin {
		return severity(14, errorf(262, "%s permission denied in database '%s'.", permission, x.db.name))
	}
	if x.s.openTxn() != nil {
		return notKnown("changes of definitions inside a transaction")
	}
	return nil
}

// define runs a statement that changes definitions.
func (x *exec) define(st tsql.Stmt) error {
	if e, ok := st.(*tsql.Exec); ok {
		return x.execProc(e)
	}
	if err := x.mayDefine("CREATE TABLE"); err != nil {
		return err
	}
	switch st := st.(type) {
	case *tsql.CreateTable:
		return x.createTable(st)
	case *tsql.CreateIndex:
		return x.alter(st.Table, func(t *table) error { return x.createIndex(t, st.Key) })
	case *tsql.CreateSchema:
		return x.createSchema(st.Name)
	case *tsql.CreateType:
		return x.createType(st)
	case *tsql.Drop:
		return x.drop(st)
	case *tsql.AlterTable:
		return x.alter(st.Table, func(t *table) error { return x.alterTable(t, st) })
	case *tsql.Truncate:
		return x.alter(st.Table, func(t *table) error {
			t.live = 0
			t.identUsed = false
			return t.rebuild(nil, nil)
		})
	}
	return notKnown("this statement (%T)", st)
}

// alter changes a table's definition while nobody else uses it. The latch is
// held while f runs.
func (x *exec) alter(n tsql.Name, f func(*table) error) error {
	t, err := x.db.findTable(n)
	if err != nil {
		return err
	}
	if t == nil {
		return errorf(4902, "Cannot find the object \"%s\" because it does not exist or you do not have permissions.", nameText(n))
	}
	return x.alterFound(t, f)
}

func (x *exec) alterFound(t *table, f func(*table) error) error {
	release, err := x.db.locks.exclusive(x.ctx, x.s, t)
	if err != nil {
		return err
	}
	defer release()
	x.db.mu.Lock()
	defer x.db.mu.Unlock()
	if t.dropped {
		return errInvalidObject(t.fullName())
	}
	x.db.commitSeq++
	t.changed = x.db.commitSeq
	return compilingErr(func() error { return f(t) })
}

func compilingErr(f func() error) error {
	var err error
	if cerr := compiling(func() { err = f() }); cerr != nil {
		return cerr
	}
	return err
}

func (x *exec) createSchema(name string) error {
	if x.db.findSchema(name) != nil {
		return errorf(2714, "There is already an object named '%s' in the database.", name)
	}
	x.db.mu.Lock()
	defer x.db.mu.Unlock()
	x.db.schemas = append(x.db.schemas, &schema{len(x.db.schemas) + 1, name})
	return nil
}

func (x *exec) createType(st *tsql.CreateType) error {
	t, info, err := resolveSystemType(st.Base, 1)
	if err != nil {
		return err
	}
	sch := x.db.findSchema(st.Name.Schema)
	if sch == nil {
		return errorf(2760, "The specified schema name \"%s\" either does not exist or you do not have permission to use it.", st.Name.Schema)
	}
	x.db.mu.Lock()
	defer x.db.mu.Unlock()
	x.db.types = append(x.db.types, &aliasType{257 + len(x.db.types), sch, st.Name.Object, t, info, st.Nullable == nil || *st.Nullable})
	return nil
}

func (x *exec) createTable(st *tsql.CreateTable) error {
	t := &table{}
	for _, d := range st.Columns {
		col, err := x.newColumn(t, d)
		if err != nil {
			return err
		}
		t.cols = append(t.cols, col)
	}
	if len(t.cols) == 0 {
		return severity(15, errorf(102, "Incorrect syntax near ')'."))
	}
	return x.addTable(st.Name, t, st.Keys)
}

// addTable completes a table and makes it known.
func (x *exec) addTable(n tsql.Name, t *table, keys []tsql.KeyDef) error {
	db := x.db
	if old, err := db.findTable(n); err != nil {
		return err
	} else if old != nil {
		return errorf(2714, "There is already an object named '%s' in the database.", n.Object)
	}
	sch := db.findSchema(n.Schema)
	if sch == nil {
		return errorf(2760, "The specified schema name \"%s\" either does not exist or you do not have permission to use it.", n.Schema)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	t.db, t.schema, t.name = db, sch, n.Object
	t.id = db.object()
	t.nextCol = len(t.cols)
	t.created = x.now
	t.layoutChanged()
	t.indexes = []*index{{tree: newTree()}}
	db.commitSeq++
	t.changed = db.commitSeq
	for _, k := range clusteredFirst(keys) {
		if err := compilingErr(func() error { return x.createIndex(t, k) }); err != nil {
			return err
		}
	}
	db.tables[strings.ToLower(t.fullName())] = t
	return nil
}

// clusteredFirst gives the primary key CLUSTERED where nothing else asks for
// it, and puts the clustered key in front.
func clusteredFirst(keys []tsql.KeyDef) []tsql.KeyDef {
	yes := true
	taken := false
	for _, k := range keys {
		taken = taken || k.Clustered != nil && *k.Clustered
	}
	var first, rest []tsql.KeyDef
	for _, k := range keys {
		if k.Primary && k.Clustered == nil && !taken {
			k.Clustered = &yes
		}
		if k.Clustered != nil && *k.Clustered {
			first = append(first, k)
		} else {
			rest = append(rest, k)
		}
	}
	return append(first, rest...)
}

func (x *exec) newColumn(t *table, d tsql.ColumnDef) (*column, error) {
	if d.Computed != nil {
		return nil, notKnown("computed columns")
	}
	typ, info, alias, err := x.db.resolveAnyType(d.Type, 1)
	if err != nil {
		return nil, err
	}
	if t.column(d.Name) >= 0 {
		return nil, errorf(2705, "Column names in each table must be unique. Column name '%s' in table '%s' is specified more than once.", d.Name, t.name)
	}
	col := &column{name: d.Name, typ: typ, info: info, alias: alias, identity: d.Identity, deflt: d.Default, nullable: true}
	col.id = len(t.cols) + 1
	switch {
	case d.Nullable != nil:
		col.nullable = *d.Nullable
	case alias != nil:
		col.nullable = alias.nullable
	}
	if d.Identity {
		if t.ident, t.seed, t.inc = len(t.cols), d.Seed, d.Inc; d.Inc == 0 {
			return nil, errorf(2749, "Identity column '%s' must be of data type int, bigint, smallint, tinyint, or decimal or numeric with a scale of 0, and constrained to be nonnullable.", d.Name)
		}
		col.nullable = false
	}
	if typ.Kind == tds.RowVersion {
		if d.Nullable == nil {
			col.nullable = false
		}
		for _, c := range t.cols {
			if c.typ.Kind == tds.RowVersion {
				return nil, errorf(2738, "A table can only have one timestamp column. Because table '%s' already has one, the column '%s' cannot be added.", t.name, d.Name)
			}
		}
	}
	if classOf(typ.Kind) == clStr && typ.Kind != tds.XML {
		if col.coll, err = collationOf(d.Collation); err != nil {
			return nil, err
		}
		if col.collName = d.Collation; d.Collation == "" || strings.EqualFold(d.Collation, "database_default") {
			col.collName = defaultCollation
		}
	}
	return col, nil
}

// createIndex adds an index or key. The latch is held.
func (x *exec) createIndex(t *table, k tsql.KeyDef) error {
	ix := &index{name: k.Name, unique: k.Unique, primary: k.Primary, constr: !k.Index, filtered: k.Where != nil}
	ix.clustered = k.Clustered != nil && *k.Clustered
	if ix.primary && k.Clustered == nil && !t.indexes[0].clustered {
		ix.clustered = true
	}
	if ix.name == "" {
		prefix := map[bool]string{true: "PK", false: "UQ"}[k.Primary]
		ix.name = fmt.Sprintf("%s__%s__%08X", prefix, t.name[:min(len(t.name), 9)], x.db.object())
	}
	if t.index(ix.name) != nil {
		return errorf(1913, "The operation failed because an index or statistics with name '%s' already exists on table '%s'.", ix.name, t.name)
	}
	for _, kc := range k.Cols {
		i := t.column(kc.Name)
		if i < 0 {
			return errorf(1911, "Column name '%s' does not exist in the target table or view.", kc.Name)
		}
		col := t.cols[i]
		switch {
		case col.typ.Len == tds.MaxLen, col.typ.Kind >= tds.Text && col.typ.Kind <= tds.XML, col.typ.Kind == tds.UDT && col.typ.Name != "hierarchyid":
			return errorf(1919, "Column '%s' in table '%s' is of a type that is invalid for use as a key column in an index.", col.name, t.name)
		case k.Primary && col.nullable && !x.impliedNotNull(t, col):
			return errorf(8111, "Cannot define PRIMARY KEY constraint on nullable column in table '%s'.", t.name)
		}
		ix.cols = append(ix.cols, indexCol{i, kc.Desc})
	}
	for _, name := range k.Include {
		i := t.column(name)
		if i < 0 {
			return errorf(1911, "Column name '%s' does not exist in the target table or view.", name)
		}
		ix.include = append(ix.include, i)
	}
	if ix.clustered && t.indexes[0].clustered {
		return errorf(1902, "Cannot create more than one clustered index on table '%s'. Drop the existing clustered index '%s' before creating another.", t.name, t.indexes[0].name)
	}
	return t.addIndex(ix)
}

// impliedNotNull makes a column of a new table's primary key NOT NULL, where
// it said nothing else. Only empty tables get here with nullable columns.
func (x *exec) impliedNotNull(t *table, col *column) bool {
	if t.indexes[0].tree.Len() > 0 || t.dropped {
		return false
	}
	if _, known := x.db.tables[strings.ToLower(t.fullName())]; known {
		return false
	}
	col.nullable = false
	return true
}

func (t *table) addIndex(ix *index) error {
	if ix.constr {
		ix.constrID = t.db.object()
	}
	saved := t.indexes
	if ix.clustered {
		ix.id = 1
		t.indexes = append([]*index{ix}, saved[1:]...)
	} else {
		for _, other := range saved {
			ix.id = max(ix.id, other.id)
		}
		ix.id = max(ix.id, 1) + 1
		t.indexes = append(append([]*index{}, saved...), ix)
	}
	var err error
	if ix.clustered {
		err = t.rebuildFrom(saved[0])
	} else {
		err = t.build(ix)
	}
	if err != nil {
		t.indexes = saved
	}
	return err
}
