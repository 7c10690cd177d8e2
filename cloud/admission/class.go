package admission

import (
	"fmt"
	"time"
)

// A Class is work of one kind, the most important first.
type Class int

// The classes, in the order in which they are let in. What is refused first is
// the last.
const (
	Change  Class = iota // batches of changes and deletes
	Read                 // versions, schemas, policies
	Load                 // batches of first loads, registrations, drops
	Diff                 // comparisons
	Classes              // their number
)

var classNames = [Classes]string{"change", "read", "load", "diff"}

func (c Class) String() string {
	if c < 0 || c >= Classes {
		return fmt.Sprintf("Class(%d)", int(c))
	}
	return classNames[c]
}

// parts of the budget that a class may use, in tenths, rounded up.
var parts = [Classes]int{10, 9, 8, 5}

// Bounds of a class.
type Bounds struct {
	Least, Most int           // of the limit on what is inside at once; both at least 1
	First       int           // the limit to begin with; 0: Most
	Waiting     int           // for a turn, at most
	Quick       time.Duration // work that takes no longer is never a sign of overload
}

// Config is what a Control needs.
type Config struct {
	// Capacity is the budget that all classes share. It may change at any time
	// and is asked often. nil: the sum of what the classes may have at most.
	Capacity func() int
	Classes  [Classes]Bounds
	Patience time.Duration // to wait for a turn
}

// share is the part of a limit that one customer may have.
const share = 4

func shareOf(limit int) int { return max(1, (limit+share-1)/share) }
