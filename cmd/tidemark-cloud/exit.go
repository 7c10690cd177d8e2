package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/cloud/rollout"
	"tidemark/internal/fault"
)

// The exit codes. They are part of what other programs rely on: a meaning is
// never given to another number, nor to another than in tidemark.
// docs/exit-codes.md is this table.
const (
	exitOK          = 0
	exitWrong       = 1
	exitUsage       = 2
	exitConfig      = 3
	exitUnreachable = 4
	exitNotFound    = 6
	exitNotNow      = 7
	exitInterrupted = 130
)

var exitCodes = []struct {
	code    int
	meaning string
}{
	{exitOK, "what was asked for is done; serve: ended as asked, with all requests answered"},
	{exitWrong, "what was asked for failed"},
	{exitUsage, "the command line is not understood; nothing was done"},
	{exitConfig, "a setting is wrong (store, address, certificate, limit); nothing was started"},
	{exitUnreachable, "the store cannot be reached, or is not available now"},
	{exitNotFound, "there is no such customer, operator, table, group or rollout"},
	{exitNotNow, "not now: it exists or is so already, was changed by somebody else meanwhile, or was not confirmed"},
	{exitInterrupted, "interrupted (Ctrl-C); serve ends with 0 then"},
}

// usageError is a command line that is not understood.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// configError is a setting that nothing can be started with.
type configError struct{ error }

func (e configError) Unwrap() error { return e.error }

// errNo is the answer to a question that a person has to answer with yes.
var errNo = errors.New("not confirmed")

// needsOneOf is the error of a command that only groups others.
func needsOneOf(c *cobra.Command) error {
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return usageError{fault.New("read the command line", fmt.Errorf("%s needs one of %s", c.Name(), strings.Join(names, ", ")),
		fmt.Sprintf("`%s --help` tells more", c.CommandPath()))}
}

// exitCode is the number that an error ends the program with.
func exitCode(err error) int {
	var usage usageError
	var config configError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &config):
		return exitConfig
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, cloud.ErrUnavailable):
		return exitUnreachable
	case errors.Is(err, cloud.ErrWhy):
		return exitUsage
	case errors.Is(err, errNoCustomer), errors.Is(err, errNoTable), errors.Is(err, errNoOperator), errors.Is(err, cloud.ErrUnknown):
		return exitNotFound
	case errors.Is(err, cloud.ErrExists), errors.Is(err, errOperatorThere), errors.Is(err, errNo), errors.Is(err, cloud.ErrChanged), errors.Is(err, cloud.ErrSame),
		errors.Is(err, cloud.ErrTaken), errors.Is(err, rollout.ErrState):
		return exitNotNow
	}
	return exitWrong
}

// printError tells a person: what was being done, what went wrong, what to do.
func printError(w io.Writer, err error) {
	_, _ = fmt.Fprintf(w, "tidemark-cloud: %s\n", err)
	if hint := fault.Hint(err); hint != "" {
		_, _ = fmt.Fprintf(w, "  hint: %s\n", strings.ReplaceAll(hint, "\n", "\n        "))
	}
}
