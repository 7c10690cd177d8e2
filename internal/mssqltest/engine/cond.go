package engine

import (
	"errors"
	"reflect"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// truth is SQL's three-valued logic.
type truth uint8

const (
	no truth = iota
	unknown
	yes
)

type condFn func(*frame) (truth, error)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (c *compiler) cond(e tsql.Cond) condFn {
	switch e := e.(type) {
	case *tsql.And:
		return c.all(e.Parts, no)
	case *tsql.Or:
		return c.all(e.Parts, yes)
	case *tsql.Not:
		return negate(c.cond(e.X), true)
	case *tsql.Compare:
		return c.compare(e.Op, c.expr(e.L), c.expr(e.R))
	case *tsql.IsNull:
		x := c.expr(e.X)
		return func(f *frame) (truth, error) {
			v, err := x.eval(f)
			return truthOf(v.null != e.Not), err
		}
	case *tsql.In:
		return c.in(e)
	case *tsql.Like:
		return c.like(e)
	case *tsql.Exists:
		return c.exists(e.Query)
	}
	panic("engine: unknown predicate " + reflect.TypeOf(e).String())
}

// all evaluates parts until one gives stop: no for AND, yes for OR.
func (c *compiler) all(parts []tsql.Cond, stop truth) condFn {
	fns := make([]condFn, len(parts))
	for i, p := range parts {
		fns[i] = c.cond(p)
	}
	return conjunction(fns, stop)
}

func conjunction(fns []condFn, stop truth) condFn {
	return func(f *frame) (truth, error) {
		out := yes - stop
		for _, fn := range fns {
			t, err := fn(f)
			if err != nil {
				return unknown, err
			}
			if t == stop {
				return stop, nil
			}
			if t == unknown {
				out = unknown
			}
		}
		return out, nil
	}
}

func negate(fn condFn, not bool) condFn {
	if !not {
		return fn
	}
	return func(f *frame) (truth, error) {
		t, err := fn(f)
		return yes - t, err
	}
}

// holds tells whether the sign of a comparison satisfies an operator.
func holds(op string, sign int) bool {
	switch op {
	case "=":
		return sign == 0
	case "<>":
		return sign != 0
	case "<":
		return sign < 0
	case "<=":
		return sign <= 0
	case ">":
		return sign > 0
	}
	return sign >= 0
}

func (c *compiler) compare(op string, l, r *expr) condFn {
	t, both := c.comparable(l, r)
	coll := collationFor(l, r)
	a, b := both[0].eval, both[1].eval
	return func(f *frame) (truth, error) {
		x, err := a(f)
		if err != nil {
			return unknown, err
		}
		y, err := b(f)
		if err != nil {
			return unknown, err
		}
		if x.null || y.null {
			return unknown, nil
		}
		return truthOf(holds(op, compare(t, x, y, coll))), nil
	}
}

// comparable brings both sides of a comparison to one type.
func (c *compiler) comparable(l, r *expr) (tds.Type, []*expr) {
	for _, x := range []*expr{l, r} {
		switch x.typ.Kind {
		case tds.Text, tds.NText, tds.Image, tds.XML:
			fail(errorf(402, "The data types %s and %s are incompatible in the comparison operator.", typeText(l.typ), typeText(r.typ)))
		case tds.UDT:
			if x.typ.Name != "hierarchyid" && !l.null && !r.null {
				fail(errorf(403, "Invalid operator for data type. Operator equals equal to, type equals %s.", x.typ.Name))
			}
		}
	}
	return c.unify(l, r)
}

func (c *compiler) in(e *tsql.In) condFn {
	x := c.expr(e.X)
	if e.Query != nil {
		return c.inQuery(x, e)
	}
	fns := make([]condFn, len(e.List))
	for i, item := range e.List {
		fns[i] = c.compare("=", x, c.expr(item))
	}
	return negate(conjunction(fns, yes), e.Not)
}

func (c *compiler) like(e *tsql.Like) condFn {
	text := tds.Type{Kind: tds.NVarChar, Len: tds.MaxLen}
	x := c.expr(e.X)
	s, p := c.coerce(x, text), c.coerce(c.expr(e.Pattern), text)
	var escape rune
	if e.Escape != nil {
		v, err := c.coerce(c.expr(e.Escape), text).eval(nil)
		if err != nil || utf16Len(v.s) != 1 {
			fail(errorf(506, "The invalid escape character \"%s\" was specified in a LIKE predicate.", v.s))
		}
		escape = []rune(fold(v.s, x.coll))[0]
	}
	return negate(func(f *frame) (truth, error) {
		a, err := s.eval(f)
		if err != nil {
			return unknown, err
		}
		b, err := p.eval(f)
		if err != nil || a.null || b.null {
			return unknown, err
		}
		return truthOf(like(a.s, b.s, escape, x.coll)), nil
	}, e.Not)
}

// cached makes a subquery that sees nothing of the outer rows run once.
func cached[T any](escaped bool, run func(*frame) (T, error)) func(*frame) (T, error) {
	if escaped {
		return run
	}
	var done bool
	var out T
	return func(f *frame) (T, error) {
		if done {
			return out, nil
		}
		v, err := run(f)
		if err == nil {
			out, done = v, true
		}
		return v, err
	}
}

func (c *compiler) exists(q *tsql.Query) condFn {
	p := c.x.query(q, c.scope)
	return cached(p.escaped, func(f *frame) (truth, error) {
		found := no
		err := p.run(f, func([][]byte) error { found = yes; return errStop })
		if errors.Is(err, errStop) {
			err = nil
		}
		return found, err
	})
}

func (c *compiler) inQuery(x *expr, e *tsql.In) condFn {
	p := c.x.query(e.Query, c.scope)
	if len(p.cols) != 1 {
		fail(errorf(116, "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS."))
	}
	col := &expr{typ: p.cols[0].typ, coll: p.cols[0].coll}
	t, both := c.comparable(x, col)
	coll := collationFor(x, col)
	type set struct {
		keys map[string]bool
		null bool
	}
	load := cached(p.escaped, func(f *frame) (set, error) {
		s := set{keys: map[string]bool{}}
		err := p.run(f, func(row [][]byte) error {
			v, err := decode(p.cols[0].typ, row[0])
			if err == nil && !v.null {
				v, err = convert(v, p.cols[0].typ, t, 0)
			}
			if v.null {
				s.null = true
			}
			s.keys[string(appendKey(nil, t, v, coll))] = true
			return err
		})
		return s, err
	})
	return negate(func(f *frame) (truth, error) {
		s, err := load(f)
		if err != nil {
			return unknown, err
		}
		v, err := both[0].eval(f)
		switch {
		case err != nil:
			return unknown, err
		case len(s.keys) == 0:
			return no, nil
		case v.null:
			return unknown, nil
		case s.keys[string(appendKey(nil, t, v, coll))]:
			return yes, nil
		case s.null:
			return unknown, nil
		}
		return no, nil
	}, e.Not)
}

func (c *compiler) scalarQuery(q *tsql.Query) *expr {
	p := c.x.query(q, c.scope)
	if len(p.cols) != 1 {
		fail(errorf(116, "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS."))
	}
	out := &expr{typ: p.cols[0].typ, coll: p.cols[0].coll, nullable: true, fixed: !p.escaped}
	out.eval = cached(p.escaped, func(f *frame) (value, error) {
		v, n := nullValue, 0
		err := p.run(f, func(row [][]byte) error {
			if n++; n > 1 {
				return errorf(512, "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or when the subquery is used as an expression.")
			}
			var err error
			v, err = decode(p.cols[0].typ, row[0])
			return err
		})
		return v, err
	})
	return out
}
