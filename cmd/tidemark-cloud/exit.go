package main

import (
	"errors"

	"tidemark/cloud"
	"tidemark/cloud/rollout"
	"tidemark/internal/command"
)

// The exit codes that not every program has.
const (
	exitUnreachable = 4
	exitNotFound    = 6
	exitNotNow      = 7
)

// program has its exit codes in docs/exit-codes.md, too.
var program = command.Program{Name: "tidemark-cloud", Code: ownCode, Codes: []command.Code{
	{Code: command.OK, Meaning: "what was asked for is done; serve: ended as asked, with all requests answered"},
	{Code: command.Wrong, Meaning: "what was asked for failed"},
	{Code: command.Usage, Meaning: "the command line is not understood; nothing was done"},
	{Code: command.Config, Meaning: "a setting is wrong (store, address, certificate, limit); nothing was started"},
	{Code: exitUnreachable, Meaning: "the store cannot be reached, or is not available now"},
	{Code: exitNotFound, Meaning: "there is no such customer, operator, table, group or rollout"},
	{Code: exitNotNow, Meaning: "not now: it exists or is so already, was changed by somebody else meanwhile, or was not confirmed"},
	{Code: command.Interrupted, Meaning: "interrupted (Ctrl-C); serve ends with 0 then"},
}}

// errNo is the answer to a question that a person has to answer with yes.
var errNo = errors.New("not confirmed")

// ownCode is the exit code of an error that this program alone knows.
func ownCode(err error) int {
	switch {
	case errors.Is(err, cloud.ErrUnavailable):
		return exitUnreachable
	case errors.Is(err, cloud.ErrWhy), errors.Is(err, cloud.ErrUnseen), errors.Is(err, cloud.ErrBound):
		return command.Usage
	case errors.Is(err, errNoCustomer), errors.Is(err, errNoTable), errors.Is(err, errNoOperator), errors.Is(err, cloud.ErrUnknown):
		return exitNotFound
	case errors.Is(err, cloud.ErrExists), errors.Is(err, errOperatorThere), errors.Is(err, errNo), errors.Is(err, cloud.ErrChanged), errors.Is(err, cloud.ErrSame),
		errors.Is(err, cloud.ErrTaken), errors.Is(err, rollout.ErrState):
		return exitNotNow
	}
	return 0
}
