// Package command runs the command line of a program: signals, errors for
// people, exit codes.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"tidemark/internal/fault"
)

// The exit codes that mean the same in every program. Other programs rely on
// them: a meaning is never given to another number.
const (
	OK          = 0
	Wrong       = 1
	Usage       = 2
	Config      = 3
	Interrupted = 130
)

// A Code is an exit code and what it means.
type Code struct {
	Code    int
	Meaning string
}

// A UsageError is a command line that is not understood.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// A ConfigError is a setting that nothing can be started with.
type ConfigError struct{ Err error }

func (e *ConfigError) Error() string { return e.Err.Error() }
func (e *ConfigError) Unwrap() error { return e.Err }

// A Program is a command line.
type Program struct {
	Name  string
	Codes []Code // documented as the help topic exit-codes
	// Code is the exit code of an error that is the program's own; 0: not one
	// of those.
	Code func(error) int
}

// Run runs one command line and returns the exit code. SIGINT and SIGTERM end
// the context; a second one ends the program at once.
func (p Program) Run(root *cobra.Command, args []string, in io.Reader, out, errOut io.Writer) int {
	begun := false
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentPreRun = func(*cobra.Command, []string) { begun = true }
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	err := root.ExecuteContext(ctx)
	if err != nil && !begun {
		err = &UsageError{fault.New("read the command line", err,
			fmt.Sprintf("`%s --help` lists the commands, `%s COMMAND --help` what one takes", p.Name, p.Name))}
	}
	if err != nil {
		PrintError(errOut, p.Name, err)
	}
	return p.ExitCode(err)
}

// ExitCode is the number that an error ends the program with.
func (p Program) ExitCode(err error) int {
	switch {
	case err == nil:
		return OK
	case errors.As(err, new(*UsageError)):
		return Usage
	case errors.As(err, new(*ConfigError)):
		return Config
	case errors.Is(err, context.Canceled): // whatever else came of it
		return Interrupted
	}
	if p.Code != nil {
		if code := p.Code(err); code != 0 {
			return code
		}
	}
	return Wrong
}

// NeedsOneOf is the error of a command that only groups others.
func NeedsOneOf(c *cobra.Command) error {
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return &UsageError{fault.New("read the command line", fmt.Errorf("%s needs one of %s", c.Name(), strings.Join(names, ", ")),
		fmt.Sprintf("`%s --help` tells more", c.CommandPath()))}
}

// Topic is a command without a run, which makes it a help topic.
func (p Program) Topic() *cobra.Command {
	var b strings.Builder
	b.WriteString("Every command ends with one of these numbers:\n\n")
	for _, c := range p.Codes {
		fmt.Fprintf(&b, "%5d  %s\n", c.Code, c.Meaning)
	}
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: strings.TrimRight(b.String(), "\n")}
}

// PrintError tells a person: what was being done, what went wrong, what to do.
func PrintError(w io.Writer, program string, err error) {
	fmt.Fprintf(w, "%s: %s\n", program, err)
	if hint := fault.Hint(err); hint != "" {
		fmt.Fprintf(w, "  hint: %s\n", strings.ReplaceAll(hint, "\n", "\n        "))
	}
}
