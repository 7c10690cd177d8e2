// Package fault holds the error that people read: what was being done, what
// went wrong, and what to do about it.
package fault

import "errors"

// An Error carries an operation, its cause and a hint for the person who
// reads it. It is found with errors.As; its cause with errors.Is.
type Error struct {
	Op   string // what was being done: "connect to source main"
	Err  error  // the cause, never nil
	Hint string // what the reader can do; may be empty
}

// New returns an *Error. It returns nil when err is nil.
func New(op string, err error, hint string) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Err: err, Hint: hint}
}

// Error gives operation and cause. The hint is shown by whoever prints the
// error for a person: see Hint.
func (e *Error) Error() string { return e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint returns the hint nearest to the cause in err's chain, because the
// innermost knows most; "" when there is none.
func Hint(err error) string {
	hint := ""
	for {
		var f *Error
		if !errors.As(err, &f) {
			return hint
		}
		if f.Hint != "" {
			hint = f.Hint
		}
		err = f.Err
	}
}
