package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"tidemark/agent"
	"tidemark/agent/config"
	"tidemark/agent/control"
	"tidemark/agent/state"
	"tidemark/internal/fault"
)

// The exit codes. They are part of what other programs rely on: a meaning is
// never given to another number. docs/exit-codes.md is this table.
const (
	exitOK          = 0
	exitWrong       = 1
	exitUsage       = 2
	exitConfig      = 3
	exitUnreachable = 4
	exitRefused     = 5
	exitNoTable     = 6
	exitNotNow      = 7
	exitInterrupted = 130
)

var exitCodes = []struct {
	code    int
	meaning string
}{
	{exitOK, "all is well; what was asked for is done"},
	{exitWrong, "something is wrong: a problem that status, once or doctor found, or what was asked for failed"},
	{exitUsage, "the command line is not understood; nothing was done"},
	{exitConfig, "the configuration cannot be read or has mistakes; nothing was started"},
	{exitUnreachable, "the service is not running, or does not answer"},
	{exitRefused, "this user may not do that"},
	{exitNoTable, "there is no such table in the configuration, or several have the name"},
	{exitNotNow, "not now: the table is busy or paused, another agent has the state, or nothing waits for what was asked"},
	{exitInterrupted, "interrupted (Ctrl-C)"},
}

// shown is an error that the command has printed already, in its own way.
type shown struct{ error }

func (e shown) Unwrap() error { return e.error }

var (
	errUnwell  = shown{errors.New("something is wrong")}
	errNotLive = shown{control.ErrNotRunning}
)

// usageError is a command line that is not understood.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

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
	var problems config.Problems
	var unreadable configError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &problems), errors.As(err, &unreadable):
		return exitConfig
	case errors.Is(err, control.ErrNotRunning):
		return exitUnreachable
	case errors.Is(err, control.ErrRefused), errors.Is(err, fs.ErrPermission):
		return exitRefused
	case errors.Is(err, agent.ErrNoTable), errors.Is(err, agent.ErrAmbiguous):
		return exitNoTable
	case errors.Is(err, agent.ErrBusy), errors.Is(err, agent.ErrPaused), errors.Is(err, agent.ErrNoApproval), errors.Is(err, state.ErrInUse):
		return exitNotNow
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitWrong
}

// printError tells a person: what was being done, what went wrong, what to do.
func printError(w io.Writer, err error) {
	var problems config.Problems
	switch {
	case errors.As(err, new(shown)):
		return
	case errors.As(err, &problems):
		_, _ = fmt.Fprintln(w, problems.Error())
		return
	}
	_, _ = fmt.Fprintf(w, "tidemark: %s\n", err)
	if hint := fault.Hint(err); hint != "" {
		_, _ = fmt.Fprintf(w, "  hint: %s\n", strings.ReplaceAll(hint, "\n", "\n        "))
	}
}
