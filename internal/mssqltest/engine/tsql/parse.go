package tsql

import "strings"

// Parse reads a whole batch. Its error is an [*Error].
func Parse(src string) (stmts []Stmt, err error) {
	toks, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks}
	defer p.recover(&err)
	for {
		for p.op(";") {
		}
		if p.cur().kind == tokEOF {
			return stmts, nil
		}
		stmts = append(stmts, p.statement())
	}
}

// A parser walks the tokens by recursive descent. Its methods panic with an
// *Error, which Parse turns into its result.
type parser struct {
	toks []token
	pos  int
}

func (p *parser) recover(err *error) {
	switch r := recover().(type) {
	case nil:
	case *Error:
		*err = r
	default:
		panic(r)
	}
}

func (p *parser) cur() token { return p.toks[p.pos] }

func (p *parser) peek(n int) token {
	return p.toks[min(p.pos+n, len(p.toks)-1)]
}

func (p *parser) next() token {
	t := p.toks[p.pos]
	if t.kind != tokEOF {
		p.pos++
	}
	return t
}

func (p *parser) fail() { panic(syntax(p.cur())) }

func (p *parser) isOp(op string) bool {
	return p.cur().kind == tokOp && p.cur().text == op
}

func (p *parser) op(op string) bool {
	if p.isOp(op) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) expectOp(op string) {
	if !p.op(op) {
		p.fail()
	}
}

func (t token) is(word string) bool {
	return t.kind == tokIdent && !t.quoted && t.upper == word
}

// isWord tells whether the next tokens are these words.
func (p *parser) isWord(words ...string) bool {
	for i, w := range words {
		if !p.peek(i).is(w) {
			return false
		}
	}
	return true
}

// word takes the words if they are next.
func (p *parser) word(words ...string) bool {
	if p.isWord(words...) {
		p.pos += len(words)
		return true
	}
	return false
}

func (p *parser) expect(words ...string) {
	for _, w := range words {
		if !p.word(w) {
			p.fail()
		}
	}
}

// oneOf takes the next word if it is in the list and returns it.
func (p *parser) oneOf(words ...string) string {
	for _, w := range words {
		if p.word(w) {
			return w
		}
	}
	return ""
}

// isName tells whether the next token can be an identifier.
func (p *parser) isName() bool {
	t := p.cur()
	return t.kind == tokIdent && (t.quoted || !reserved[t.upper])
}

func (p *parser) ident() string {
	if !p.isName() {
		p.fail()
	}
	return p.next().text
}

// name reads [[database.]schema.]object; the schema between dots may be empty.
func (p *parser) name() Name {
	parts := []string{p.ident()}
	for p.op(".") {
		if p.isOp(".") {
			parts = append(parts, "")
			continue
		}
		parts = append(parts, p.ident())
	}
	if strings.HasPrefix(parts[len(parts)-1], "#") {
		panic(NotKnown("temporary tables"))
	}
	switch len(parts) {
	case 1:
		return Name{Object: parts[0]}
	case 2:
		return Name{Schema: parts[0], Object: parts[1]}
	case 3:
		return Name{Database: parts[0], Schema: parts[1], Object: parts[2]}
	}
	panic(NotKnown("names with four parts (linked servers)"))
}

func (p *parser) idents() []string {
	p.expectOp("(")
	out := []string{p.ident()}
	for p.op(",") {
		out = append(out, p.ident())
	}
	p.expectOp(")")
	return out
}

func (p *parser) integer() int64 {
	neg := p.op("-")
	t := p.cur()
	if t.kind != tokInt {
		p.fail()
	}
	p.next()
	var n int64
	for _, c := range t.text {
		if n > (1<<62)/10 {
			p.pos--
			p.fail()
		}
		n = n*10 + int64(c-'0')
	}
	if neg {
		return -n
	}
	return n
}

// typeName reads a data type.
func (p *parser) typeName() TypeName {
	var t TypeName
	if p.cur().kind != tokIdent {
		p.fail()
	}
	t.Name = strings.ToLower(p.next().text)
	if p.op(".") {
		t.Schema, t.Name = t.Name, strings.ToLower(p.ident())
	}
	switch t.Name {
	case "national":
		panic(NotKnown("the type names that begin with NATIONAL"))
	case "double":
		p.expect("PRECISION")
		t.Name = "float"
	case "char", "character", "binary":
		if p.word("VARYING") {
			t.Name = "var" + t.Name
		}
	}
	if p.op("(") {
		if p.word("MAX") {
			t.Max = true
		} else {
			t.Args = append(t.Args, int(p.integer()))
			for p.op(",") {
				t.Args = append(t.Args, int(p.integer()))
			}
		}
		p.expectOp(")")
	}
	return t
}
