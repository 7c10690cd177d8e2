package tsql

// A Stmt is a statement.
type Stmt interface{ stmt() }

type (
	// A SelectStmt is a query on its own.
	SelectStmt struct{ Query *Query }
	// A Declare makes variables.
	Declare struct{ Vars []VarDecl }
	// A VarDecl is one variable of a Declare; Init is nil for none.
	VarDecl struct {
		Name string
		Type TypeName
		Init Expr
	}
	// A SetVar is SET @x = e.
	SetVar struct {
		Name string
		X    Expr
	}
	// A SetOption is any other SET. Name is upper case; Value is upper case
	// for words, with a leading sign kept for numbers.
	SetOption struct {
		Names []string
		Value string
		Var   string // the variable of SET LOCK_TIMEOUT-like options, if any
		Table *Name  // IDENTITY_INSERT
	}
	// An If runs Then or Else (nil for none).
	If struct {
		Cond       Cond
		Then, Else Stmt
	}
	// A Block is BEGIN ... END.
	Block struct{ Body []Stmt }
	// A WaitFor is WAITFOR DELAY.
	WaitFor struct{ Delay Expr }
	// A Print is PRINT.
	Print struct{ X Expr }
	// A Return ends the batch.
	Return struct{}
	// A BeginTran is BEGIN TRANSACTION.
	BeginTran struct{}
	// A Commit is COMMIT.
	Commit struct{}
	// A Rollback is ROLLBACK.
	Rollback struct{}
	// An Exec is EXEC name arguments.
	Exec struct {
		Proc Name
		Args []ExecArg
	}
	// An ExecArg is one argument of an Exec; Name is empty when positional.
	ExecArg struct {
		Name string
		X    Expr
	}
)

func (*SelectStmt) stmt() {}
func (*Declare) stmt()    {}
func (*SetVar) stmt()     {}
func (*SetOption) stmt()  {}
func (*If) stmt()         {}
func (*Block) stmt()      {}
func (*WaitFor) stmt()    {}
func (*Print) stmt()      {}
func (*Return) stmt()     {}
func (*BeginTran) stmt()  {}
func (*Commit) stmt()     {}
func (*Rollback) stmt()   {}
func (*Exec) stmt()       {}

type (
	// An Insert has Rows, a Query, or neither (DEFAULT VALUES).
	Insert struct {
		Table Name
		Cols  []string // nil for all
		Rows  [][]Expr // a nil entry is DEFAULT
		Query *Query
	}
	// An Update changes the rows of one table.
	Update struct {
		Table  Name
		Top    Expr
		Set    []Assignment
		Where  Cond
		Option []string
	}
	// An Assignment is column = value in an Update.
	Assignment struct {
		Column string
		X      Expr
	}
	// A Delete removes rows of one table.
	Delete struct {
		Table Name
		Top   Expr
		Where Cond
	}
	// A Truncate is TRUNCATE TABLE.
	Truncate struct{ Table Name }
)

func (*Insert) stmt()   {}
func (*Update) stmt()   {}
func (*Delete) stmt()   {}
func (*Truncate) stmt() {}

type (
	// A CreateTable is CREATE TABLE.
	CreateTable struct {
		Name    Name
		Columns []ColumnDef
		Keys    []KeyDef
	}
	// A ColumnDef is one column. Nullable is nil where nothing was said.
	ColumnDef struct {
		Name      string
		Type      TypeName
		Nullable  *bool
		Identity  bool
		Seed, Inc int64
		Collation string
		Default   Expr // nil for none
		Computed  Expr // nil for none
	}
	// A KeyDef is a PRIMARY KEY, UNIQUE constraint or index.
	KeyDef struct {
		Name      string
		Primary   bool
		Unique    bool
		Index     bool // made by CREATE INDEX or INDEX, not a constraint
		Clustered *bool
		Cols      []KeyCol
		Include   []string
		Where     Cond // filtered index
	}
	// A KeyCol is one column of a key.
	KeyCol struct {
		Name string
		Desc bool
	}
	// A CreateIndex is CREATE INDEX.
	CreateIndex struct {
		Table Name
		Key   KeyDef
	}
	// A CreateSchema is CREATE SCHEMA.
	CreateSchema struct{ Name string }
	// A CreateType makes an alias type.
	CreateType struct {
		Name     Name
		Base     TypeName
		Nullable *bool
	}
	// A Drop is DROP TABLE, INDEX, SCHEMA or TYPE.
	Drop struct {
		Kind     string // upper case
		Names    []Name
		Index    string // DROP INDEX x ON Names[0]
		IfExists bool
	}
	// An AlterTable has exactly one of its actions set.
	AlterTable struct {
		Table    Name
		Add      []ColumnDef
		AddKey   *KeyDef
		Alter    *ColumnDef
		DropCols []string
		DropKey  string
		IfExists bool
	}
)

func (*CreateTable) stmt()  {}
func (*CreateIndex) stmt()  {}
func (*CreateSchema) stmt() {}
func (*CreateType) stmt()   {}
func (*Drop) stmt()         {}
func (*AlterTable) stmt()   {}
