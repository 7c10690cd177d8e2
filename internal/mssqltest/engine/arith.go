package engine

import (
	"math"
	"math/big"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

func (c *compiler) unary(e *tsql.Unary) *expr {
	x := c.expr(e.X)
	switch e.Op {
	case "+":
		return x
	case "-":
		if classOf(x.typ.Kind) == clDec && x.fixed { // keep the precision of -1.5
			out := *x
			out.eval = func(f *frame) (value, error) {
				v, err := x.eval(f)
				if v.null || err != nil {
					return v, err
				}
				return decValue(new(big.Int).Neg(v.dec())), nil
			}
			return &out
		}
		zero := constant(tds.Type{Kind: tds.Int}, intValue(0))
		if classOf(x.typ.Kind) == clInt {
			zero.typ = x.typ
		}
		return c.arith("-", zero, x)
	}
	if classOf(x.typ.Kind) != clInt {
		fail(errorf(8117, "Operand data type %s is invalid for '~' operator.", typeText(x.typ)))
	}
	out := *x
	out.src, out.same = nil, nil
	out.eval = func(f *frame) (value, error) {
		v, err := x.eval(f)
		if v.null || err != nil {
			return v, err
		}
		return intValue(^v.i), nil
	}
	return &out
}

var opNames = map[string]string{"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo",
	"&": "'&'", "|": "'|'", "^": "'^'"}

func (c *compiler) arith(op string, l, r *expr) *expr {
	if l.null && !r.null {
		l = c.coerce(l, r.typ)
	} else if r.null && !l.null {
		r = c.coerce(r, l.typ)
	}
	a, b := classOf(l.typ.Kind), classOf(r.typ.Kind)
	if op == "+" && (a == clStr && b == clStr || a == clBin && b == clBin) {
		return c.concat(l, r)
	}
	t, err := common(l.typ, r.typ)
	if err != nil {
		fail(err)
	}
	out := &expr{nullable: l.nullable || r.nullable, fixed: l.fixed && r.fixed}
	bad := func() {
		fail(errorf(402, "The data types %s and %s are incompatible in the %s operator.", typeText(l.typ), typeText(r.typ), opNames[op]))
	}
	var f func(x, y value) (value, error)
	switch classOf(t.Kind) {
	case clInt:
		if t.Kind == tds.Bit && op != "&" && op != "|" && op != "^" {
			fail(errorf(8117, "Operand data type bit is invalid for %s operator.", opNames[op]))
		}
		out.typ = t
		l, r = c.coerce(l, t), c.coerce(r, t)
		f = func(x, y value) (value, error) { return intOp(op, x.i, y.i, t) }
	case clFloat:
		if op == "%" || op == "&" || op == "|" || op == "^" {
			bad()
		}
		out.typ = t
		l, r = c.coerce(l, t), c.coerce(r, t)
		f = func(x, y value) (value, error) { return floatOp(op, x.f, y.f, t) }
	case clDec:
		if op == "&" || op == "|" || op == "^" {
			bad()
		}
		l, r = c.exact(l), c.exact(r)
		out.typ = decResult(op, l.typ, r.typ, t)
		ls, rs := scaleOf(l.typ), scaleOf(r.typ)
		f = func(x, y value) (value, error) { return decOp(op, x, ls, y, rs, out.typ) }
	default:
		bad()
	}
	le, re := l.eval, r.eval
	out.eval = func(fr *frame) (value, error) {
		x, err := le(fr)
		if err != nil {
			return x, err
		}
		y, err := re(fr)
		if err != nil || x.null || y.null {
			return nullValue, err
		}
		return f(x, y)
	}
	return out
}

// exact brings an operand of decimal arithmetic to decimal or money.
func (c *compiler) exact(x *expr) *expr {
	switch classOf(x.typ.Kind) {
	case clDec:
		return x
	case clInt:
		return c.coerce(x, tds.Type{Kind: tds.Decimal, Prec: uint8(precOf(x.typ))})
	}
	return c.coerce(x, tds.Type{Kind: tds.Decimal, Prec: 38})
}

func (c *compiler) concat(l, r *expr) *expr {
	t, err := common(l.typ, r.typ)
	if err != nil {
		fail(err)
	}
	if !isVariable(t.Kind) {
		t.Kind = variableForm(t.Kind)
	}
	limit := 8000
	if isUnicode(t.Kind) {
		limit = 4000
	}
	t.Len = min(l.typ.Len+r.typ.Len, limit)
	if l.typ.Len == tds.MaxLen || r.typ.Len == tds.MaxLen {
		t.Len = tds.MaxLen
	}
	return &expr{typ: t, coll: collationFor(l, r), nullable: l.nullable || r.nullable, fixed: l.fixed && r.fixed,
		eval: func(f *frame) (value, error) {
			x, err := l.eval(f)
			if err != nil {
				return x, err
			}
			y, err := r.eval(f)
			if err != nil || x.null || y.null {
				return nullValue, err
			}
			return strValue(x.s + y.s), nil
		}}
}

func errDivide() error { return errorf(8134, "Divide by zero error encountered.") }

func intOp(op string, x, y int64, t tds.Type) (value, error) {
	var n int64
	ok := true
	switch op {
	case "+":
		n = x + y
		ok = (n > x) == (y > 0)
	case "-":
		n = x - y
		ok = (n < x) == (y > 0)
	case "*":
		n = x * y
		ok = x == 0 || n/x == y && !(x == -1 && y == math.MinInt64)
	case "/", "%":
		if y == 0 {
			return nullValue, errDivide()
		}
		if op == "/" {
			n = x / y
		} else {
			n = x % y
		}
	case "&":
		n = x & y
	case "|":
		n = x | y
	case "^":
		n = x ^ y
	}
	if !ok || !fitsInt(n, t.Kind) {
		return nullValue, errOverflow(t, t)
	}
	return intValue(n), nil
}

func floatOp(op string, x, y float64, t tds.Type) (value, error) {
	var n float64
	switch op {
	case "+":
		n = x + y
	case "-":
		n = x - y
	case "*":
		n = x * y
	case "/":
		if y == 0 {
			return nullValue, errDivide()
		}
		n = x / y
	}
	if math.IsInf(n, 0) {
		return nullValue, errOverflow(t, t)
	}
	return floatValue(n), nil
}

// decResult is the type of decimal arithmetic ("Precision, scale, and length
// (Transact-SQL)").
func decResult(op string, a, b, t tds.Type) tds.Type {
	if t.Kind != tds.Decimal {
		return tds.Type{Kind: tds.Money}
	}
	p1, s1, p2, s2 := precOf(a), scaleOf(a), precOf(b), scaleOf(b)
	var p, s int
	switch op {
	case "+", "-":
		s = max(s1, s2)
		p = max(p1-s1, p2-s2) + s + 1
	case "*":
		p, s = p1+p2+1, s1+s2
	case "/":
		s = max(6, s1+p2+1)
		p = p1 - s1 + s2 + s
	case "%":
		s = max(s1, s2)
		p = min(p1-s1, p2-s2) + s
	}
	if p > 38 {
		whole := p - s
		if op == "+" || op == "-" {
			s = min(s, max(38-whole, 0))
		} else {
			s = max(min(s, 38-whole), min(s, 6))
		}
		p = 38
	}
	return tds.Type{Kind: tds.Decimal, Prec: uint8(p), Scale: uint8(s)}
}

func decOp(op string, x value, xs int, y value, ys int, t tds.Type) (value, error) {
	s := scaleOf(t)
	var n *big.Int
	at := s
	switch op {
	case "+", "-", "%":
		at = max(xs, ys)
		a, b := rescale(x, xs, at).dec(), rescale(y, ys, at).dec()
		switch {
		case op == "+":
			n = new(big.Int).Add(a, b)
		case op == "-":
			n = new(big.Int).Sub(a, b)
		case b.Sign() == 0:
			return nullValue, errDivide()
		default:
			n = new(big.Int).Rem(a, b)
		}
	case "*":
		n, at = new(big.Int).Mul(x.dec(), y.dec()), xs+ys
	case "/":
		if y.dec().Sign() == 0 {
			return nullValue, errDivide()
		}
		// x/10^xs / (y/10^ys) at scale s: x * 10^(s+ys-xs) / y, truncated.
		num := x.dec()
		if e := s + ys - xs; e >= 0 {
			num = new(big.Int).Mul(num, pow10[e])
		} else {
			num = new(big.Int).Quo(num, pow10[-e])
		}
		n = new(big.Int).Quo(num, y.dec())
	}
	v := rescale(decValue(n), at, s)
	if !fitsDec(v, t) {
		return nullValue, errOverflow(t, t)
	}
	return v, nil
}
