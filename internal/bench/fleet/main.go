package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

// options are what a run measures.
type options struct {
	customers int
	workers   int
	seed      uint64
	only      string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	var o options
	f := flag.NewFlagSet("fleet", flag.ContinueOnError)
	f.IntVar(&o.customers, "customers", 2000, "customers of the fleet")
	f.IntVar(&o.workers, "workers", 12, "customers that are busy at the same time")
	f.Uint64Var(&o.seed, "seed", 1, "of the workload")
	f.StringVar(&o.only, "only", "", "one part: uploads, pace or fleet")
	quick := f.Bool("quick", false, "100 customers")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *quick {
		o.customers = 100
	}
	if o.only != "" && o.only != "uploads" && o.only != "pace" && o.only != "fleet" {
		return errors.New("-only is uploads, pace or fleet")
	}
	if o.customers < 1 || o.customers > 10_000 || o.workers < 1 {
		return errors.New("-customers is 1 to 10,000, and -workers over 0")
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close(ctx)) }()
	return b.run(ctx)
}

// note tells on standard error what takes a while.
func note(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "fleet: "+format+"\n", args...)
}
