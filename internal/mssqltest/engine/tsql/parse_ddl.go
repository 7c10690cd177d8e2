package tsql

import "strings"

func (p *parser) create() Stmt {
	p.expect("CREATE")
	switch {
	case p.word("TABLE"):
		return p.createTable()
	case p.word("SCHEMA"):
		s := &CreateSchema{p.ident()}
		if p.word("AUTHORIZATION") {
			p.ident()
		}
		return s
	case p.word("TYPE"):
		s := &CreateType{Name: p.name()}
		p.expect("FROM")
		s.Base = p.typeName()
		s.Nullable = p.nullability()
		return s
	}
	k := KeyDef{Index: true, Unique: p.word("UNIQUE")}
	k.Clustered = p.clustered()
	if !p.word("INDEX") {
		panic(NotKnown("CREATE " + p.cur().upper))
	}
	k.Name = p.ident()
	p.expect("ON")
	s := &CreateIndex{Table: p.name()}
	k.Cols = p.keyCols()
	p.indexTail(&k)
	s.Key = k
	return s
}

func (p *parser) indexTail(k *KeyDef) {
	if p.word("INCLUDE") {
		k.Include = p.idents()
	}
	if p.word("WHERE") {
		k.Where = p.cond()
	}
	p.storage()
}

// storage reads WITH (...) and ON filegroup, which mean nothing here.
func (p *parser) storage() {
	if p.word("WITH") {
		p.expectOp("(")
		for !p.op(")") {
			if p.next().kind == tokEOF {
				p.fail()
			}
		}
	}
	if p.word("ON") {
		if !p.word("PRIMARY") {
			p.ident()
		}
	}
	if p.word("TEXTIMAGE_ON") && !p.word("PRIMARY") {
		p.ident()
	}
}

func (p *parser) clustered() *bool {
	yes := true
	switch p.oneOf("CLUSTERED", "NONCLUSTERED") {
	case "":
		return nil
	case "NONCLUSTERED":
		yes = false
	}
	return &yes
}

func (p *parser) nullability() *bool {
	yes := true
	if p.word("NULL") {
		return &yes
	}
	if p.word("NOT", "NULL") {
		no := false
		return &no
	}
	return nil
}

func (p *parser) keyCols() []KeyCol {
	p.expectOp("(")
	var out []KeyCol
	for {
		c := KeyCol{Name: p.ident()}
		c.Desc = p.oneOf("ASC", "DESC") == "DESC"
		out = append(out, c)
		if !p.op(",") {
			break
		}
	}
	p.expectOp(")")
	return out
}

func (p *parser) createTable() Stmt {
	s := &CreateTable{Name: p.name()}
	p.expectOp("(")
	for {
		switch {
		case p.isWord("CONSTRAINT"), p.isWord("PRIMARY"), p.isWord("UNIQUE"), p.isWord("INDEX"), p.isWord("CHECK"), p.isWord("FOREIGN"):
			s.Keys = append(s.Keys, p.keyDef())
		default:
			c, keys := p.columnDef()
			s.Columns = append(s.Columns, c)
			s.Keys = append(s.Keys, keys...)
		}
		if !p.op(",") {
			break
		}
		if p.isOp(")") { // a trailing comma is allowed
			break
		}
	}
	p.expectOp(")")
	p.storage()
	return s
}

// keyDef reads a table constraint or an index in a table's definition.
func (p *parser) keyDef() KeyDef {
	var k KeyDef
	if p.word("CONSTRAINT") {
		k.Name = p.ident()
	}
	switch {
	case p.word("PRIMARY", "KEY"):
		k.Primary, k.Unique = true, true
	case p.word("UNIQUE"):
		k.Unique = true
	case p.word("INDEX"):
		k.Index, k.Name = true, p.ident()
		k.Unique = p.word("UNIQUE")
	default:
		panic(NotKnown("the constraint " + p.cur().upper))
	}
	k.Clustered = p.clustered()
	k.Cols = p.keyCols()
	p.indexTail(&k)
	return k
}

