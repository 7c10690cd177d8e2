package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// A report is a table of figures, some of which have a goal.
type report struct{ lines []line }

type line struct {
	what, figure, goal string
	met                bool
}

// add takes a figure without a goal.
func (r *report) add(what, format string, args ...any) {
	r.lines = append(r.lines, line{what: what, figure: fmt.Sprintf(format, args...)})
}

// judge takes one with a goal.
func (r *report) judge(what, goal string, met bool, format string, args ...any) {
	r.lines = append(r.lines, line{what, fmt.Sprintf(format, args...), goal, met})
}

func (r *report) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "what\tfigure\tgoal\t")
	for _, l := range r.lines {
		verdict := ""
		switch {
		case l.goal == "":
		case l.met:
			verdict = "met"
		default:
			verdict = "MISSED"
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", l.what, l.figure, l.goal, verdict)
	}
	_ = t.Flush() // writes to the terminal
}
