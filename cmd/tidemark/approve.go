package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tidemark/agent"
)

func newApprove(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "approve TABLE",
		Short: "Let deletes go out that wait for a person",
		Long: `A comparison that would delete more than 1,000 rows, or 5 % of the table, stops
and waits: an empty restored database must not empty the cloud. This lets the
deletes go out. They are still confirmed row by row at the source.`,
		Example: `  tidemark diff dbo.orders --dry-run
  tidemark approve dbo.orders`,
		Args:              oneTable,
		ValidArgsFunction: a.completeTables,
	}
	asJSON := jsonFlag(c)
	c.RunE = a.withTable(func(ctx context.Context, c agent.Control, table string) error {
		granted, err := c.Approve(ctx, table)
		if err != nil {
			return err
		}
		if *asJSON {
			return a.printJSON(granted)
		}
		_, err = fmt.Fprintf(a.out, "%s: %s may go out, such as %s\n", table, plural(granted.Deletes, "delete"), strings.Join(granted.Sample, " "))
		return err
	})
	return c
}
