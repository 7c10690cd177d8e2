package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// errReturn ends a batch without an error.
var errReturn = errors.New("engine: return")

func (s *Session) statements(ctx context.Context, stmts []tsql.Stmt, w tds.Writer) error {
	for _, st := range stmts {
		if err := s.statement(ctx, st, w); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) statement(ctx context.Context, st tsql.Stmt, w tds.Writer) error {
	x := s.begin(ctx, w)
	defer x.end()
	if err := x.check(); err != nil {
		return err
	}
	switch st := st.(type) {
	case *tsql.SelectStmt:
		return x.selectStmt(st.Query)
	case *tsql.Declare:
		return x.declare(st)
	case *tsql.SetVar:
		return x.assign(st.Name, st.X)
	case *tsql.SetOption:
		if err := x.setOption(st); err != nil {
			return err
		}
		return w.Done(0, false)
	case *tsql.If:
		return x.ifStmt(st)
	case *tsql.Block:
		return s.statements(ctx, st.Body, w)
	case *tsql.WaitFor:
		return x.waitDelay(st)
	case *tsql.Print:
		return x.print(st)
	case *tsql.Return:
		return errReturn
	case *tsql.BeginTran:
		s.beginTran()
		return w.Done(0, false)
	case *tsql.Commit:
		if err := s.Commit(ctx); err != nil {
			return err
		}
		return w.Done(0, false)
	case *tsql.Rollback:
		if err := s.Rollback(ctx); err != nil {
			return err
		}
		return w.Done(0, false)
	case *tsql.Insert:
		return x.modify(func() (int64, error) { return x.insert(st) })
	case *tsql.Update:
		return x.modify(func() (int64, error) { return x.update(st) })
	case *tsql.Delete:
		return x.modify(func() (int64, error) { return x.delete(st) })
	}
	if err := x.define(st); err != nil {
		return err
	}
	return w.Done(0, false)
}

func (x *exec) compiler() *compiler { return &compiler{x: x, scope: &scope{}} }

func (x *exec) declare(d *tsql.Declare) error {
	for _, v := range d.Vars {
		name := strings.ToLower(v.Name)
		if _, ok := x.s.vars[name]; ok {
			return errorf(134, "The variable name '%s' has already been declared. Variable names must be unique within a query batch or stored procedure.", v.Name)
		}
		t, err := x.db.resolveType(v.Type, 1)
		if err != nil {
			return err
		}
		x.s.vars[name] = &variable{t, nullValue}
		if v.Init != nil {
			if err := x.assign(v.Name, v.Init); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *exec) assign(name string, e tsql.Expr) error {
	v, ok := x.s.vars[strings.ToLower(name)]
	if !ok {
		return errorf(137, "Must declare the scalar variable \"%s\".", name)
	}
	var val *expr
	if err := compiling(func() {
		c := x.compiler()
		val = c.coerce(c.expr(e), v.typ)
	}); err != nil {
		return err
	}
	got, err := val.eval(&frame{})
	if err == nil {
		v.val = got
	}
	return err
}

func (x *exec) ifStmt(st *tsql.If) error {
	var fn condFn
	if err := compiling(func() { fn = x.compiler().cond(st.Cond) }); err != nil {
		return err
	}
	t, err := fn(&frame{})
	switch {
	case err != nil:
		return err
	case t == yes:
		return x.s.statement(x.ctx, st.Then, x.w)
	case st.Else != nil:
		return x.s.statement(x.ctx, st.Else, x.w)
	}
	return nil
}

func (x *exec) waitDelay(st *tsql.WaitFor) error {
	var e *expr
	if err := compiling(func() {
		c := x.compiler()
		e = c.coerce(c.expr(st.Delay), typName)
	}); err != nil {
		return err
	}
	v, err := e.eval(&frame{})
	if err != nil {
		return err
	}
	ticks, ok := parseClock(v.s)
	if !ok {
		return errorf(148, "Incorrect time syntax in time string '%s' used with WAITFOR.", v.s)
	}
	t := time.NewTimer(time.Duration(ticks) * 100)
	defer t.Stop()
	select {
	case <-t.C:
		return x.w.Done(0, false)
	case <-x.ctx.Done():
		return context.Cause(x.ctx)
	}
}

func (x *exec) print(st *tsql.Print) error {
	var e *expr
	if err := compiling(func() {
		c := x.compiler()
		e = c.coerce(c.expr(st.X), typLong)
	}); err != nil {
		return err
	}
	v, err := e.eval(&frame{})
	if err != nil {
		return err
	}
	return x.w.Info(&tds.Error{State: 1, Class: 0, Message: v.s})
}

// done ends a counted statement.
func (x *exec) done(n int64) error {
	x.s.rowCount = n
	return x.w.Done(uint64(n), !x.s.set.noCount)
}

func (x *exec) selectStmt(q *tsql.Query) error {
	if q.Selects[0].Into != nil {
		return x.selectInto(q)
	}
	for _, it := range q.Selects[0].Items {
		if it.Assign != "" {
			return x.selectAssign(q)
		}
	}
	var p *plan
	if err := compiling(func() { p = x.topQuery(q, nil) }); err != nil {
		return err
	}
	cols := make([]tds.Column, len(p.cols))
	for i, c := range p.cols {
		cols[i] = tds.Column{Name: c.name, Type: c.typ, Nullable: c.nullable}
	}
	if err := x.w.Columns(cols); err != nil {
		return err
	}
	n := int64(0)
	if err := p.run(nil, func(row [][]byte) error {
		n++
		return x.w.Row(row)
	}); err != nil {
		return err
	}
	return x.done(n)
}

// selectAssign is SELECT @x = ...: the last row wins.
func (x *exec) selectAssign(q *tsql.Query) error {
	if len(q.Selects) > 1 {
		return errorf(10734, "Variable assignment is not allowed in a statement with a top level UNION, INTERSECT or EXCEPT operator.")
	}
	sel := *q.Selects[0]
	sel.Items = append([]tsql.Item{}, sel.Items...)
	targets := make([]*variable, len(sel.Items))
	for i, it := range sel.Items {
		v, ok := x.s.vars[strings.ToLower(it.Assign)]
		if it.Assign == "" {
			return errorf(141, "A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations.")
		}
		if !ok {
			return errorf(137, "Must declare the scalar variable \"%s\".", it.Assign)
		}
		targets[i] = v
		sel.Items[i] = tsql.Item{Expr: it.Expr}
	}
	q2 := *q
	q2.Selects = []*tsql.Select{&sel}
	var p *plan
	if err := compiling(func() { p = x.topQuery(&q2, nil) }); err != nil {
		return err
	}
	n := int64(0)
	err := p.run(nil, func(row [][]byte) error {
		n++
		for i, v := range targets {
			val, err := decode(p.cols[i].typ, row[i])
			if err == nil && !val.null {
				val, err = convert(val, p.cols[i].typ, v.typ, 0)
			}
			if err != nil {
				return err
			}
			v.val = val
		}
		return nil
	})
	if err == nil {
		x.s.rowCount = n
	}
	return err
}

// ignoredOptions change nothing that the stand-in does.
var ignoredOptions = map[string]bool{"ANSI_NULLS": true, "ANSI_PADDING": true, "ANSI_WARNINGS": true,
	"ANSI_NULL_DFLT_ON": true, "ANSI_DEFAULTS": true, "ARITHABORT": true, "QUOTED_IDENTIFIER": true,
	"CONCAT_NULL_YIELDS_NULL": true}

func (x *exec) setOption(st *tsql.SetOption) error {
	s := &x.s.set
	on := st.Value == "ON"
	for _, name := range st.Names {
		if x.db.lacks("SET", name) || x.db.lacks("SET", name, st.Value) {
			return errorf(numNotSupported, "'SET %s' is not currently supported", name)
		}
		onOff := st.Value == "ON" || st.Value == "OFF"
		bad := severity(15, errorf(102, "Incorrect syntax near '%s'.", st.Value))
		switch {
		case name == "TRANSACTION ISOLATION LEVEL":
			level := map[string]tds.Isolation{"READ COMMITTED": tds.ReadCommitted, "SNAPSHOT": tds.Snapshot,
				"REPEATABLE READ": tds.RepeatableRead, "SERIALIZABLE": tds.Serializable}[st.Value]
			if err := x.s.setLevel(level); err != nil {
				return err
			}
		case name == "LOCK_TIMEOUT" || name == "DEADLOCK_PRIORITY" || name == "TEXTSIZE":
			if err := x.numericOption(name, st); err != nil {
				return err
			}
		case name == "IDENTITY_INSERT":
			var t *table
			if err := compiling(func() { t = x.table(*st.Table, "ALTER") }); err != nil {
				return err
			}
			if t.ident < 0 {
				return errorf(8106, "Table '%s' does not have the identity property. Cannot perform SET operation.", nameText(*st.Table))
			}
			if s.identityInsert = nil; on {
				s.identityInsert = t
			}
		case !onOff:
			return bad
		case name == "NOCOUNT":
			s.noCount = on
		case name == "XACT_ABORT":
			s.xactAbort = on
		case name == "NUMERIC_ROUNDABORT" && !on, name == "IMPLICIT_TRANSACTIONS" && !on, name == "FMTONLY" && !on:
		case ignoredOptions[name] && on:
		default:
			return notKnown("SET %s %s", name, st.Value)
		}
	}
	return nil
}

func (x *exec) numericOption(name string, st *tsql.SetOption) error {
	s := &x.s.set
	text := st.Value
	if st.Var != "" {
		if name != "DEADLOCK_PRIORITY" {
			return severity(15, errorf(102, "Incorrect syntax near '%s'.", st.Var))
		}
		v, ok := x.s.vars[strings.ToLower(st.Var)]
		if !ok {
			return errorf(137, "Must declare the scalar variable \"%s\".", st.Var)
		}
		text = strings.ToUpper(fmt.Sprint(toGo(v.typ, v.val)))
	}
	if name == "DEADLOCK_PRIORITY" {
		if word, ok := map[string]int{"LOW": -5, "NORMAL": 0, "HIGH": 5}[text]; ok {
			s.deadlockPriority = word
			return nil
		}
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return severity(15, errorf(102, "Incorrect syntax near '%s'.", text))
	}
	switch name {
	case "LOCK_TIMEOUT":
		if s.lockTimeout = time.Duration(n) * time.Millisecond; n < 0 {
			s.lockTimeout = -1
		}
	case "DEADLOCK_PRIORITY":
		if n < -10 || n > 10 {
			return errorf(1053, "The DEADLOCK_PRIORITY %d is out of range.", n)
		}
		s.deadlockPriority = int(n)
	case "TEXTSIZE":
		if n != -1 && n != 2147483647 {
			return notKnown("a TEXTSIZE that cuts values")
		}
	}
	return nil
}
