package cloud

import (
	"fmt"
	"strings"
)

// A Scope says whom a policy is for: the fleet, a group or a customer.
type Scope string

// Fleet is the scope of all customers.
const Fleet Scope = ""

// OfGroup is the scope of a group of customers.
func OfGroup(name string) Scope { return Scope("group:" + name) }

// OfCustomer is the scope of one customer.
func OfCustomer(id string) Scope { return Scope("customer:" + id) }

// split returns what a scope is of, and its name.
func (s Scope) split() (of, name string) {
	of, name, _ = strings.Cut(string(s), ":")
	return of, name
}

// String is the scope for people.
func (s Scope) String() string {
	if of, name := s.split(); of != "" {
		return of + " " + name
	}
	return "the fleet"
}

// CheckName reports what is wrong with the name of a group or a rollout, or
// nil: it is made like a customer's ID.
func CheckName(what, name string) error {
	if CheckCustomer(name) != nil {
		return fmt.Errorf("%s %q: a name is 1 to 63 of a-z, 0-9, '.', '_' and '-', and begins with a letter or a digit", what, name)
	}
	return nil
}
