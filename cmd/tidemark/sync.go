package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"tidemark/agent"
)

func newSync(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "sync TABLE",
		Short: "Run a cycle of a table now",
		Long: `Has the running service run a cycle of the table now, whatever its skips say,
and waits for its end.`,
		Example:           "  tidemark sync dbo.orders",
		Args:              oneTable,
		ValidArgsFunction: a.completeTables,
	}
	asJSON := jsonFlag(c)
	c.RunE = a.withTable(func(ctx context.Context, c agent.Control, table string) error {
		e, err := c.Sync(ctx, table)
		if err != nil {
			return err
		}
		if *asJSON {
			err = a.printJSON(e)
		} else {
			_, err = fmt.Fprintf(a.out, "%s: %s: %s\n", e.Table, e.Action, e.Reason)
			printOutcome(a.out, e.Outcome)
		}
		if err == nil && e.Outcome.Error != "" {
			return errUnwell
		}
		return err
	})
	return c
}
