package tsql

import "errors"

func (p *parser) cond() Cond {
	parts := []Cond{p.conjunction()}
	for p.word("OR") {
		parts = append(parts, p.conjunction())
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return &Or{parts}
}

func (p *parser) conjunction() Cond {
	parts := []Cond{p.negation()}
	for p.word("AND") {
		parts = append(parts, p.negation())
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return &And{parts}
}

func (p *parser) negation() Cond {
	if p.word("NOT") {
		return &Not{p.negation()}
	}
	if p.word("EXISTS") {
		p.expectOp("(")
		q := p.query()
		p.expectOp(")")
		return &Exists{q}
	}
	if p.isOp("(") {
		if c, ok := p.parenthesized(); ok {
			return c
		}
	}
	return p.comparison()
}

// parenthesized reads "(predicate)". A parenthesis may as well open a scalar
// expression, which only what follows can tell, so it may have to go back.
func (p *parser) parenthesized() (c Cond, ok bool) {
	start := p.pos
	var err error
	func() {
		defer p.recover(&err)
		p.expectOp("(")
		c = p.cond()
		p.expectOp(")")
	}()
	if err == nil {
		return c, true
	}
	var e *Error
	if errors.As(err, &e) && e.Number == NumNotKnown {
		panic(e)
	}
	failed := p.pos
	p.pos = start
	// The scalar reading, tried only to find which of the two got further:
	// its error is the more helpful one.
	func() {
		defer p.recover(&err)
		err = nil
		p.expr()
	}()
	if err != nil && p.pos <= failed {
		p.pos = failed
		panic(syntax(p.cur()))
	}
	p.pos = start
	return nil, false
}

func (p *parser) comparison() Cond {
	x := p.expr()
	t := p.cur()
	if t.kind == tokOp {
		op := map[string]string{"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=",
			">": ">", ">=": ">=", "!<": ">=", "!>": "<="}[t.text]
		if op == "" {
			p.fail()
		}
		p.next()
		if p.oneOf("ALL", "ANY", "SOME") != "" {
			panic(NotKnown("comparisons with ALL, ANY and SOME"))
		}
		return &Compare{op, x, p.expr()}
	}
	if p.word("IS") {
		not := p.word("NOT")
		p.expect("NULL")
		return &IsNull{x, not}
	}
	not := p.word("NOT")
	switch {
	case p.word("IN"):
		return p.in(x, not)
	case p.word("BETWEEN"):
		lo := p.expr()
		p.expect("AND")
		hi := p.expr()
		c := Cond(&And{[]Cond{&Compare{">=", x, lo}, &Compare{"<=", x, hi}}})
		if not {
			c = &Not{c}
		}
		return c
	case p.word("LIKE"):
		l := &Like{X: x, Pattern: p.expr(), Not: not}
		if p.word("ESCAPE") {
			l.Escape = p.expr()
		}
		return l
	}
	p.fail()
	return nil
}

func (p *parser) in(x Expr, not bool) Cond {
	p.expectOp("(")
	in := &In{X: x, Not: not}
	if p.isWord("SELECT") {
		in.Query = p.query()
	} else {
		in.List = append(in.List, p.expr())
		for p.op(",") {
			in.List = append(in.List, p.expr())
		}
	}
	p.expectOp(")")
	return in
}
