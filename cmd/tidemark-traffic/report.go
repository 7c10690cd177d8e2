package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/cloud/traffic/logfile"
	"tidemark/cloud/traffic/report"
	"tidemark/cloud/traffic/ship"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// reportFlags are the flags of report.
type reportFlags struct {
	csv, html, json string
	before          string
}

func newReport() *cobra.Command {
	var f reportFlags
	c := &cobra.Command{
		Use:   "report PATH...",
		Short: "Sum access logs up by endpoint, customer, table and hour",
		Long: `Reads the access logs of load balancers once and prints requests, bytes, latency
and status by endpoint, customer and table; the files below have the hours, too.
PATH is a file, a folder with files below it, or - for standard input.

With --before, the JSON of an earlier report, what has grown comes first.`,
		Example: `  tidemark-traffic report /var/log/alb
  tidemark-traffic report --before last.json --json this.json --html this.html /var/log/alb`,
		Args: cobra.MinimumNArgs(1),
	}
	c.Flags().StringVar(&f.before, "before", "", "JSON of the report before")
	c.Flags().StringVar(&f.json, "json", "", "write the report as JSON to this file; - is standard output")
	c.Flags().StringVar(&f.csv, "csv", "", "write it as CSV")
	c.Flags().StringVar(&f.html, "html", "", "write it as a page that needs no other file")
	c.Flags().SortFlags = false
	c.RunE = func(c *cobra.Command, args []string) error {
		return f.report(c.Context(), args, c.InOrStdin(), c.OutOrStdout())
	}
	return c
}

func (f *reportFlags) report(ctx context.Context, paths []string, in io.Reader, out io.Writer) error {
	before, err := readBefore(f.before)
	if err != nil {
		return &command.ConfigError{Err: err}
	}
	g := report.NewGatherer(cloud.Operations())
	failed := gather(ctx, g, paths, in)
	if err := ctx.Err(); err != nil {
		return err
	}
	r := g.Report()
	if before != nil {
		r.Compare(before)
	}
	asText := true
	for _, form := range []struct {
		path  string
		write func(io.Writer) error
	}{
		{f.json, func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(r)
		}},
		{f.csv, r.WriteCSV},
		{f.html, r.WriteHTML},
	} {
		if form.path == "" {
			continue
		}
		asText = asText && form.path != "-"
		if err := writeTo(form.path, out, form.write); err != nil {
			return errors.Join(failed, fault.New("write "+form.path, err, ""))
		}
	}
	if asText {
		failed = errors.Join(failed, r.WriteText(out))
	}
	return failed
}

func readBefore(path string) (*report.Report, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New("read the report before", err, "--before takes what --json wrote")
	}
	r := new(report.Report)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fault.New("read the report before, "+path, err, "--before takes what --json wrote")
	}
	if r.Version != 1 {
		return nil, fault.New("read the report before, "+path, fmt.Errorf("its version is %d, known is 1", r.Version), "--before takes what --json wrote")
	}
	return r, nil
}

func writeTo(path string, out io.Writer, write func(io.Writer) error) error {
	if path == "-" {
		return write(out)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// gather reads all logs. One that cannot be read, or not to its end, is an
// error beside what the others give.
func gather(ctx context.Context, g *report.Gatherer, paths []string, in io.Reader) error {
	if len(paths) == 1 && paths[0] == "-" {
		return gatherLog(ctx, g, "-", in)
	}
	files, err := ship.List(paths)
	if err != nil {
		return err
	}
	var failed []error
	for _, file := range files {
		f, err := os.Open(file)
		if err == nil {
			err = errors.Join(gatherLog(ctx, g, file, f), f.Close())
		}
		if err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func gatherLog(ctx context.Context, g *report.Gatherer, name string, in io.Reader) error {
	r, err := logfile.NewReader(in)
	if err != nil {
		return fault.New("read "+name, err, "")
	}
	buffer := make([]byte, ship.DefaultBlock)
	for ctx.Err() == nil {
		var b logfile.Block
		if b, buffer, err = r.Next(buffer); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fault.New("read "+name, err, "")
		}
		if b.Long > 0 {
			g.Malformed(name, b.Line, fmt.Errorf("the line is longer than %d bytes", logfile.MaxLine))
			continue
		}
		_ = b.Each(func(line []byte, number int64) error {
			g.Line(name, number, line)
			return nil
		})
	}
	return nil
}
