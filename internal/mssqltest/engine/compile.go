package engine

import (
	"encoding/hex"
	"reflect"
	"strconv"
	"strings"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// A compiler turns syntax into closures, once per execution of a statement.
type compiler struct {
	x     *exec
	scope *scope
	keep  bool // FORCE ORDER: join in the order of FROM
}

func constant(t tds.Type, v value) *expr {
	return &expr{typ: t, nullable: v.null, fixed: true, eval: func(*frame) (value, error) { return v, nil }}
}

func (c *compiler) exprs(list []tsql.Expr) []*expr {
	out := make([]*expr, len(list))
	for i, e := range list {
		out[i] = c.expr(e)
	}
	return out
}

func (c *compiler) expr(e tsql.Expr) *expr {
	if g := c.scope.group; g != nil {
		if out := c.grouped(e); out != nil {
			return out
		}
	}
	switch e := e.(type) {
	case *tsql.Literal:
		return literal(e)
	case *tsql.ColumnRef:
		return c.column(e)
	case *tsql.Var:
		return c.variable(e.Name)
	case *tsql.Global:
		return c.global(e.Name)
	case *tsql.Unary:
		return c.unary(e)
	case *tsql.Arith:
		return c.arith(e.Op, c.expr(e.L), c.expr(e.R))
	case *tsql.Call:
		return c.call(e)
	case *tsql.Cast:
		return c.cast(e)
	case *tsql.Case:
		return c.caseExpr(e)
	case *tsql.Subquery:
		return c.scalarQuery(e.Query)
	case *tsql.Collate:
		x := *c.expr(e.X)
		if classOf(x.typ.Kind) != clStr {
			fail(errorf(447, "Expression type %s is invalid for COLLATE clause.", typeText(x.typ)))
		}
		if c.x.db.lacks("COLLATE", e.Name) {
			fail(errorf(448, "Invalid collation '%s'.", e.Name))
		}
		coll, err := collationOf(e.Name)
		if err != nil {
			fail(err)
		}
		x.coll, x.explicit, x.src = coll, e.Name, nil
		return &x
	}
	panic("engine: unknown expression " + reflect.TypeOf(e).String())
}

func literal(e *tsql.Literal) *expr {
	switch e.Kind {
	case tsql.Null:
		x := constant(tds.Type{Kind: tds.Int}, nullValue)
		x.null = true
		return x
	case tsql.Int:
		if n, err := strconv.ParseInt(e.Text, 10, 32); err == nil {
			return constant(tds.Type{Kind: tds.Int}, intValue(n))
		}
		fallthrough
	case tsql.Decimal:
		v, scale, ok := parseDecimal(e.Text)
		prec := len(strings.TrimLeft(strings.ReplaceAll(e.Text, ".", ""), "0"))
		prec = max(prec, scale, 1)
		if !ok || prec > 38 {
			fail(errorf(1007, "The number '%s' is out of the range for numeric representation (maximum precision 38).", e.Text))
		}
		return constant(tds.Type{Kind: tds.Decimal, Prec: uint8(prec), Scale: uint8(scale)}, v)
	case tsql.Float:
		f, err := strconv.ParseFloat(e.Text, 64)
		if err != nil {
			fail(errorf(168, "The floating point value '%s' is out of the range of computer representation (8 bytes).", e.Text))
		}
		return constant(tds.Type{Kind: tds.Float}, floatValue(f))
	case tsql.Binary:
		s := e.Text
		if len(s)%2 != 0 {
			s = "0" + s
		}
		b, _ := hex.DecodeString(s)
		return constant(tds.Type{Kind: tds.VarBinary, Len: sized(len(b), 8000)}, strValue(string(b)))
	case tsql.NString:
		return constant(tds.Type{Kind: tds.NVarChar, Len: sized(utf16Len(e.Text), 4000)}, strValue(e.Text))
	}
	t := tds.Type{Kind: tds.VarChar, Len: sized(utf16Len(e.Text), 8000)}
	return constant(t, strValue(fitString(e.Text, t)))
}

// sized is the declared length for n units: at least 1, MAX above the limit.
func sized(n, limit int) int {
	if n > limit {
		return tds.MaxLen
	}
	return max(n, 1)
}

func (c *compiler) column(e *tsql.ColumnRef) *expr {
	src, col, depth := c.scope.lookup(e.Parts)
	if c.scope.group != nil && depth == 0 {
		fail(errorf(8120, "Column '%s' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.", strings.Join(e.Parts, ".")))
	}
	return columnExpr(src, col, depth)
}

func columnExpr(src *source, col, depth int) *expr {
	sc := src.cols[col]
	x := &expr{typ: sc.typ, coll: sc.coll, nullable: sc.nullable || src.left, fixed: depth > 0, col: col, depth: depth}
	pos := src.pos
	if depth == 0 {
		x.src = src
		x.eval = func(f *frame) (value, error) { return f.rows[pos].value(col) }
	} else {
		x.eval = func(f *frame) (value, error) { return f.up(depth).rows[pos].value(col) }
	}
	return x
}

func (c *compiler) variable(name string) *expr {
	v, ok := c.x.s.vars[strings.ToLower(name)]
	if !ok {
		fail(errorf(137, "Must declare the scalar variable \"%s\".", name))
	}
	return &expr{typ: v.typ, nullable: true, fixed: true, eval: func(*frame) (value, error) { return v.val, nil }}
}

func (c *compiler) cast(e *tsql.Cast) *expr {
	to, err := c.x.s.db.resolveType(e.To, 30)
	if err != nil {
		fail(err)
	}
	style := 0
	if e.Style != nil {
		s := c.coerce(c.expr(e.Style), tds.Type{Kind: tds.Int})
		if !s.fixed {
			fail(notKnown("a style of CONVERT that is not constant"))
		}
		v, err := s.eval(nil)
		if err != nil {
			fail(err)
		}
		style = int(v.i)
	}
	x := c.expr(e.X)
	from, eval, try := x.typ, x.eval, e.Try
	binary := to.Kind == tds.Binary && to.Len == 8 || to.Kind == tds.VarBinary && to.Len >= 8
	out := &expr{typ: to, coll: x.coll, explicit: x.explicit, nullable: x.nullable || try, fixed: x.fixed}
	if x.src != nil && from.Kind == tds.RowVersion && binary {
		out.same = x
	}
	out.eval = func(f *frame) (value, error) {
		v, err := eval(f)
		if err != nil {
			return v, err
		}
		if v, err = convert(v, from, to, style); err != nil && try {
			return nullValue, nil
		}
		return v, err
	}
	return out
}

// coerce brings an expression to a type by implicit conversion.
func (c *compiler) coerce(x *expr, to tds.Type) *expr {
	if x.typ == to {
		return x
	}
	if !x.null && !implicit(x.typ, to) {
		fail(errorf(257, "Implicit conversion from data type %s to %s is not allowed. Use the CONVERT function to run this query.", typeText(x.typ), typeText(to)))
	}
	out := *x
	from, eval := x.typ, x.eval
	out.typ, out.src, out.same = to, nil, nil
	out.eval = func(f *frame) (value, error) {
		v, err := eval(f)
		if err != nil || v.null {
			return v, err
		}
		return convert(v, from, to, 0)
	}
	return &out
}

// implicit tells whether SQL Server converts without being asked ("CAST and
// CONVERT", the chart of conversions), for the cases that matter here.
func implicit(from, to tds.Type) bool {
	a, b := classOf(from.Kind), classOf(to.Kind)
	switch {
	case a == b:
		return true
	case from.Kind == tds.Variant:
		return false
	case a == clStr && b == clBin, a == clBin && b == clFloat, a == clFloat && b == clBin:
		return false
	case a == clBin && b == clStr && isUnicode(to.Kind) && from.Kind == tds.RowVersion:
		return false
	case a == clTime && b == clBin, a == clTime && (b == clInt || b == clDec || b == clFloat):
		return false
	case (a == clInt || a == clDec || a == clFloat) && b == clTime:
		return to.Kind == tds.DateTime || to.Kind == tds.SmallDateTime
	case a == clGUID && b != clGUID && b != clStr && b != clBin && b != clVariant:
		return false
	case b == clGUID && a != clStr && a != clBin:
		return false
	case to.Kind == tds.RowVersion && a == clStr:
		return false
	}
	return true
}

// unify brings expressions to their common type.
func (c *compiler) unify(list ...*expr) (tds.Type, []*expr) {
	var t tds.Type
	first := true
	for _, x := range list {
		if x.null {
			continue
		}
		if first {
			t, first = x.typ, false
			continue
		}
		var err error
		if t, err = common(t, x.typ); err != nil {
			fail(err)
		}
	}
	if first {
		t = list[0].typ
	}
	out := make([]*expr, len(list))
	for i, x := range list {
		out[i] = c.coerce(x, t)
	}
	return t, out
}

// collationFor is the collation of an operation on two strings.
func collationFor(a, b *expr) collation {
	switch {
	case a.explicit != "":
		return a.coll
	case b.explicit != "":
		return b.coll
	}
	return max(a.coll, b.coll)
}

func (c *compiler) caseExpr(e *tsql.Case) *expr {
	conds := make([]condFn, len(e.Whens))
	results := make([]*expr, 0, len(e.Whens)+1)
	for i, w := range e.Whens {
		if e.Operand != nil {
			conds[i] = c.compare("=", c.expr(e.Operand), c.expr(w.Value))
		} else {
			conds[i] = c.cond(w.On)
		}
		results = append(results, c.expr(w.Then))
	}
	if e.Else != nil {
		results = append(results, c.expr(e.Else))
	}
	allNull := true
	for _, r := range results {
		allNull = allNull && r.null
	}
	if allNull {
		fail(errorf(8133, "At least one of the result expressions in a CASE specification must be an expression other than the NULL constant."))
	}
	t, results := c.unify(results...)
	out := &expr{typ: t, nullable: e.Else == nil}
	for _, r := range results {
		out.nullable = out.nullable || r.nullable
		out.coll = max(out.coll, r.coll)
	}
	out.eval = func(f *frame) (value, error) {
		for i, on := range conds {
			ok, err := on(f)
			if err != nil {
				return nullValue, err
			}
			if ok == yes {
				return results[i].eval(f)
			}
		}
		if len(results) > len(conds) {
			return results[len(conds)].eval(f)
		}
		return nullValue, nil
	}
	return out
}
