package engine

import (
	"errors"
	"strings"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// A target is a row that an UPDATE or DELETE will write.
type target struct {
	row  *row
	data []byte // the version that was judged
	next []byte // its new data, nil for DELETE
	skip bool   // it no longer qualifies
}

// A change is a compiled UPDATE or DELETE.
type change struct {
	x      *exec
	t      *table
	src    *source
	path   *path
	where  []condFn
	limit  func(*frame) (*limiter, error)
	values map[int]func(*frame) (value, error) // of an UPDATE
	moves  bool                                // it assigns a column of a unique key
	frame  *frame
}

func (x *exec) compileChange(name tsql.Name, top tsql.Expr, where tsql.Cond, permission string) (*change, *compiler) {
	ch := &change{x: x, t: x.table(name, permission)}
	c := x.compiler()
	ch.limit = c.limits(top, &tsql.Query{})
	ch.src = tableSourceOf(ch.t)
	c.add(ch.src, "")
	var preds []*pred
	for _, e := range conjuncts(where, nil) {
		p := c.pred(e)
		preds = append(preds, p)
		ch.where = append(ch.where, p.fn)
	}
	ch.path = choose(ch.src, dnfsOf(ch.src, preds), 0, nil)
	ch.frame = &frame{rows: []rowView{newRowView(ch.src.lay)}}
	return ch, c
}

func (x *exec) update(st *tsql.Update) (int64, error) {
	var ch *change
	if err := compiling(func() { ch = x.compileUpdate(st) }); err != nil {
		return 0, err
	}
	return ch.run()
}

func (x *exec) compileUpdate(st *tsql.Update) *change {
	ch, c := x.compileChange(st.Table, st.Top, st.Where, "UPDATE")
	t := ch.t
	ch.values = map[int]func(*frame) (value, error){}
	for _, a := range st.Set {
		i := t.column(a.Column)
		switch {
		case i < 0:
			fail(errInvalidColumn(a.Column))
		case ch.values[i] != nil:
			fail(errorf(264, "The column name '%s' is specified more than once in the SET clause or column list of an INSERT.", a.Column))
		case i == t.rv:
			fail(errorf(272, "Cannot update a timestamp column."))
		case i == t.ident:
			fail(errorf(8102, "Cannot update identity column '%s'.", t.cols[i].name))
		}
		ch.values[i] = c.assignable(t, i, c.expr(a.X), "UPDATE")
	}
	for i, ix := range t.indexes {
		for _, col := range ix.cols {
			if ch.values[col.ord] != nil && (ix.unique && !ix.filtered || i == 0) {
				ch.moves = true
			}
		}
	}
	return ch
}

func (x *exec) delete(st *tsql.Delete) (int64, error) {
	var ch *change
	if err := compiling(func() { ch, _ = x.compileChange(st.Table, st.Top, st.Where, "DELETE") }); err != nil {
		return 0, err
	}
	return ch.run()
}

// run finds the rows first and writes them afterwards, so that it does not
// meet its own changes.
func (ch *change) run() (int64, error) {
	x := ch.x
	if err := x.db.locks.holdInTxn(x.ctx, x.tx, ch.t); err != nil {
		return 0, err
	}
	targets, err := ch.collect()
	if err != nil {
		return 0, err
	}
	var moved [][]byte
	n := int64(0)
	for rest := targets; len(rest) > 0; {
		part := rest[:min(chunk, len(rest))]
		done := 0
		var changed *target
		_, err := x.locked(func() (*conflict, error) {
			for changed = nil; done < len(part); done++ {
				tg := &part[done]
				if tg.skip {
					continue
				}
				c, err := ch.write(tg, &changed)
				if c != nil || err != nil || changed != nil {
					return c, err
				}
				if !tg.skip {
					n++
					if ch.moves {
						moved = append(moved, tg.next)
					}
				}
			}
			return nil, nil
		})
		if err != nil {
			return 0, err
		}
		if changed != nil { // judge its new version, without the latch
			if err := ch.judge(changed); err != nil {
				return 0, err
			}
		}
		rest = rest[done:]
	}
	return n, x.insertRows(ch.t, moved)
}

func (ch *change) collect() ([]target, error) {
	lim, err := ch.limit(&frame{})
	if err != nil {
		return nil, err
	}
	var out []target
	err = ch.x.scan(ch.src, ch.path, ch.frame, func(f found) error {
		if lim.rows == 0 {
			return lim.stop
		}
		tg := target{row: f.row, data: f.data}
		if err := ch.judge(&tg); err != nil {
			return err
		}
		if !tg.skip {
			ch.t.counters.returned.Add(1)
			out = append(out, tg)
			if lim.rows--; lim.rows == 0 {
				return lim.stop
			}
		}
		return nil
	})
	if errors.Is(err, lim.stop) {
		err = nil
	}
	return out, err
}

// judge tells whether a version qualifies and computes what becomes of it.
func (ch *change) judge(tg *target) error {
	view := &ch.frame.rows[0]
	view.set(tg.data)
	for _, fn := range ch.where {
		if t, err := fn(ch.frame); err != nil || t != yes {
			tg.skip = true
			return err
		}
	}
	if ch.values == nil {
		return nil
	}
	var row []byte
	for i, col := range ch.t.cols {
		set := ch.values[i]
		if set == nil {
			row = append(row, view.bytes(i)...)
			continue
		}
		v, err := set(ch.frame)
		if err != nil {
			return err
		}
		if row, err = encode(row, col.typ, v); err != nil {
			return err
		}
	}
	tg.next = row
	return nil
}

// write changes one row, if it is still as it was judged. The latch is held.
func (ch *change) write(tg *target, changed **target) (*conflict, error) {
	x, r := ch.x, tg.row
	if r.tx != nil && r.tx != x.tx {
		return &conflict{busy: r.tx}, nil
	}
	if v := x.viewOf(ch.src); v.snapshot && r.tx == nil && r.seq > v.seq {
		return nil, errorf(numUpdateConflict, "Snapshot isolation transaction aborted due to update conflict. You cannot use snapshot isolation to access table '%s' directly or indirectly in database '%s' to update, delete, or insert the row that has been modified or deleted by another transaction. Retry the transaction or change the isolation level for the update/delete statement.", ch.t.fullName(), x.db.name)
	}
	switch {
	case r.deleted:
		tg.skip = true
		return nil, nil
	case len(r.data) != len(tg.data) || &r.data[0] != &tg.data[0]:
		tg.data = r.data
		*changed = tg
		return nil, nil
	}
	if ch.values == nil || ch.moves {
		ch.t.delete(x.tx, r)
		return nil, nil
	}
	x.stamp(ch.t, tg.next)
	return nil, ch.t.update(x.tx, r, tg.next)
}

// selectInto makes a table of a query's result. A plain rowversion column
// keeps its values, which is how row versions come to be repeated.
func (x *exec) selectInto(q *tsql.Query) error {
	name := *q.Selects[0].Into
	sel := *q.Selects[0]
	sel.Into = nil
	q2 := *q
	q2.Selects = append([]*tsql.Select{&sel}, q.Selects[1:]...)
	var p *plan
	if err := compiling(func() { p = x.topQuery(&q2, nil) }); err != nil {
		return err
	}
	if err := x.mayDefine("CREATE TABLE"); err != nil {
		return err
	}
	t := &table{}
	for i, c := range p.cols {
		if c.name == "" {
			return errorf(1038, "An object or column name is missing or empty. For SELECT INTO statements, verify each column has a name. Column %d.", i+1)
		}
		col := &column{id: i + 1, name: c.name, typ: c.typ, info: infoOf(c.typ), nullable: c.nullable, coll: c.coll}
		if classOf(c.typ.Kind) == clStr {
			col.collName = defaultCollation
		}
		for _, other := range t.cols {
			if strings.EqualFold(other.name, c.name) {
				return errorf(2705, "Column names in each table must be unique. Column name '%s' in table '%s' is specified more than once.", c.name, name.Object)
			}
		}
		t.cols = append(t.cols, col)
	}
	var rows [][]byte
	if err := p.run(nil, func(row [][]byte) error {
		var data []byte
		for _, v := range row {
			data = append(data, v...)
		}
		rows = append(rows, data)
		return nil
	}); err != nil {
		return err
	}
	if err := x.addTable(name, t, nil); err != nil {
		return err
	}
	tx := x.s.newTxn(false)
	x.db.mu.Lock()
	for _, data := range rows {
		if _, err := t.insert(tx, data); err != nil {
			x.db.rollback(tx)
			x.db.mu.Unlock()
			return err
		}
	}
	x.db.commit(tx)
	x.db.mu.Unlock()
	return x.done(int64(len(rows)))
}

var _ tds.Session = (*Session)(nil)
