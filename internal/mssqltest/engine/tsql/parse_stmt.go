package tsql

import "strings"

func (p *parser) statement() Stmt {
	t := p.cur()
	if t.kind != tokIdent || t.quoted {
		p.fail()
	}
	switch t.upper {
	case "SELECT":
		q := p.query()
		q.Options = p.options()
		return &SelectStmt{q}
	case "DECLARE":
		return p.declare()
	case "SET":
		return p.set()
	case "INSERT":
		return p.insert()
	case "UPDATE":
		return p.update()
	case "DELETE":
		return p.delete()
	case "CREATE":
		return p.create()
	case "DROP":
		return p.drop()
	case "ALTER":
		return p.alter()
	case "BEGIN":
		return p.begin()
	case "IF":
		p.next()
		s := &If{Cond: p.cond(), Then: p.body()}
		start := p.pos
		for p.op(";") {
		}
		if p.word("ELSE") {
			s.Else = p.body()
		} else {
			p.pos = start
		}
		return s
	case "EXEC", "EXECUTE":
		return p.exec()
	}
	p.next()
	switch t.upper {
	case "TRUNCATE":
		p.expect("TABLE")
		return &Truncate{p.name()}
	case "COMMIT", "ROLLBACK":
		if p.oneOf("TRAN", "TRANSACTION", "WORK") != "" && p.isName() {
			p.next() // the name of a transaction means nothing to COMMIT; savepoints do not exist here
		}
		if t.upper == "COMMIT" {
			return &Commit{}
		}
		return &Rollback{}
	case "WAITFOR":
		p.expect("DELAY")
		return &WaitFor{p.primary()}
	case "PRINT":
		return &Print{p.expr()}
	case "RETURN":
		return &Return{}
	case "WITH":
		panic(NotKnown("common table expressions"))
	case "MERGE", "USE", "GRANT", "DENY", "REVOKE", "WHILE", "RAISERROR", "THROW", "BACKUP", "RESTORE", "KILL", "DBCC", "SAVE", "BULK":
		panic(NotKnown("the statement " + t.upper))
	}
	p.pos--
	p.fail()
	return nil
}

// body is the statement of an IF, past any semicolon.
func (p *parser) body() Stmt { return p.statement() }

func (p *parser) begin() Stmt {
	p.expect("BEGIN")
	if p.oneOf("TRAN", "TRANSACTION") != "" {
		if p.isName() {
			p.next()
		}
		return &BeginTran{}
	}
	if p.isWord("TRY") || p.isWord("CATCH") {
		panic(NotKnown("TRY and CATCH"))
	}
	b := &Block{}
	for {
		for p.op(";") {
		}
		if p.word("END") {
			break
		}
		b.Body = append(b.Body, p.statement())
	}
	if len(b.Body) == 0 {
		p.pos--
		p.fail()
	}
	return b
}

func (p *parser) declare() Stmt {
	p.expect("DECLARE")
	d := &Declare{}
	for {
		if p.cur().kind != tokVar {
			p.fail()
		}
		v := VarDecl{Name: p.next().text}
		p.word("AS")
		if p.isWord("TABLE") {
			panic(NotKnown("table variables"))
		}
		v.Type = p.typeName()
		if p.op("=") {
			v.Init = p.expr()
		}
		d.Vars = append(d.Vars, v)
		if !p.op(",") {
			return d
		}
	}
}

func (p *parser) set() Stmt {
	p.expect("SET")
	if p.cur().kind == tokVar {
		v := p.next().text
		if t := p.cur(); t.kind == tokOp && (t.text == "+=" || t.text == "-=") {
			p.next()
			return &SetVar{v, &Arith{t.text[:1], &Var{v}, p.expr()}}
		}
		p.expectOp("=")
		return &SetVar{v, p.expr()}
	}
	s := &SetOption{}
	if p.word("TRANSACTION", "ISOLATION", "LEVEL") {
		s.Names = []string{"TRANSACTION ISOLATION LEVEL"}
		switch {
		case p.word("READ", "UNCOMMITTED"):
			panic(NotKnown("READ UNCOMMITTED: it is refused because it reads what may never be committed"))
		case p.word("READ", "COMMITTED"):
			s.Value = "READ COMMITTED"
		case p.word("REPEATABLE", "READ"):
			s.Value = "REPEATABLE READ"
		default:
			if s.Value = p.oneOf("SNAPSHOT", "SERIALIZABLE"); s.Value == "" {
				p.fail()
			}
		}
		return s
	}
	if p.word("IDENTITY_INSERT") {
		n := p.name()
		s.Names, s.Table = []string{"IDENTITY_INSERT"}, &n
	} else {
		for {
			if p.cur().kind != tokIdent {
				p.fail()
			}
			s.Names = append(s.Names, p.next().upper)
			if !p.op(",") {
				break
			}
		}
	}
	if s.Names[0] == "STATISTICS" {
		panic(NotKnown("SET STATISTICS"))
	}
	t := p.cur()
	switch t.kind {
	case tokVar:
		s.Var = p.next().text
	case tokIdent, tokString, tokNString:
		s.Value = strings.ToUpper(p.next().text)
	default:
		neg := p.op("-")
		if s.Value = p.cur().text; p.cur().kind != tokInt {
			p.fail()
		}
		p.next()
		if neg {
			s.Value = "-" + s.Value
		}
	}
	return s
}

func (p *parser) exec() Stmt {
	p.next()
	if p.isOp("(") {
		panic(NotKnown("EXEC of a string"))
	}
	e := &Exec{Proc: p.name()}
	if !p.execArgNext() {
		return e
	}
	for {
		var a ExecArg
		if p.cur().kind == tokVar && p.peek(1).kind == tokOp && p.peek(1).text == "=" {
			a.Name = p.next().text
			p.next()
		}
		if p.isName() { // an unquoted word is a string
			a.X = &Literal{String, p.next().text}
		} else {
			a.X = p.unary()
		}
		e.Args = append(e.Args, a)
		if !p.op(",") {
			return e
		}
	}
}

func (p *parser) execArgNext() bool {
	switch t := p.cur(); t.kind {
	case tokEOF:
		return false
	case tokOp:
		return t.text == "-"
	case tokIdent:
		return p.isName() || t.upper == "NULL"
	}
	return true
}
