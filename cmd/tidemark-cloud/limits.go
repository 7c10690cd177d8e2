package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"tidemark/cloud"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// limitFlags bound what the server takes. Sizes are in MiB.
type limitFlags struct {
	body, decompressed, line, memory int
	rows                             int
	bodyTime, requestTime, patience  time.Duration
	read, write, load, diff          int
	connections, reserve             int
}

func (l *limitFlags) add(f *pflag.FlagSet) {
	d := cloud.DefaultLimits()
	f.IntVar(&l.body, "max-body", int(d.Body>>20), "MiB of a body as it is sent")
	f.IntVar(&l.decompressed, "max-decompressed", int(d.Decompressed>>20), "MiB of a body behind its compression")
	f.IntVar(&l.line, "max-row", d.Line>>20, "MiB of one row in its wire form")
	f.IntVar(&l.memory, "max-memory", int(d.Receiving>>20), "MiB for all bodies at once")
	f.IntVar(&l.rows, "max-rows", d.Rows, "rows of one body")
	f.DurationVar(&l.bodyTime, "body-time", d.BodyTime, "time to send a body")
	f.DurationVar(&l.requestTime, "request-time", d.RequestTime, "time for the work on a request")
	f.DurationVar(&l.patience, "patience", d.Patience, "time to wait for a turn before 503")
	f.IntVar(&l.write, "writes", d.Write.Running, "batches of changes and deletes at once, at most; the last to be refused")
	f.IntVar(&l.read, "reads", d.Read.Running, "reports, and requests for versions, tables and policies at once, at most")
	f.IntVar(&l.load, "loads", d.Load.Running, "batches of first loads, and registrations of tables at once, at most")
	f.IntVar(&l.diff, "diffs", d.Diff.Running, "comparisons at once, at most; the first to be refused")
	f.IntVar(&l.connections, "connections", 20, "connections to Postgres at most; fewer while other servers share them")
	f.IntVar(&l.reserve, "reserve-connections", 0, "connections that all servers together leave to others; 0: an eighth")
}

// limits returns the limits, or what is wrong with them.
func (l *limitFlags) limits() (cloud.Limits, error) {
	for _, n := range []int{l.body, l.decompressed, l.line, l.memory, l.rows, l.read, l.write, l.load, l.diff, l.connections,
		int(l.bodyTime), int(l.requestTime), int(l.patience)} {
		if n <= 0 {
			return cloud.Limits{}, &command.ConfigError{Err: fault.New("read the limits", errors.New("a limit is zero or negative"), "leave it out to have the default")}
		}
	}
	if l.reserve < 0 {
		return cloud.Limits{}, &command.ConfigError{Err: fault.New("read --reserve-connections", errors.New("it is negative"), "0 leaves an eighth to others")}
	}
	if l.line > l.decompressed {
		return cloud.Limits{}, &command.ConfigError{Err: fault.New("read the limits", fmt.Errorf("a row of %d MiB does not fit a body of %d", l.line, l.decompressed), "raise --max-decompressed or lower --max-row")}
	}
	d := cloud.DefaultLimits()
	d.Body, d.Decompressed, d.Line, d.Receiving = int64(l.body)<<20, int64(l.decompressed)<<20, l.line<<20, int64(l.memory)<<20
	d.Rows, d.BodyTime, d.RequestTime, d.Patience = l.rows, l.bodyTime, l.requestTime, l.patience
	d.Read.Running, d.Write.Running, d.Load.Running, d.Diff.Running = l.read, l.write, l.load, l.diff
	return d, nil
}
