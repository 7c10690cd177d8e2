package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tidemark/agent"
	"tidemark/agent/journal"
)

func newSync(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "sync TABLE",
		Short: "Run a cycle of a table now",
		Long: `Has the running service run a cycle of the table now, whatever its skips say,
waits for its end, and prints what was decided and what came of it.`,
		Example:           "  tidemark sync dbo.orders",
		Args:              oneTable,
		ValidArgsFunction: a.completeTables,
	}
	asJSON := jsonFlag(c)
	c.RunE = a.withTable(func(ctx context.Context, c agent.Control, table string) error {
		r, err := c.Sync(ctx, table)
		if err != nil {
			return err
		}
		if *asJSON {
			err = a.printJSON(r)
		} else {
			for _, e := range append(r.Before, r.Entry) {
				printEntry(a.out, e)
			}
		}
		if err == nil && r.Outcome.Error != "" {
			return errUnwell
		}
		return err
	})
	return c
}

// printEntry prints a decision as it is made.
func printEntry(w io.Writer, e journal.Entry) {
	_, _ = fmt.Fprintf(w, "%s: %s: %s\n", e.Table, e.Action, e.Reason)
	printOutcome(w, e.Outcome)
}