// columnDef reads a column and the keys declared with it.
func (p *parser) columnDef() (ColumnDef, []KeyDef) {
	c := ColumnDef{Name: p.ident()}
	var keys []KeyDef
	if p.word("AS") {
		c.Computed = p.expr()
		p.word("PERSISTED")
		return c, nil
	}
	if p.isOp(",") || p.isOp(")") { // "timestamp" alone names a column and its type
		c.Type.Name = strings.ToLower(c.Name)
		return c, nil
	}
	c.Type = p.typeName()
	for {
		name := ""
		if p.word("CONSTRAINT") {
			name = p.ident()
		}
		switch {
		case p.isWord("NULL"), p.isWord("NOT", "NULL"):
			c.Nullable = p.nullability()
		case p.word("IDENTITY"):
			c.Identity, c.Seed, c.Inc = true, 1, 1
			if p.op("(") {
				c.Seed = p.integer()
				p.expectOp(",")
				c.Inc = p.integer()
				p.expectOp(")")
			}
		case p.word("COLLATE"):
			c.Collation = p.ident()
		case p.word("DEFAULT"):
			c.Default = p.unary()
		case p.word("PRIMARY", "KEY"):
			k := KeyDef{Name: name, Primary: true, Unique: true, Clustered: p.clustered()}
			k.Cols = p.columnKey(c.Name)
			keys = append(keys, k)
		case p.word("UNIQUE"):
			k := KeyDef{Name: name, Unique: true, Clustered: p.clustered()}
			k.Cols = p.columnKey(c.Name)
			keys = append(keys, k)
		case p.word("ROWGUIDCOL"), p.word("SPARSE"):
		case p.isWord("CHECK"), p.isWord("REFERENCES"), p.isWord("FOREIGN"):
			panic(NotKnown("the constraint " + p.cur().upper))
		default:
			if name != "" {
				p.fail()
			}
			return c, keys
		}
	}
}

func (p *parser) columnKey(col string) []KeyCol {
	if p.isOp("(") {
		return p.keyCols()
	}
	return []KeyCol{{Name: col}}
}

func (p *parser) drop() Stmt {
	p.expect("DROP")
	d := &Drop{Kind: p.oneOf("TABLE", "INDEX", "SCHEMA", "TYPE")}
	if d.Kind == "" {
		panic(NotKnown("DROP " + p.cur().upper))
	}
	d.IfExists = p.word("IF", "EXISTS")
	if d.Kind == "INDEX" {
		d.Index = p.ident()
		p.expect("ON")
		d.Names = []Name{p.name()}
		return d
	}
	d.Names = append(d.Names, p.name())
	for p.op(",") {
		d.Names = append(d.Names, p.name())
	}
	return d
}

func (p *parser) alter() Stmt {
	p.expect("ALTER")
	if !p.word("TABLE") {
		panic(NotKnown("ALTER " + p.cur().upper))
	}
	s := &AlterTable{Table: p.name()}
	switch {
	case p.word("ADD"):
		if p.isWord("CONSTRAINT") || p.isWord("PRIMARY") || p.isWord("UNIQUE") {
			k := p.keyDef()
			s.AddKey = &k
			return s
		}
		for {
			c, keys := p.columnDef()
			if len(keys) > 0 {
				panic(NotKnown("keys on columns added by ALTER TABLE"))
			}
			s.Add = append(s.Add, c)
			if !p.op(",") {
				return s
			}
		}
	case p.word("ALTER", "COLUMN"):
		c, _ := p.columnDef()
		s.Alter = &c
	case p.word("DROP", "COLUMN"):
		s.IfExists = p.word("IF", "EXISTS")
		s.DropCols = append(s.DropCols, p.ident())
		for p.op(",") {
			s.DropCols = append(s.DropCols, p.ident())
		}
	case p.word("DROP"):
		p.word("CONSTRAINT")
		s.IfExists = p.word("IF", "EXISTS")
		s.DropKey = p.ident()
	default:
		panic(NotKnown("ALTER TABLE " + p.cur().upper))
	}
	return s
}
