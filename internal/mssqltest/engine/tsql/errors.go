package tsql

import "fmt"

// Numbers of the errors that parsing gives, as in SQL Server's sys.messages.
// NotKnown is the number under which Azure SQL reports statements that it
// does not support; the stand-in uses it for all that it has not learned.
const (
	NumSyntax        = 102
	NumSyntaxKeyword = 156
	NumUnclosed      = 105
	NumNotKnown      = 40515
)

// An Error refuses a batch before any of it runs.
type Error struct {
	Number  int32
	Message string
}

func (e *Error) Error() string { return e.Message }

// NotKnown is the refusal of something that SQL Server may know and the
// stand-in does not.
func NotKnown(what string) *Error {
	return &Error{NumNotKnown, fmt.Sprintf("The SQL Server stand-in does not know %s.", what)}
}

func syntax(t token) *Error {
	switch {
	case t.kind == tokEOF:
		return &Error{NumSyntax, "Incorrect syntax near the end of the batch."}
	case t.kind == tokIdent && !t.quoted && reserved[t.upper]:
		return &Error{NumSyntaxKeyword, fmt.Sprintf("Incorrect syntax near the keyword '%s'.", t.text)}
	}
	return &Error{NumSyntax, fmt.Sprintf("Incorrect syntax near '%s'.", t.text)}
}
