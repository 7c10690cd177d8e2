package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"tidemark/cloud/traffic/logfile"
	"tidemark/cloud/traffic/ship"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// shipFlags are the flags of ship.
type shipFlags struct {
	endpoint   endpointFlags
	checkpoint string
	aside      string
	asideBytes int64
	workers    int
}

func newShip() *cobra.Command {
	var f shipFlags
	c := &cobra.Command{
		Use:   "ship PATH...",
		Short: "Deliver access logs to an HTTP endpoint, as JSON lines",
		Long: `Delivers the access logs of AWS load balancers (Classic, Application, Network;
gzip or plain) to an endpoint that takes JSON lines, such as Logstash's http
input with the codec json_lines. PATH is a file, a folder with files below it,
or - for standard input. A file is shipped once it is complete.

Every line arrives at least once. A batch that is not taken whole is sent again,
with growing waits, until it is; log_file and log_line of each line make an ID
to tell those that come twice. The checkpoint remembers what was delivered: the
next run goes on there, also after a kill, and skips files that are done.
Standard input has no checkpoint.

Lines that are none of a load balancer's, and those that the endpoint refuses,
are set aside in a file, with their file, number and reason, and stop nothing.

Credentials come from the environment: ` + ship.TokenVariable + `, or
` + ship.UserVariable + ` and ` + ship.PasswordVariable + `.`,
		Example: `  tidemark-traffic ship --to https://logstash:8443 /var/log/alb
  zcat old.log.gz | tidemark-traffic ship --to http://localhost:8080 -`,
		Args: cobra.MinimumNArgs(1),
	}
	f.endpoint.add(c.Flags())
	c.Flags().StringVar(&f.checkpoint, "checkpoint", "tidemark-traffic.checkpoint", "file that remembers what was delivered")
	c.Flags().StringVar(&f.aside, "aside", "tidemark-traffic.aside", "file for lines that were not delivered")
	c.Flags().Int64Var(&f.asideBytes, "aside-bytes", 256<<20, "its bound; beyond, nothing more is shipped")
	c.Flags().IntVar(&f.workers, "batches", ship.DefaultWorkers, "batches on their way at the same time, 1 to 64")
	c.Flags().SortFlags = false
	c.RunE = func(c *cobra.Command, args []string) error {
		return f.ship(c.Context(), args, c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr())
	}
	return c
}

func (f *shipFlags) ship(ctx context.Context, paths []string, in io.Reader, out, errOut io.Writer) (err error) {
	if f.workers < 1 || f.workers > 64 {
		return &command.UsageError{Err: fault.New("read --batches", fmt.Errorf("%d is not from 1 to 64", f.workers), "")}
	}
	to, err := f.endpoint.endpoint(errOut)
	if err != nil {
		return err
	}
	aside := ship.NewAside(f.aside, f.asideBytes)
	defer func() { err = errors.Join(err, aside.Close()) }()
	s := &ship.Shipper{To: to, Rejects: aside, Workers: f.workers, Block: ship.DefaultBlock}
	var total ship.Stats
	if len(paths) == 1 && paths[0] == "-" {
		total, err = stdin(ctx, s, in)
	} else {
		total, err = f.files(ctx, s, aside, paths, out)
	}
	batches, sent, retries := to.Figures()
	fmt.Fprintf(out, "%d lines: %d delivered in %d batches (%d bytes, %d tries failed), %d set aside\n",
		total.Lines, total.Delivered, batches, sent, retries, total.Malformed+total.Refused)
	if n := total.Malformed + total.Refused; n > 0 {
		fmt.Fprintf(out, "%d are no lines of a load balancer, %d were refused by the endpoint: see %s\n", total.Malformed, total.Refused, f.aside)
	}
	return err
}

func stdin(ctx context.Context, s *ship.Shipper, in io.Reader) (ship.Stats, error) {
	r, err := logfile.NewReader(in)
	if err != nil {
		return ship.Stats{}, fault.New("read standard input", err, "")
	}
	stats, err := s.Log(ctx, "-", r, ship.Position{}, nil)
	return stats, fault.New("ship standard input", err, "")
}

// files ships one file after the other. One that cannot be read, or is cut
// off, does not hold up the others; an endpoint that does not take anything
// does.
func (f *shipFlags) files(ctx context.Context, s *ship.Shipper, aside *ship.Aside, paths []string, out io.Writer) (total ship.Stats, err error) {
	files, err := ship.List(paths)
	if err != nil {
		return total, err
	}
	checkpoint, err := ship.OpenCheckpoint(f.checkpoint, aside.Sync)
	if err != nil {
		return total, &command.ConfigError{Err: err}
	}
	skipped := 0
	var failed []error
	for _, file := range files {
		stats, done, err := s.File(ctx, checkpoint, file)
		total.Add(stats)
		if done {
			skipped++
		}
		var broken *logfile.BrokenError
		var path *fs.PathError
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return total, errors.Join(append(failed, ctx.Err())...)
		case errors.As(err, &broken), errors.As(err, &path):
			failed = append(failed, err)
		default:
			return total, errors.Join(append(failed, err)...)
		}
	}
	fmt.Fprintf(out, "%d files, %d of them delivered before\n", len(files), skipped)
	return total, errors.Join(failed...)
}
