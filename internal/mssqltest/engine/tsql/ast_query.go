package tsql

type (
	// A Query is one or several SELECTs joined by UNION ALL.
	Query struct {
		Selects []*Select
		OrderBy []Order
		Offset  Expr // nil for none
		Fetch   Expr // nil for none
		Options []string
	}
	// A Select is one SELECT.
	Select struct {
		Distinct bool
		Top      Expr // nil for none
		Items    []Item
		Into     *Name
		From     []TableRef // separated by commas
		Where    Cond
		GroupBy  []Expr
		Having   Cond
	}
	// An Item is one entry of a select list.
	Item struct {
		Star   bool     // * or Parts.*
		Parts  []string // qualifier of a star
		Expr   Expr
		Alias  string
		Assign string // the variable in SELECT @x = ...
	}
	// An Order is one entry of ORDER BY.
	Order struct {
		Expr Expr
		Desc bool
	}
)

// A TableRef is a source of rows in FROM.
type TableRef interface{ tableRef() }

type (
	// A Table is a table or catalog view.
	Table struct {
		Name  Name
		Alias string
		Hints Hints
	}
	// Hints are the table hints that influence the stand-in; others that it
	// accepts have no effect on results.
	Hints struct {
		Index    string // empty for none
		IndexID  int    // -1 for none
		Seek     bool   // FORCESEEK
		Locking  bool   // READCOMMITTEDLOCK
		ReadPast bool
	}
	// A TableFunc is a function that gives rows.
	TableFunc struct {
		Name  Name
		Args  []Expr
		Alias string
	}
	// A Derived is a query in parentheses.
	Derived struct {
		Query *Query
		Alias string
		Cols  []string
	}
	// A Values is (VALUES (...), ...) AS alias(columns).
	Values struct {
		Rows  [][]Expr
		Alias string
		Cols  []string
	}
	// A Join is an inner join (On nil for CROSS JOIN) or a left outer join.
	Join struct {
		L, R TableRef
		Left bool
		On   Cond
	}
)

func (*Table) tableRef()     {}
func (*TableFunc) tableRef() {}
func (*Derived) tableRef()   {}
func (*Values) tableRef()    {}
func (*Join) tableRef()      {}
