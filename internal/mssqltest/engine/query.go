package engine

import (
	"errors"
	"slices"
	"strings"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// An outCol is a column of a result.
type outCol struct {
	name     string
	typ      tds.Type
	nullable bool
	coll     collation
}

// A plan is a compiled query. Rows are slices that are good until emit
// returns.
type plan struct {
	cols    []outCol
	escaped bool // it reads rows of the queries around it
	run     func(outer *frame, emit func([][]byte) error) error
}

// An orderCol is an entry of ORDER BY that is a plain column of one source.
type orderCol struct {
	col  int
	desc bool
}

// query compiles a query that stands inside another one.
func (x *exec) query(q *tsql.Query, outer *scope) *plan {
	if len(q.OrderBy) > 0 && q.Offset == nil && q.Selects[0].Top == nil {
		fail(errorf(1033, "The ORDER BY clause is invalid in views, inline functions, derived tables, subqueries, and common table expressions, unless TOP, OFFSET or FOR XML is also specified."))
	}
	return x.topQuery(q, outer)
}

func (x *exec) topQuery(q *tsql.Query, outer *scope) *plan {
	for _, s := range q.Selects {
		for _, it := range s.Items {
			if it.Assign != "" {
				fail(errorf(10734, "Variable assignment is not allowed in a statement with a top level UNION, INTERSECT or EXCEPT operator."))
			}
		}
	}
	if len(q.Selects) == 1 {
		return x.selectPlan(q.Selects[0], q, outer)
	}
	return x.unionAll(q, outer)
}

func (x *exec) unionAll(q *tsql.Query, outer *scope) *plan {
	terms := make([]*plan, len(q.Selects))
	out := &plan{}
	for i, s := range q.Selects {
		p := x.selectPlan(s, &tsql.Query{}, outer)
		terms[i] = p
		out.escaped = out.escaped || p.escaped
		if i == 0 {
			out.cols = slices.Clone(p.cols)
			continue
		}
		if len(p.cols) != len(out.cols) {
			fail(errorf(205, "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists."))
		}
		for j := range out.cols {
			t, err := common(out.cols[j].typ, p.cols[j].typ)
			if err != nil {
				fail(err)
			}
			out.cols[j].typ = t
			out.cols[j].nullable = out.cols[j].nullable || p.cols[j].nullable
		}
	}
	run := func(outer *frame, emit func([][]byte) error) error {
		for _, p := range terms {
			conv := converter{from: p.cols, to: out.cols}
			if err := p.run(outer, func(row [][]byte) error {
				row, err := conv.row(row)
				if err != nil {
					return err
				}
				return emit(row)
			}); err != nil {
				return err
			}
		}
		return nil
	}
	out.run = run
	if len(q.OrderBy) == 0 {
		return out
	}
	keys := make([]sortKey, len(q.OrderBy))
	for i, o := range q.OrderBy {
		at := outputOf(o.Expr, out.cols)
		if at < 0 {
			fail(errorf(104, "ORDER BY items must appear in the select list if the statement contains a UNION, INTERSECT or EXCEPT operator."))
		}
		keys[i] = sortKey{typ: out.cols[at].typ, coll: out.cols[at].coll, desc: o.Desc, out: at}
	}
	c := &compiler{x: x, scope: &scope{outer: outer}}
	limit := c.limits(nil, q)
	out.run = func(outer *frame, emit func([][]byte) error) error {
		lim, err := limit(&frame{outer: outer})
		if err != nil {
			return err
		}
		s := &sorter{keys: keys, keep: lim.keep()}
		if err := run(outer, func(row [][]byte) error { return s.add(nil, row) }); err != nil {
			return err
		}
		if err := s.emit(lim.wrap(emit)); !errors.Is(err, lim.stop) {
			return err
		}
		return nil
	}
	return out
}

// converter brings rows to the column types of a UNION.
type converter struct {
	from, to []outCol
	buf      [][]byte
}

func (c *converter) row(row [][]byte) ([][]byte, error) {
	if c.buf == nil {
		c.buf = make([][]byte, len(row))
	}
	for i := range row {
		if c.from[i].typ == c.to[i].typ {
			c.buf[i] = row[i]
			continue
		}
		v, err := decode(c.from[i].typ, row[i])
		if err != nil {
			return nil, err
		}
		if v, err = convert(v, c.from[i].typ, c.to[i].typ, 0); err != nil {
			return nil, err
		}
		if c.buf[i], err = encode(nil, c.to[i].typ, v); err != nil {
			return nil, err
		}
	}
	return c.buf, nil
}

// outputOf finds the output column that an ORDER BY item names.
func outputOf(e tsql.Expr, cols []outCol) int {
	switch e := e.(type) {
	case *tsql.Literal:
		if e.Kind != tsql.Int {
			return -1
		}
		v := literal(e)
		n, _ := v.eval(nil)
		if n.i < 1 || n.i > int64(len(cols)) {
			fail(errorf(108, "The ORDER BY position number %d is out of range of the number of items in the select list.", n.i))
		}
		return int(n.i) - 1
	case *tsql.ColumnRef:
		if len(e.Parts) > 1 {
			return -1
		}
		at := -1
		for i, c := range cols {
			if strings.EqualFold(c.name, e.Parts[0]) {
				if at >= 0 {
					return -2 // ambiguous unless both are one column
				}
				at = i
			}
		}
		return at
	}
	return -1
}

// limits compiles TOP, OFFSET and FETCH.
func (c *compiler) limits(top tsql.Expr, q *tsql.Query) func(*frame) (*limiter, error) {
	number := func(e tsql.Expr) *expr {
		if e == nil {
			return nil
		}
		x := c.expr(e)
		if classOf(x.typ.Kind) != clInt && !(classOf(x.typ.Kind) == clDec && scaleOf(x.typ) == 0) {
			fail(errorf(1060, "The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer."))
		}
		return c.coerce(x, tds.Type{Kind: tds.BigInt})
	}
	if top != nil && q.Offset != nil {
		fail(errorf(10741, "A TOP can not be used in the same query or sub-query as a OFFSET."))
	}
	t, off, fetch := number(top), number(q.Offset), number(q.Fetch)
	if t == nil {
		t = fetch
	}
	return func(f *frame) (*limiter, error) {
		l := &limiter{rows: -1, stop: errors.New("engine: limit reached")}
		if off != nil {
			v, err := off.eval(f)
			if err != nil {
				return nil, err
			}
			if v.null || v.i < 0 {
				return nil, errorf(10742, "The offset specified in a OFFSET clause may not be negative.")
			}
			l.skip = v.i
		}
		if t != nil {
			v, err := t.eval(f)
			if err != nil {
				return nil, err
			}
			if v.null || v.i < 0 || v.i == 0 && fetch != nil {
				return nil, errorf(1060, "The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer.")
			}
			l.rows = v.i
		}
		return l, nil
	}
}

// A limiter passes rows after skip, rows of them (-1 for all), and then ends
// the query with stop.
type limiter struct {
	skip, rows int64
	stop       error
}

// keep is how many rows a sort has to remember, 0 for all.
func (l *limiter) keep() int {
	if l.rows < 0 {
		return 0
	}
	return int(l.skip + l.rows)
}

func (l *limiter) wrap(emit func([][]byte) error) func([][]byte) error {
	if l.rows < 0 && l.skip == 0 {
		return emit
	}
	skip, rows := l.skip, l.rows
	return func(row [][]byte) error {
		if skip > 0 {
			skip--
			return nil
		}
		if rows == 0 {
			return l.stop
		}
		if err := emit(row); err != nil {
			return err
		}
		if rows > 0 {
			if rows--; rows == 0 {
				return l.stop
			}
		}
		return nil
	}
}
