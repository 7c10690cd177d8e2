package tsql

import "strings"

func (p *parser) tableRef() TableRef {
	l := p.tableSource()
	for {
		switch {
		case p.word("CROSS", "JOIN"):
			l = &Join{L: l, R: p.tableSource()}
		case p.isWord("CROSS", "APPLY"), p.isWord("OUTER", "APPLY"):
			panic(NotKnown("APPLY"))
		case p.isWord("RIGHT"), p.isWord("FULL"):
			panic(NotKnown(p.cur().upper + " JOIN"))
		case p.isWord("PIVOT"), p.isWord("UNPIVOT"), p.isWord("TABLESAMPLE"):
			panic(NotKnown(p.cur().upper))
		case p.isWord("JOIN"), p.isWord("INNER"), p.isWord("LEFT"):
			left := p.oneOf("INNER", "LEFT") == "LEFT"
			if left {
				p.word("OUTER")
			}
			p.oneOf("LOOP", "HASH", "MERGE")
			p.expect("JOIN")
			j := &Join{L: l, R: p.tableSource(), Left: left}
			// ON may come after further joins: a JOIN b JOIN c ON .. ON ..
			// is legal but nobody writes it, so it is a syntax error here.
			p.expect("ON")
			j.On = p.cond()
			l = j
		default:
			return l
		}
	}
}

func (p *parser) tableSource() TableRef {
	if p.op("(") {
		switch {
		case p.word("VALUES"):
			v := &Values{Rows: p.valueRows(false)}
			p.expectOp(")")
			v.Alias = p.alias()
			if v.Alias == "" {
				p.fail()
			}
			v.Cols = p.idents()
			return v
		case p.isWord("SELECT"):
			d := &Derived{Query: p.query()}
			p.expectOp(")")
			d.Alias = p.alias()
			if d.Alias == "" {
				p.fail()
			}
			if p.isOp("(") {
				d.Cols = p.idents()
			}
			return d
		}
		t := p.tableRef()
		p.expectOp(")")
		return t
	}
	n := p.name()
	if p.isOp("(") {
		c := p.call(n.Object).(*Call)
		return &TableFunc{Name: n, Args: c.Args, Alias: p.alias()}
	}
	t := &Table{Name: n, Hints: Hints{IndexID: -1}}
	if p.isWord("FOR") {
		panic(NotKnown("FOR SYSTEM_TIME"))
	}
	t.Alias = p.alias()
	if p.word("WITH") {
		p.expectOp("(")
		p.hints(&t.Hints)
	}
	return t
}

// hints reads the table hints after the opening parenthesis.
func (p *parser) hints(h *Hints) {
	for !p.op(")") {
		p.op(",")
		t := p.next()
		if t.kind != tokIdent {
			p.pos--
			p.fail()
		}
		switch w := strings.ToUpper(t.text); w {
		case "NOLOCK", "READUNCOMMITTED":
			panic(NotKnown(w + ": it is refused because it reads what may never be committed"))
		case "INDEX":
			p.indexHint(h)
		case "FORCESEEK":
			h.Seek = true
			if p.op("(") {
				h.Index = p.ident()
				p.idents()
				p.expectOp(")")
			}
		case "READCOMMITTEDLOCK":
			h.Locking = true
		case "READPAST":
			h.ReadPast = true
		case "READCOMMITTED", "ROWLOCK", "PAGLOCK", "FORCESCAN":
		default:
			panic(NotKnown("the table hint " + w))
		}
	}
}

func (p *parser) indexHint(h *Hints) {
	paren := !p.op("=")
	if paren {
		p.expectOp("(")
	} else {
		paren = p.op("(")
	}
	if p.cur().kind == tokInt {
		h.IndexID = int(p.integer())
	} else {
		h.Index = p.ident()
	}
	if p.isOp(",") && paren {
		panic(NotKnown("several indexes in one hint"))
	}
	if paren {
		p.expectOp(")")
	}
}

// valueRows reads (..), (..). With defaults, DEFAULT is allowed and nil.
func (p *parser) valueRows(defaults bool) [][]Expr {
	var rows [][]Expr
	for {
		p.expectOp("(")
		var row []Expr
		for {
			if defaults && p.word("DEFAULT") {
				row = append(row, nil)
			} else {
				row = append(row, p.expr())
			}
			if !p.op(",") {
				break
			}
		}
		p.expectOp(")")
		rows = append(rows, row)
		if !p.op(",") {
			break
		}
	}
	for _, r := range rows {
		if len(r) != len(rows[0]) {
			panic(&Error{10709, "The number of columns for each row in a table value constructor must be the same."})
		}
	}
	if len(rows) > 1000 && defaults {
		panic(&Error{10738, "The number of row value expressions in the INSERT statement exceeds the maximum allowed number of 1000 row values."})
	}
	return rows
}

// options reads OPTION (...), whose hints change no result.
func (p *parser) options() []string {
	if !p.word("OPTION") {
		return nil
	}
	p.expectOp("(")
	var out []string
	var cur []string
	depth := 0
	for {
		t := p.cur()
		switch {
		case t.kind == tokEOF:
			p.fail()
		case p.isOp("("):
			depth++
		case p.isOp(")"):
			depth--
		}
		if depth < 0 || depth == 0 && p.isOp(",") {
			if len(cur) == 0 {
				p.fail()
			}
			out, cur = append(out, checkOption(cur)), nil
			if depth < 0 {
				p.next()
				return out
			}
		} else {
			cur = append(cur, strings.ToUpper(t.text))
		}
		p.next()
	}
}

var queryHints = []string{"MAXDOP", "RECOMPILE", "FAST", "FORCE ORDER", "LOOP JOIN", "HASH JOIN", "MERGE JOIN",
	"OPTIMIZE FOR", "KEEP PLAN", "KEEPFIXED PLAN", "MAX_GRANT_PERCENT", "MIN_GRANT_PERCENT", "ROBUST PLAN", "USE HINT"}

func checkOption(words []string) string {
	s := strings.Join(words, " ")
	for _, h := range queryHints {
		if s == h || strings.HasPrefix(s, h+" ") {
			return s
		}
	}
	panic(NotKnown("the query hint " + s))
}
