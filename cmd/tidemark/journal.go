package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tidemark/agent"
	"tidemark/agent/journal"
)

func newJournal(a *app) *cobra.Command {
	n := 20
	c := &cobra.Command{
		Use:   "journal TABLE",
		Short: "What was decided about a table lately, and what came of it",
		Long: fmt.Sprintf(`Shows the decisions about a table, newest first, each with its reason and with
what came of it. Looks in a row that found nothing by the same rule are one entry.
The last %d entries of each table are kept.

With --json each entry has the facts that it was made from.

It works from the state file when the service is not running.`, journal.MaxEntries),
		Example:           "  tidemark journal dbo.orders\n  tidemark journal dbo.orders -n 0 --json",
		Args:              oneTable,
		ValidArgsFunction: a.completeTables,
	}
	asJSON := jsonFlag(c)
	c.Flags().IntVarP(&n, "lines", "n", n, "how many entries, 0 for all")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if n < 0 {
			return usageError{fmt.Errorf("-n %d: how many entries should that be?", n)}
		}
		return a.withViewer(cmd.Context(), func(v agent.Viewer) error {
			entries, err := v.Journal(cmd.Context(), args[0], n)
			if err != nil {
				return err
			}
			if *asJSON {
				if entries == nil {
					entries = []journal.Entry{}
				}
				return a.printJSON(entries)
			}
			return printJournal(a.out, args[0], entries)
		})
	}
	return c
}

func printJournal(w io.Writer, table string, entries []journal.Entry) error {
	var b bytes.Buffer
	if len(entries) == 0 {
		fmt.Fprintf(&b, "%s: nothing was decided yet\n", table)
	}
	for _, e := range entries {
		what := e.Action
		if e.Upload != "" {
			what += " " + e.Upload
		}
		fmt.Fprintf(&b, "%s  %s (rule %d): %s\n", stamp(e), what, e.Rule, e.Reason)
		printOutcome(&b, e.Outcome)
	}
	_, err := w.Write(b.Bytes())
	return err
}
