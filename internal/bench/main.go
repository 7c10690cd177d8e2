// Command bench measures Tidemark's shipped programs on one machine: the
// agent reads from a SQL Server stand-in, in a process of its own, and sends
// to the API over a private Postgres. What counts are the ratios within one
// run; the figures themselves are the machine's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
)

// options are what a run measures.
type options struct {
	rows, delta, more int
	runs              int
	only              []string
	keep              bool
}

// A part measures one thing.
type part struct {
	name string
	run  func(*bench, context.Context) error
}

// parts in the order that they run in.
var parts = []part{
	{"load", (*bench).load},
	{"memory", (*bench).memory},
	{"idle", (*bench).idle},
	{"version", (*bench).version},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch args := os.Args[1:]; {
	case len(args) > 0 && args[0] == roleSource:
		err = serveSource(ctx, os.Stdin, os.Stdout)
	case len(args) > 2 && args[0] == roleDrain:
		err = serveDrain(ctx, args[1], args[2], os.Stdout)
	case len(args) > 2 && args[0] == roleKeys:
		err = serveKeys(ctx, args[1], args[2], os.Stdout)
	case len(args) > 0 && args[0] == "diff":
		err = measureDiff(ctx, args[1:])
	default:
		err = measure(ctx, args)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if len(o.only) > 0 && !slices.Contains(o.only, p.name) {
			continue
		}
		if err := p.run(b, ctx); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", p.name, err), b.close())
		}
	}
	b.report.print(os.Stdout)
	return b.close()
}

func parse(args []string) (options, error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	o := options{}
	f.IntVar(&o.rows, "rows", 1_000_000, "rows of the first load")
	f.IntVar(&o.delta, "delta", 100_000, "rows of the delta")
	f.IntVar(&o.more, "more", 5_000_000, "rows of the large table, for the agent's memory")
	f.IntVar(&o.runs, "runs", 3, "runs of load and delta, of which the median counts")
	quick := f.Bool("quick", false, "a tenth of the rows, once")
	only := f.String("only", "", "parts to run, with commas between: load, memory, idle, version")
	f.BoolVar(&o.keep, "keep", false, "keep the directory of the run, with the built programs")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if *quick {
		o.rows, o.delta, o.more, o.runs = o.rows/10, o.delta/10, o.more/10, 1
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	for _, name := range o.only {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return o, fmt.Errorf("there is no part %q", name)
		}
	}
	if o.rows <= 0 || o.more <= 0 || o.runs <= 0 || o.delta <= 0 || o.delta > o.rows {
		return o, errors.New("-rows, -delta, -more and -runs are over 0, and -delta is at most -rows")
	}
	return o, nil
}
