package tsql

import "strings"

// The precedence of operators is SQL Server's: unary, then * / %, then
// + - & ^ |, all below comparison.

func (p *parser) expr() Expr {
	l := p.term()
	for {
		t := p.cur()
		if t.kind != tokOp || len(t.text) != 1 || !strings.Contains("+-&|^", t.text) {
			return l
		}
		p.next()
		l = &Arith{t.text, l, p.term()}
	}
}

func (p *parser) term() Expr {
	l := p.unary()
	for p.isOp("*") || p.isOp("/") || p.isOp("%") {
		op := p.next().text
		l = &Arith{op, l, p.unary()}
	}
	return l
}

func (p *parser) unary() Expr {
	if p.isOp("-") || p.isOp("+") || p.isOp("~") {
		op := p.next().text
		return &Unary{op, p.unary()}
	}
	x := p.primary()
	for p.word("COLLATE") {
		x = &Collate{x, p.ident()}
	}
	return x
}

func (p *parser) primary() Expr {
	t := p.cur()
	switch t.kind {
	case tokInt:
		return p.literal(Int)
	case tokDecimal:
		return p.literal(Decimal)
	case tokFloat:
		return p.literal(Float)
	case tokString:
		return p.literal(String)
	case tokNString:
		return p.literal(NString)
	case tokBinary:
		return p.literal(Binary)
	case tokVar:
		p.next()
		return &Var{t.text}
	case tokGlobal:
		p.next()
		return &Global{t.upper}
	case tokOp:
		if !p.op("(") {
			p.fail()
		}
		var x Expr
		if p.isWord("SELECT") {
			x = &Subquery{p.query()}
		} else {
			x = p.expr()
		}
		p.expectOp(")")
		return x
	}
	if !t.quoted {
		switch t.upper {
		case "NULL":
			p.next()
			return &Literal{Kind: Null}
		case "CASE":
			return p.caseExpr()
		case "CAST", "TRY_CAST":
			return p.cast()
		case "CONVERT", "TRY_CONVERT":
			return p.convert()
		case "COALESCE", "NULLIF", "LEFT", "RIGHT":
			return p.call(p.next().upper)
		case "CURRENT_TIMESTAMP":
			p.next()
			return &Call{Name: "GETDATE"}
		case "SYSTEM_USER":
			p.next()
			return &Call{Name: "SUSER_SNAME"}
		case "CURRENT_USER", "SESSION_USER", "USER":
			p.next()
			return &Call{Name: "USER_NAME"}
		}
	}
	return p.reference()
}

func (p *parser) literal(k LiteralKind) Expr {
	return &Literal{k, p.next().text}
}

// reference reads a column with its qualifiers, or a call.
func (p *parser) reference() Expr {
	parts := []string{p.ident()}
	for p.op(".") {
		parts = append(parts, p.ident())
	}
	if p.isOp("(") {
		return p.call(strings.ToUpper(strings.Join(parts, ".")))
	}
	if len(parts) > 3 {
		panic(NotKnown("columns with more than two qualifiers"))
	}
	return &ColumnRef{parts}
}

func (p *parser) call(name string) Expr {
	c := &Call{Name: name}
	p.expectOp("(")
	switch {
	case p.op(")"):
		return p.over(c)
	case p.op("*"):
		c.Star = true
	default:
		if p.word("DISTINCT") {
			c.Distinct = true
		} else {
			p.word("ALL")
		}
		c.Args = append(c.Args, p.expr())
		for p.op(",") {
			c.Args = append(c.Args, p.expr())
		}
	}
	p.expectOp(")")
	return p.over(c)
}

func (p *parser) over(c *Call) Expr {
	if !p.word("OVER") {
		return c
	}
	if c.Name != "ROW_NUMBER" {
		panic(NotKnown("window functions but ROW_NUMBER"))
	}
	p.expectOp("(")
	if !p.word("ORDER", "BY") {
		panic(NotKnown("a window without ORDER BY, or with more"))
	}
	c.Over = p.orderBy()
	p.expectOp(")")
	return c
}

func (p *parser) cast() Expr {
	c := &Cast{Try: p.next().upper == "TRY_CAST"}
	p.expectOp("(")
	c.X = p.expr()
	p.expect("AS")
	c.To = p.typeName()
	p.expectOp(")")
	return c
}

func (p *parser) convert() Expr {
	c := &Cast{Try: p.next().upper == "TRY_CONVERT"}
	p.expectOp("(")
	c.To = p.typeName()
	p.expectOp(",")
	c.X = p.expr()
	if p.op(",") {
		c.Style = p.expr()
	}
	p.expectOp(")")
	return c
}

func (p *parser) caseExpr() Expr {
	p.expect("CASE")
	c := &Case{}
	if !p.isWord("WHEN") {
		c.Operand = p.expr()
	}
	for p.word("WHEN") {
		var w When
		if c.Operand != nil {
			w.Value = p.expr()
		} else {
			w.On = p.cond()
		}
		p.expect("THEN")
		w.Then = p.expr()
		c.Whens = append(c.Whens, w)
	}
	if len(c.Whens) == 0 {
		p.fail()
	}
	if p.word("ELSE") {
		c.Else = p.expr()
	}
	p.expect("END")
	return c
}
