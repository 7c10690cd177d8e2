package tsql

func (p *parser) insert() Stmt {
	p.expect("INSERT")
	p.word("INTO")
	s := &Insert{Table: p.name()}
	p.modifyHints()
	if p.isOp("(") {
		s.Cols = p.idents()
	}
	p.noOutput()
	switch {
	case p.word("VALUES"):
		s.Rows = p.valueRows(true)
	case p.word("DEFAULT", "VALUES"):
	case p.isWord("SELECT"):
		s.Query = p.query()
		p.options()
	case p.isWord("EXEC"), p.isWord("EXECUTE"):
		panic(NotKnown("INSERT with EXEC"))
	default:
		p.fail()
	}
	return s
}

func (p *parser) update() Stmt {
	p.expect("UPDATE")
	s := &Update{}
	if p.isWord("TOP") {
		s.Top = p.top()
	}
	s.Table = p.name()
	p.modifyHints()
	p.expect("SET")
	for {
		if p.cur().kind == tokVar {
			panic(NotKnown("variables on the left side of UPDATE SET"))
		}
		col := p.ident()
		if p.isOp(".") {
			panic(NotKnown("qualified columns on the left side of UPDATE SET"))
		}
		a := Assignment{Column: col}
		if t := p.cur(); t.kind == tokOp && (t.text == "+=" || t.text == "-=") {
			p.next()
			a.X = &Arith{t.text[:1], &ColumnRef{[]string{col}}, p.expr()}
		} else {
			p.expectOp("=")
			if p.word("DEFAULT") {
				a.X = &Literal{Kind: Null}
			} else {
				a.X = p.expr()
			}
		}
		s.Set = append(s.Set, a)
		if !p.op(",") {
			break
		}
	}
	p.noOutput()
	if p.isWord("FROM") {
		panic(NotKnown("UPDATE with FROM"))
	}
	if p.word("WHERE") {
		s.Where = p.cond()
	}
	p.options()
	return s
}

func (p *parser) delete() Stmt {
	p.expect("DELETE")
	s := &Delete{}
	if p.isWord("TOP") {
		s.Top = p.top()
	}
	p.word("FROM")
	s.Table = p.name()
	p.modifyHints()
	p.noOutput()
	if p.isWord("FROM") {
		panic(NotKnown("DELETE with a second FROM"))
	}
	if p.word("WHERE") {
		s.Where = p.cond()
	}
	p.options()
	return s
}

// modifyHints reads the hints of the table that a statement changes; they
// only ask for coarser locks.
func (p *parser) modifyHints() {
	if !p.word("WITH") {
		return
	}
	p.expectOp("(")
	for !p.op(")") {
		p.op(",")
		if p.oneOf("TABLOCK", "TABLOCKX", "ROWLOCK", "PAGLOCK", "HOLDLOCK", "UPDLOCK", "XLOCK") == "" {
			p.fail()
		}
	}
}

func (p *parser) noOutput() {
	if p.isWord("OUTPUT") {
		panic(NotKnown("the OUTPUT clause"))
	}
}
