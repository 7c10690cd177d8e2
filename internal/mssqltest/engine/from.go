package engine

import (
	"strings"

	"tidemark/internal/mssqltest/engine/tsql"
)

// from compiles FROM into sources of the scope and the conditions of its
// inner joins.
func (c *compiler) from(refs []tsql.TableRef) []tsql.Cond {
	var conds []tsql.Cond
	for _, r := range refs {
		c.tableRef(r, &conds)
	}
	if len(c.scope.sources) > 60 {
		fail(notKnown("queries of more than 60 tables"))
	}
	return conds
}

func (c *compiler) tableRef(r tsql.TableRef, conds *[]tsql.Cond) {
	switch r := r.(type) {
	case *tsql.Join:
		c.tableRef(r.L, conds)
		if r.Left {
			if _, nested := r.R.(*tsql.Join); nested {
				fail(notKnown("a join as the right side of LEFT JOIN"))
			}
			c.tableRef(r.R, conds)
			src := c.scope.sources[len(c.scope.sources)-1]
			src.left, src.on = true, r.On
			return
		}
		c.tableRef(r.R, conds)
		if r.On != nil {
			*conds = append(*conds, r.On)
		}
	case *tsql.Table:
		c.tableSource(r)
	case *tsql.TableFunc:
		c.add(c.funcSource(r), r.Alias)
	case *tsql.Derived:
		c.derived(r)
	case *tsql.Values:
		c.values(r)
	}
}

func (c *compiler) add(src *source, alias string) {
	if alias != "" {
		src.name, src.schema = alias, ""
	}
	for _, other := range c.scope.sources {
		if strings.EqualFold(other.name, src.name) && (other.schema == "" || src.schema == "" || strings.EqualFold(other.schema, src.schema)) {
			fail(errorf(1013, "The objects \"%s\" and \"%s\" in the FROM clause have the same exposed names. Use correlation names to distinguish them.", other.name, src.name))
		}
	}
	src.pos = len(c.scope.sources)
	src.lay = &layout{}
	for _, col := range src.cols {
		src.lay.add(col.typ)
	}
	c.scope.sources = append(c.scope.sources, src)
}

func (c *compiler) tableSource(r *tsql.Table) {
	if v := c.x.findView(r.Name); v != nil {
		rows := func(_ *frame, emit func([]byte) error) error {
			all, err := c.x.viewRows(v)
			if err != nil {
				return err
			}
			for _, row := range all {
				if err := emit(row); err != nil {
					return err
				}
			}
			return nil
		}
		c.add(&source{name: v.name, schema: v.schema, cols: c.x.viewCols(v), rows: rows}, r.Alias)
		return
	}
	t := c.x.table(r.Name, "SELECT")
	src := tableSourceOf(t)
	src.seek, src.locking, src.skip = r.Hints.Seek, r.Hints.Locking, r.Hints.ReadPast
	if name := r.Hints.Index; name != "" {
		if src.index = t.index(name); src.index == nil {
			fail(errorf(308, "Index '%s' on table '%s' (specified in the FROM clause) does not exist.", name, nameText(r.Name)))
		}
	}
	if id := r.Hints.IndexID; id >= 0 {
		for _, ix := range t.indexes {
			if ix.id == id || id == 0 && ix == t.indexes[0] {
				src.index = ix
			}
		}
		if src.index == nil {
			fail(errorf(307, "Index ID %d on table '%s' (specified in the FROM clause) does not exist.", id, nameText(r.Name)))
		}
	}
	c.add(src, r.Alias)
}

func tableSourceOf(t *table) *source {
	src := &source{name: t.name, schema: t.schema.name, table: t}
	for _, col := range t.cols {
		src.cols = append(src.cols, srcCol{col.name, col.typ, col.nullable, col.coll, col.collName})
	}
	return src
}

func (c *compiler) derived(r *tsql.Derived) {
	p := c.x.query(r.Query, c.scope.outer)
	src := &source{name: r.Alias}
	for i, col := range p.cols {
		name := col.name
		if r.Cols != nil {
			if len(r.Cols) != len(p.cols) {
				fail(errorf(8158, "'%s' has more columns than were specified in the column list.", r.Alias))
			}
			name = r.Cols[i]
		}
		if name == "" {
			fail(errorf(8155, "No column name was specified for column %d of '%s'.", i+1, r.Alias))
		}
		for _, before := range src.cols {
			if strings.EqualFold(before.name, name) {
				fail(errorf(8156, "The column '%s' was specified multiple times for '%s'.", name, r.Alias))
			}
		}
		src.cols = append(src.cols, srcCol{name: name, typ: col.typ, nullable: col.nullable, coll: col.coll})
	}
	if p.escaped {
		c.scope.escaped = true
	}
	var buf []byte
	src.rows = func(outer *frame, emit func([]byte) error) error {
		return p.run(outer, func(row [][]byte) error {
			buf = buf[:0]
			for _, v := range row {
				buf = append(buf, v...)
			}
			return emit(buf)
		})
	}
	src.changes = p.escaped
	c.add(src, "")
}

func (c *compiler) values(r *tsql.Values) {
	in := &compiler{x: c.x, scope: &scope{outer: c.scope.outer}}
	width := len(r.Rows[0])
	if len(r.Cols) != width {
		fail(errorf(8158, "'%s' has more columns than were specified in the column list.", r.Alias))
	}
	src := &source{name: r.Alias}
	cols := make([][]*expr, width)
	for i := range width {
		for _, row := range r.Rows {
			cols[i] = append(cols[i], in.expr(row[i]))
		}
		t, list := in.unify(cols[i]...)
		cols[i] = list
		sc := srcCol{name: r.Cols[i], typ: t}
		for _, x := range list {
			sc.nullable = sc.nullable || x.nullable
		}
		src.cols = append(src.cols, sc)
	}
	if in.scope.escaped {
		c.scope.escaped = true
	}
	src.changes = in.scope.escaped
	src.rows = func(outer *frame, emit func([]byte) error) error {
		f := &frame{outer: outer}
		for i := range r.Rows {
			var row []byte
			for j := range width {
				v, err := cols[j][i].eval(f)
				if err != nil {
					return err
				}
				if row, err = encode(row, src.cols[j].typ, v); err != nil {
					return err
				}
			}
			if err := emit(row); err != nil {
				return err
			}
		}
		return nil
	}
	c.add(src, "")
}
