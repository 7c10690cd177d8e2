package tds

import "context"

// A Handler answers what clients of the protocol server ask. The engine of
// the stand-in implements it; this package knows no SQL.
type Handler interface {
	// Login opens a session. A refusal is an *Error (18456 for a wrong user or
	// password, 4060 for a database that cannot be opened).
	Login(ctx context.Context, l Login) (Session, error)
}

// Login is what a client states about itself in LOGIN7 (MS-TDS 2.2.6.4).
type Login struct {
	User, Password string
	Database       string
	Host, App      string
	ReadOnlyIntent bool
	Encrypted      bool // the session runs in TLS
}

// A Session is one connection. Its methods are called one at a time; their
// context ends when the client sends an attention or the connection breaks.
type Session interface {
	// Batch runs T-SQL text. Params are those of sp_executesql, nil for a
	// plain batch. Rows and counts go to w as they come. An *Error becomes an
	// ERROR token; any other error closes the connection.
	Batch(ctx context.Context, sql string, params []Param, w Writer) error
	// Begin, Commit and Rollback are the transaction manager requests of
	// MS-TDS 2.2.6.9. Begin returns the transaction descriptor.
	Begin(ctx context.Context, level Isolation) (descriptor uint64, err error)
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
	// Transaction is the descriptor of the open transaction, 0 when none is
	// open; the protocol announces changes that a Batch made to it.
	Transaction() uint64
	// Reset restores the state after login (the RESETCONNECTION packet bit).
	Reset(ctx context.Context) error
	// Close ends the session and rolls back what is open.
	Close()
}

// Isolation is a transaction isolation level as numbered by MS-TDS 2.2.6.9.
type Isolation uint8

// The isolation levels. Unspecified keeps the session's own.
const (
	Unspecified Isolation = iota
	ReadUncommitted
	ReadCommitted
	RepeatableRead
	Serializable
	Snapshot
)

// A Param is one typed argument of sp_executesql. Name has its leading @.
type Param struct {
	Name  string
	Type  Type
	Value []byte // encoded as in a ROW token; see AppendValue
}

// A Column describes one column of a result set.
type Column struct {
	Name     string
	Type     Type
	Nullable bool
}

// A Writer takes the results of one batch, in order.
type Writer interface {
	// Columns begins a result set.
	Columns(cols []Column) error
	// Row adds a row: for every column its bytes as they stand in a ROW
	// token, length prefix included (see AppendValue). The slices may be
	// reused after the call.
	Row(values [][]byte) error
	// Done ends a statement. For a result set and for INSERT, UPDATE and
	// DELETE, count is the number of rows and counted is true.
	Done(count uint64, counted bool) error
	// Info sends an informational message (severity 10 or less).
	Info(e *Error) error
}

// An Error is a server error as clients see it (MS-TDS 2.2.7.10).
type Error struct {
	Number  int32
	State   uint8
	Class   uint8 // severity; 20 and above end the connection
	Message string
}

func (e *Error) Error() string { return e.Message }

// Kind is a SQL Server data type without its size.
type Kind uint8

// The data types that the stand-in speaks. Text, NText, Image and XML are
// sent as SQL Server sends them (MS-TDS 2.2.5.4), UDT is hierarchyid,
// geometry or geography by its Type.Name.
const (
	Bit Kind = iota + 1
	TinyInt
	SmallInt
	Int
	BigInt
	Real
	Float
	SmallMoney
	Money
	Decimal
	Date
	Time
	SmallDateTime
	DateTime
	DateTime2
	DateTimeOffset
	Char
	VarChar
	NChar
	NVarChar
	Binary
	VarBinary
	UniqueIdentifier
	Text
	NText
	Image
	XML
	UDT
	Variant
	RowVersion // BINARY(8) on the wire
)

// MaxLen is the Len of varchar(max), nvarchar(max) and varbinary(max).
const MaxLen = -1

// A Type is a data type with its size.
type Type struct {
	Kind  Kind
	Len   int    // declared length: characters for n(var)char, bytes for the other (var) types, MaxLen for max
	Prec  uint8  // decimal
	Scale uint8  // decimal, time, datetime2, datetimeoffset
	Name  string // UDT: its type name
}
