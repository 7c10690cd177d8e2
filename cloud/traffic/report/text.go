package report

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"tidemark/cloud/traffic/latency"
)

// Top is how many customers and tables a report for people shows.
const Top = 20

// WriteText writes the report as a table for people, what has grown first.
func (r *Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	out := io.Writer(t)
	if r.Total.Requests == 0 {
		fmt.Fprintln(out, "no requests")
	} else {
		fmt.Fprintf(out, "%d requests from %s to %s\n", r.Total.Requests, r.First.Format(time.RFC3339), r.Last.Format(time.RFC3339))
	}
	if len(r.Grown) > 0 {
		const head = "grown since the report before"
		width := len(head)
		for _, g := range r.Grown {
			width = max(width, utf8.RuneCountInString(g.label()))
		}
		fmt.Fprintf(out, "\n%-*s\trequests/h before\tnow\tmore time/h\t\n", width, head)
		for _, g := range r.Grown {
			fmt.Fprintf(out, "%-*s\t%s\t%s\t%s\t\n", width, g.label(), rate(g.Before), rate(g.Now), signed(g.Time))
		}
	}
	for _, part := range []struct {
		name string
		rows []Row
	}{{"endpoint", r.Endpoints}, {"customer", r.Customers}, {"table", r.Tables}} {
		if len(part.rows) == 0 {
			continue
		}
		width := widest(part.rows, len(part.name))
		fmt.Fprintf(out, "\n%-*s\trequests\tin\tout\tmean\tp50\tp90\tp99\tmax\t2xx\t3xx\t4xx\t5xx\tnone\t\n", width, part.name)
		for _, row := range part.rows[:min(len(part.rows), Top)] {
			fmt.Fprintf(out, "%-*s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t\n", width, printable(row.Name), row.Requests, size(row.In), size(row.Out),
				row.Mean, row.P50, row.P90, row.P99, row.Most, row.Statuses[2], row.Statuses[3], row.Statuses[4], row.Statuses[5], row.Statuses[0]+row.Statuses[1])
		}
		if more := len(part.rows) - Top; more > 0 {
			fmt.Fprintf(out, "and %d more\t\n", more)
		}
	}
	if r.Malformed > 0 {
		fmt.Fprintf(out, "\n%d lines are none of a load balancer's, such as\n", r.Malformed)
		for _, e := range r.Examples {
			fmt.Fprintf(out, "  %s\n", e)
		}
	}
	return t.Flush()
}

func (g Growth) label() string {
	if g.New {
		return g.Kind + " " + printable(g.Name) + " (new)"
	}
	return g.Kind + " " + printable(g.Name)
}

// widest is the width of the first column: names stand left, figures right.
func widest(rows []Row, width int) int {
	for _, row := range rows[:min(len(rows), Top)] {
		width = max(width, utf8.RuneCountInString(printable(row.Name)))
	}
	return width
}

// printable keeps what a client sent from acting on a terminal.
func printable(name string) string {
	for _, c := range name {
		if !strconv.IsPrint(c) {
			return strconv.Quote(name)
		}
	}
	return name
}

// String is a latency in milliseconds, or in seconds from one on.
func (s Seconds) String() string {
	return latency.Text(time.Duration(float64(s) * float64(time.Second)))
}

func rate(n float64) string {
	if n != 0 && n < 10 {
		return fmt.Sprintf("%.1f", n)
	}
	return fmt.Sprintf("%.0f", n)
}

func signed(seconds float64) string { return fmt.Sprintf("%+.1f s", seconds) }

// size is a number of bytes in the largest unit of 1024 that leaves one.
func size(n uint64) string {
	unit, value := 0, float64(n)
	for value >= 1024 && unit < 4 {
		value, unit = value/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, [...]string{"B", "KiB", "MiB", "GiB", "TiB"}[unit])
}
