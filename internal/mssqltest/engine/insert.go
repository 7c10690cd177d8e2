package engine

import (
	"fmt"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

func (x *exec) insert(st *tsql.Insert) (int64, error) {
	var ins *insertion
	if err := compiling(func() { ins = x.compileInsert(st) }); err != nil {
		return 0, err
	}
	if err := x.db.locks.holdInTxn(x.ctx, x.tx, ins.t); err != nil {
		return 0, err
	}
	var rows [][]byte
	emit := func(f *frame, get func(i int) (value, error)) error {
		row, err := ins.row(x, get)
		if err == nil {
			rows = append(rows, row)
		}
		return err
	}
	if err := ins.source(emit); err != nil {
		return 0, err
	}
	if err := x.insertRows(ins.t, rows); err != nil {
		return 0, err
	}
	return int64(len(rows)), nil
}

// An insertion is a compiled INSERT: a source of values, and for every column
// of the table the place of its value, -1 for none.
type insertion struct {
	t      *table
	places []int
	source func(emit func(f *frame, get func(int) (value, error)) error) error
}

func (x *exec) compileInsert(st *tsql.Insert) *insertion {
	t := x.table(st.Table, "INSERT")
	ins := &insertion{t: t, places: make([]int, len(t.cols))}
	explicit := x.s.set.identityInsert == t
	var cols []int
	if st.Cols == nil {
		for i := range t.cols {
			if i != t.ident || explicit {
				cols = append(cols, i)
			}
		}
	}
	for i := range ins.places {
		ins.places[i] = -1
	}
	for _, name := range st.Cols {
		i := t.column(name)
		if i < 0 {
			fail(errInvalidColumn(name))
		}
		cols = append(cols, i)
	}
	var width int
	switch {
	case st.Rows != nil:
		width = len(st.Rows[0])
	case st.Query != nil:
		width = -1
	default:
		cols, width = nil, 0
	}
	var p *plan
	if st.Query != nil {
		p = x.topQuery(st.Query, nil)
		width = len(p.cols)
	}
	if width != len(cols) {
		if st.Cols == nil {
			fail(errorf(213, "Column name or number of supplied values does not match table definition."))
		}
		fail(errorf(109+b2i(width > len(cols)), "There are %s columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.", map[bool]string{true: "fewer", false: "more"}[width > len(cols)]))
	}
	for at, i := range cols {
		if ins.places[i] >= 0 {
			fail(errorf(264, "The column name '%s' is specified more than once in the SET clause or column list of an INSERT.", t.cols[i].name))
		}
		ins.places[i] = at
		isDefault := st.Rows != nil
		for _, r := range st.Rows {
			isDefault = isDefault && r[at] == nil
		}
		switch {
		case i == t.rv && !isDefault:
			fail(errorf(273, "Cannot insert an explicit value into a timestamp column. Use INSERT with a column list to exclude the timestamp column, or insert a DEFAULT into the timestamp column."))
		case i == t.ident && !explicit:
			fail(errorf(544, "Cannot insert explicit value for identity column in table '%s' when IDENTITY_INSERT is set to OFF.", t.name))
		}
	}
	if explicit && ins.places[t.ident] < 0 {
		fail(errorf(545, "Explicit value must be specified for identity column in table '%s' either when IDENTITY_INSERT is set to ON or when a replication user is inserting into a NOT FOR REPLICATION identity column.", t.name))
	}
	c := x.compiler()
	defaults := map[int]func(*frame) (value, error){}
	for i, col := range t.cols {
		if col.deflt != nil {
			defaults[i] = c.assignable(t, i, c.expr(col.deflt), "INSERT")
		}
	}
	for i := range t.cols {
		if ins.places[i] < 0 && defaults[i] != nil {
			ins.places[i] = -2 - i
		}
	}
	byPlace := map[int]int{}
	for at, i := range cols {
		byPlace[at] = i
	}
	if p != nil {
		conv := make([]func(*frame) (value, error), width)
		var row [][]byte
		for at := range width {
			out := p.cols[at]
			e := &expr{typ: out.typ, eval: func(*frame) (value, error) { return decode(out.typ, row[at]) }}
			conv[at] = c.assignable(t, byPlace[at], e, "INSERT")
		}
		ins.source = func(emit func(*frame, func(int) (value, error)) error) error {
			return p.run(nil, func(r [][]byte) error {
				row = r
				return emit(nil, func(at int) (value, error) {
					if at < 0 {
						return defaults[-at-2](nil)
					}
					return conv[at](nil)
				})
			})
		}
		return ins
	}
	list := st.Rows
	if list == nil {
		list = [][]tsql.Expr{nil}
	}
	vals := make([][]func(*frame) (value, error), len(list))
	for r, row := range list {
		for at, e := range row {
			i := byPlace[at]
			switch {
			case e != nil:
				vals[r] = append(vals[r], c.assignable(t, i, c.expr(e), "INSERT"))
			case defaults[i] != nil:
				vals[r] = append(vals[r], defaults[i])
			case i == t.rv:
				vals[r] = append(vals[r], nil)
			default:
				vals[r] = append(vals[r], c.assignable(t, i, literal(&tsql.Literal{}), "INSERT"))
			}
		}
	}
	ins.source = func(emit func(*frame, func(int) (value, error)) error) error {
		f := &frame{}
		for r := range vals {
			if err := emit(f, func(at int) (value, error) {
				if at < 0 {
					return defaults[-at-2](f)
				}
				return vals[r][at](f)
			}); err != nil {
				return err
			}
		}
		return nil
	}
	return ins
}

func b2i(b bool) int32 {
	if b {
		return 1
	}
	return 0
}

// row encodes one new row; its row version is stamped when it is written.
func (ins *insertion) row(x *exec, get func(int) (value, error)) ([]byte, error) {
	t := ins.t
	var row []byte
	for i, col := range t.cols {
		var v value
		var err error
		switch {
		case i == t.rv:
			v = rowVersionValue(0)
		case i == t.ident:
			if v, err = x.identity(ins, get); err != nil {
				return nil, err
			}
		case ins.places[i] == -1:
			if v, err = t.fit(x.db, col, nullValue, col.typ, "INSERT"); err != nil {
				return nil, err
			}
		default:
			if v, err = get(ins.places[i]); err != nil {
				return nil, err
			}
		}
		if row, err = encode(row, col.typ, v); err != nil {
			return nil, fmt.Errorf("column %s: %w", col.name, err)
		}
	}
	return row, nil
}

// identity takes the next value or the one given under IDENTITY_INSERT.
func (x *exec) identity(ins *insertion, get func(int) (value, error)) (value, error) {
	t := ins.t
	x.db.mu.Lock()
	defer x.db.mu.Unlock()
	var v value
	if at := ins.places[t.ident]; at >= 0 {
		given, err := get(at)
		if err != nil {
			return given, err
		}
		v = given
		if v.x == nil && (!t.identUsed || (v.i > t.lastIdent) == (t.inc > 0)) {
			t.lastIdent, t.identUsed = v.i, true
		}
	} else {
		v = intValue(t.nextIdentity())
		typ := t.cols[t.ident].typ
		if classOf(typ.Kind) == clInt && !fitsInt(v.i, typ.Kind) {
			return v, errOverflow(tds.Type{Kind: tds.Int}, typ)
		}
	}
	x.s.identity = v
	return v, nil
}

func (t *table) nextIdentity() int64 {
	if t.identUsed {
		t.lastIdent += t.inc
	} else {
		t.lastIdent, t.identUsed = t.seed, true
	}
	return t.lastIdent
}
