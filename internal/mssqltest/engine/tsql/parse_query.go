package tsql

func (p *parser) query() *Query {
	q := &Query{Selects: []*Select{p.selectTerm()}}
	for {
		if p.isWord("UNION") && !p.isWord("UNION", "ALL") || p.isWord("EXCEPT") || p.isWord("INTERSECT") {
			panic(NotKnown(p.cur().upper + " (but UNION ALL)"))
		}
		if !p.word("UNION", "ALL") {
			break
		}
		q.Selects = append(q.Selects, p.selectTerm())
	}
	if p.word("ORDER", "BY") {
		q.OrderBy = p.orderBy()
		if p.word("OFFSET") {
			q.Offset = p.expr()
			p.rows()
			if p.word("FETCH") {
				if p.oneOf("FIRST", "NEXT") == "" {
					p.fail()
				}
				q.Fetch = p.expr()
				p.rows()
				p.expect("ONLY")
			}
		}
	}
	return q
}

func (p *parser) rows() {
	if p.oneOf("ROW", "ROWS") == "" {
		p.fail()
	}
}

func (p *parser) orderBy() []Order {
	var out []Order
	for {
		o := Order{Expr: p.expr()}
		if p.oneOf("ASC", "DESC") == "DESC" {
			o.Desc = true
		}
		out = append(out, o)
		if !p.op(",") {
			return out
		}
	}
}

func (p *parser) selectTerm() *Select {
	p.expect("SELECT")
	s := &Select{}
	if p.oneOf("ALL", "DISTINCT") == "DISTINCT" {
		s.Distinct = true
	}
	if p.isWord("TOP") {
		s.Top = p.top()
	}
	for {
		s.Items = append(s.Items, p.item())
		if !p.op(",") {
			break
		}
	}
	if p.word("INTO") {
		n := p.name()
		s.Into = &n
	}
	if p.word("FROM") {
		s.From = append(s.From, p.tableRef())
		for p.op(",") {
			s.From = append(s.From, p.tableRef())
		}
	}
	if p.word("WHERE") {
		s.Where = p.cond()
	}
	if p.word("GROUP", "BY") {
		s.GroupBy = append(s.GroupBy, p.expr())
		for p.op(",") {
			s.GroupBy = append(s.GroupBy, p.expr())
		}
	}
	if p.word("HAVING") {
		s.Having = p.cond()
	}
	return s
}

// top reads TOP (expression) and the old TOP n.
func (p *parser) top() Expr {
	p.expect("TOP")
	var x Expr
	if p.op("(") {
		x = p.expr()
		p.expectOp(")")
	} else if p.cur().kind == tokInt {
		x = p.literal(Int)
	} else {
		p.fail()
	}
	if p.isWord("PERCENT") || p.isWord("WITH", "TIES") {
		panic(NotKnown("TOP with PERCENT or WITH TIES"))
	}
	return x
}

func (p *parser) item() Item {
	if p.op("*") {
		return Item{Star: true}
	}
	if p.isName() {
		start := p.pos
		parts := []string{p.ident()}
		for p.op(".") {
			if p.op("*") {
				return Item{Star: true, Parts: parts}
			}
			parts = append(parts, p.ident())
		}
		if len(parts) == 1 && p.op("=") { // alias = expression
			return Item{Alias: parts[0], Expr: p.expr()}
		}
		p.pos = start
	}
	if p.cur().kind == tokVar && p.peek(1).kind == tokOp && p.peek(1).text == "=" {
		v := p.next().text
		p.next()
		return Item{Assign: v, Expr: p.expr()}
	}
	it := Item{Expr: p.expr()}
	it.Alias = p.alias()
	return it
}

// alias reads [AS] name, if there is one.
func (p *parser) alias() string {
	if p.word("AS") {
		if k := p.cur().kind; k == tokString || k == tokNString {
			return p.next().text
		}
		return p.ident()
	}
	if p.isName() {
		return p.next().text
	}
	return ""
}
