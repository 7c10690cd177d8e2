package uploader

import (
	"errors"
	"fmt"

	"tidemark/internal/wire"
)

// Scope is what an error stops.
type Scope string

// The scopes.
const (
	Customer Scope = "customer"
	Table    Scope = "table"
)

// A Stop says that trying again cannot help before a person has done
// something. It is found with errors.As.
type Stop struct {
	Scope   Scope
	Table   string        // with scope Table
	Problem *wire.Problem // nil when the answer was no problem document, or the key could not be read
	Err     error         // the cause
}

// Error tells the cause.
func (s *Stop) Error() string { return s.Err.Error() }

// Unwrap returns the cause, which is Problem where there is one.
func (s *Stop) Unwrap() error { return s.Err }

// A Conflict says that the table is not as the caller believed: another
// sequence number, epoch, schema or writer. Problem.Version, where it is set,
// tells how it is. It is found with errors.As.
type Conflict struct {
	Problem *wire.Problem
}

// Error tells the problem.
func (c *Conflict) Error() string { return c.Problem.Error() }

// Unwrap returns the problem.
func (c *Conflict) Unwrap() error { return c.Problem }

// A TooLarge says that the body must be smaller: the cloud, or something in
// front of it, refuses its size, or the link cannot carry it in time.
type TooLarge struct {
	Bytes   int           // of the body as sent
	Problem *wire.Problem // with code wire.TooLarge, never nil
}

// Error tells the size.
func (t *TooLarge) Error() string {
	return fmt.Sprintf("a body of %d bytes is too large: %s", t.Bytes, t.Problem)
}

// Unwrap returns the problem.
func (t *TooLarge) Unwrap() error { return t.Problem }

var (
	errClosed   = errors.New("the client is closed")
	errStalled  = errors.New("the connection stands still")
	errDeadline = errors.New("no answer in time")
)
