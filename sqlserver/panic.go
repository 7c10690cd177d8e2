package sqlserver

import "fmt"

// panicked makes an error of a panic over an answer. The driver trusts what
// comes from the network more than it should, and what reads its rows trusts
// that they have the columns that were asked for: an answer of any bytes is to
// cost one connection, not the agent.
func panicked(err *error) {
	if r := recover(); r != nil {
		*err = &brokenError{fmt.Errorf("the server's answer is not one to what was asked: %v", r)}
	}
}
