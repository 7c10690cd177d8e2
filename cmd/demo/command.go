package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tidemark/internal/fault"
)

// The exit codes.
const (
	exitEqual = 0
	exitWrong = 1 // the sides differ, or something failed
	exitUsage = 2
)

// maxRate is what the writer does in rows a second without being in a hurry.
const maxRate = 500

// errDiffer has been told already: the proof is printed.
var errDiffer = errors.New("the two sides differ")

type options struct {
	length time.Duration // 0: until a signal
	rate   int           // rows changed a second
	seed   uint64
	plain  bool
	keep   string // folder; "" is a temporary one
}

// hooks are for tests.
type hooks struct {
	// stopped runs when the agent has stopped, before the proof.
	stopped func(context.Context, *site) error
}

// run runs the demo and returns its exit code.
func run(args []string, out, errOut io.Writer, h hooks) int {
	begun := false
	c := newCommand(func(ctx context.Context, o options) error {
		begun = true
		return show(ctx, o, out, h)
	})
	c.SetArgs(args)
	c.SetOut(out)
	c.SetErr(errOut)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)() // a second signal ends the program at once
	err := c.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitEqual
	case errors.Is(err, errDiffer):
		return exitWrong
	case !begun:
		fmt.Fprintf(errOut, "demo: %s\n  hint: `go run ./cmd/demo --help` tells what there is\n", err)
		return exitUsage
	}
	fmt.Fprintf(errOut, "demo: %s\n", err)
	if hint := fault.Hint(err); hint != "" {
		fmt.Fprintf(errOut, "  hint: %s\n", hint)
	}
	return exitWrong
}

func newCommand(show func(context.Context, options) error) *cobra.Command {
	o := options{rate: 20}
	var b strings.Builder
	for _, t := range tables {
		fmt.Fprintf(&b, "  %-10s %s\n", t.name, t.what)
	}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Watch rows change in a database and arrive in the cloud",
		Long: `Watch rows change in a database and arrive in the cloud. Everything runs in
this one process and nothing outside of it is touched: a SQL Server stand-in, a
writer that changes its rows, the agent, and the cloud API over a SQLite file.

The tables are:

` + b.String() + `
LAG is how long the oldest change that was committed has waited for a cycle of
the agent to cover it. A transaction that stays open holds the ceiling: what
was committed above it waits, so that nothing of that transaction is missed.

At the end the writer stops, the agent catches up, and every row of both sides
is read and compared. The exit code is 0 when they are equal, else 1.`,
		Example: `  go run ./cmd/demo            until Ctrl-C
  go run ./cmd/demo --for 20s`,
		Args:         cobra.NoArgs,
		SilenceUsage: true, SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	f := c.Flags()
	f.DurationVar(&o.length, "for", 0, "let the writer run for this long (default: until Ctrl-C)")
	f.IntVar(&o.rate, "rate", o.rate, fmt.Sprintf("rows that the writer changes each second, 1 to %d", maxRate))
	f.Uint64Var(&o.seed, "seed", 0, "what the writer does; the same number does the same, as far as timing allows (default: random)")
	f.BoolVar(&o.plain, "plain", false, "lines of text, also in a terminal")
	f.StringVar(&o.keep, "keep", "", "keep state, logs and the cloud's SQLite file in this new or empty `folder`")
	f.SortFlags = false
	c.PreRunE = func(*cobra.Command, []string) error { return o.check() }
	c.RunE = func(c *cobra.Command, _ []string) error { return show(c.Context(), o) }
	return c
}

func (o options) check() error {
	switch {
	case o.length < 0:
		return fmt.Errorf("--for %s is before its beginning", o.length)
	case o.rate < 1 || o.rate > maxRate:
		return fmt.Errorf("--rate %d is not from 1 to %d", o.rate, maxRate)
	}
	return nil
}
