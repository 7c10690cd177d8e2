package tsql

// An Expr is a scalar expression.
type Expr interface{ expr() }

// LiteralKind is the form in which a constant was written.
type LiteralKind uint8

// The forms of constants.
const (
	Null    LiteralKind = iota
	Int                 // 12
	Decimal             // 1.5
	Float               // 1.5e3
	String              // 'x'
	NString             // N'x'
	Binary              // 0x12, its digits in Text
)

type (
	// A Literal is a constant; Text has neither quotes nor prefix.
	Literal struct {
		Kind LiteralKind
		Text string
	}
	// A ColumnRef names a column, with up to two qualifiers before it.
	ColumnRef struct{ Parts []string }
	// A Var is a variable or parameter, with its @.
	Var struct{ Name string }
	// A Global is a system variable in upper case, with its @@.
	Global struct{ Name string }
	// A Unary is -x, +x or ~x.
	Unary struct {
		Op string
		X  Expr
	}
	// An Arith is an arithmetic or bit operation.
	Arith struct {
		Op   string
		L, R Expr
	}
	// A Call is a function; Name is upper case, with sys. kept in front.
	Call struct {
		Name     string
		Args     []Expr
		Star     bool    // COUNT(*)
		Distinct bool    // COUNT(DISTINCT x)
		Over     []Order // ROW_NUMBER() OVER (ORDER BY ...); nil for none
	}
	// A Cast is CAST, CONVERT and their TRY_ forms.
	Cast struct {
		X     Expr
		To    TypeName
		Style Expr // nil for none
		Try   bool
	}
	// A Case is CASE in both of its forms; Operand is nil in the searched one.
	Case struct {
		Operand Expr
		Whens   []When
		Else    Expr // nil for none
	}
	// A When is one branch of a Case: On in the searched form, Value in the simple.
	When struct {
		On    Cond
		Value Expr
		Then  Expr
	}
	// A Subquery is a query in parentheses that gives one value.
	Subquery struct{ Query *Query }
	// A Collate is x COLLATE name.
	Collate struct {
		X    Expr
		Name string
	}
)

func (*Literal) expr()   {}
func (*ColumnRef) expr() {}
func (*Var) expr()       {}
func (*Global) expr()    {}
func (*Unary) expr()     {}
func (*Arith) expr()     {}
func (*Call) expr()      {}
func (*Cast) expr()      {}
func (*Case) expr()      {}
func (*Subquery) expr()  {}
func (*Collate) expr()   {}

// A Cond is a predicate: true, false or unknown.
type Cond interface{ cond() }

type (
	// An And is true where all its parts are.
	And struct{ Parts []Cond }
	// An Or is true where any of its parts is.
	Or struct{ Parts []Cond }
	// A Not turns true and false around.
	Not struct{ X Cond }
	// A Compare has one of the operators = <> < <= > >=.
	Compare struct {
		Op   string
		L, R Expr
	}
	// An IsNull is x IS [NOT] NULL.
	IsNull struct {
		X   Expr
		Not bool
	}
	// An In is x [NOT] IN (list or query).
	In struct {
		X     Expr
		List  []Expr
		Query *Query
		Not   bool
	}
	// A Like is x [NOT] LIKE pattern [ESCAPE e].
	Like struct {
		X, Pattern, Escape Expr
		Not                bool
	}
	// An Exists is EXISTS (query).
	Exists struct{ Query *Query }
)

func (*And) cond()     {}
func (*Or) cond()      {}
func (*Not) cond()     {}
func (*Compare) cond() {}
func (*IsNull) cond()  {}
func (*In) cond()      {}
func (*Like) cond()    {}
func (*Exists) cond()  {}

// A Name is the name of an object; Schema and Database may be empty.
type Name struct{ Database, Schema, Object string }

// A TypeName is a data type as written.
type TypeName struct {
	Schema string // of an alias type, may be empty
	Name   string // lower case
	Args   []int
	Max    bool
}
