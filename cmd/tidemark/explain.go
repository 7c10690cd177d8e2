package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"tidemark/agent"
	"tidemark/agent/journal"
)

func newExplain(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "explain TABLE",
		Short: "What was decided about a table, and why",
		Long: `Shows the last decision about a table, all the facts that it was made from, and
the decisions before. The decision is made again from these facts, to show that
they lead there.

It works from the journal, also when the service is not running.`,
		Example:           "  tidemark explain dbo.orders",
		Args:              oneTable,
		ValidArgsFunction: a.completeTables,
	}
	asJSON := jsonFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withViewer(cmd.Context(), func(v agent.Viewer) error {
			e, err := v.Explain(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if *asJSON {
				return a.printJSON(e)
			}
			return printExplanation(a.out, e)
		})
	}
	return c
}

func printExplanation(w io.Writer, e agent.Explanation) error {
	var b bytes.Buffer
	if e.Entry == nil {
		fmt.Fprintf(&b, "%s: nothing was decided yet\n", e.Table)
	} else {
		fmt.Fprintf(&b, "%s: %s (rule %d)\n  %s\n  at %s\n", e.Table, e.Entry.Action, e.Entry.Rule, e.Entry.Reason, stamp(*e.Entry))
		printOutcome(&b, e.Entry.Outcome)
	}
	if len(e.Facts) > 0 {
		b.WriteString("\nmade from\n")
		var rows [][]string
		for _, f := range e.Facts {
			rows = append(rows, []string{"  " + f.Name, f.Value})
		}
		if err := columns(&b, rows); err != nil {
			return err
		}
	}
	if e.Entry != nil && e.Replay != "" {
		if e.Same {
			b.WriteString("\nmade again from these facts: the same\n")
		} else {
			fmt.Fprintf(&b, "\nmade again from these facts by this version: %s\n", e.Replay)
		}
	}
	if e.Status != nil && e.Status.Problem != nil {
		printProblem(&b, e.Status.Problem.Since, *e.Status.Problem)
	}
	if len(e.Before) > 0 {
		b.WriteString("\nbefore\n")
		var rows [][]string
		for _, j := range e.Before {
			rows = append(rows, []string{"  " + stamp(j), j.Action, j.Reason})
		}
		if err := columns(&b, rows); err != nil {
			return err
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func stamp(e journal.Entry) string {
	text := e.Time.Local().Format("2006-01-02 15:04:05")
	if e.Repeated > 0 {
		text += fmt.Sprintf(", and %s before since %s", plural(int64(e.Repeated), "time"), e.Since.Local().Format("2006-01-02 15:04:05"))
	}
	return text
}

// printOutcome writes what came of a decision; nothing when nothing did.
func printOutcome(w io.Writer, o journal.Outcome) {
	var did []string
	for _, part := range []struct {
		n    int64
		what string
	}{
		{o.Rows, "read"}, {o.Inserted, "inserted"}, {o.Updated, "updated"}, {o.Deleted, "deleted"},
		{o.Unchanged, "unchanged"}, {o.Quarantined, "to quarantine"},
	} {
		if part.n != 0 {
			did = append(did, fmt.Sprintf("%s %s", plural(part.n, "row"), part.what))
		}
	}
	if o.Requests > 0 {
		did = append(did, fmt.Sprintf("%s (%s)", plural(int64(o.Requests), "request"), size(o.Bytes)))
	}
	if o.Duration > 0 {
		did = append(did, "in "+span(o.Duration))
	}
	if len(did) > 0 {
		fmt.Fprintf(w, "  %s\n", strings.Join(did, ", "))
	}
	if o.Note != "" {
		fmt.Fprintf(w, "  note: %s\n", o.Note)
	}
	if o.Error != "" {
		fmt.Fprintf(w, "  error: %s\n", o.Error)
	}
	if o.Hint != "" {
		fmt.Fprintf(w, "  hint: %s\n", o.Hint)
	}
}
