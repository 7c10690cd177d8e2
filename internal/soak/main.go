//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type options struct {
	length time.Duration // of faults and load
	seed   uint64
	short  bool // few faults, and none that need a right
	scale  float64
	keep   bool // the folder with the logs, also of a run without findings
}

// tables are those that are synced: the short form leaves out the one that is
// compared on a schedule of minutes.
func (o options) tables() []table {
	if o.short {
		return tables[:len(tables)-1]
	}
	return tables
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == roleSource {
		if err := serveSource(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "source:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.DurationVar(&o.length, "for", 15*time.Minute, "how long there are load and faults, but for the short form")
	flag.Uint64Var(&o.seed, "seed", 0, "what is broken when, and what is written, as far as timing allows (default: the clock)")
	flag.BoolVar(&o.short, "short", false, "a minute, with few faults: for CI")
	flag.BoolVar(&o.keep, "keep", false, "keep the folder with the logs")
	flag.Parse()
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano())
	}
	o.scale = 1
	if o.short {
		o.scale = 0.1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// What hangs ends with a word about it: the source's process ends with ctx,
	// too, and with it whoever waits for its answer.
	ctx, cancel := context.WithTimeout(ctx, o.length+4*patience)
	defer cancel()
	err := run(ctx, o, os.Stdout)
	switch {
	case errors.Is(err, errFound):
		fmt.Fprintln(os.Stderr, "FAIL: see above")
	case err != nil:
		fmt.Fprintln(os.Stderr, "FAIL:", err)
	default:
		fmt.Println("PASS")
		return
	}
	os.Exit(1) //nolint:gocritic // what is deferred has nothing left to do
}
