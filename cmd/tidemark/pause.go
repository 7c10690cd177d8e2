package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"tidemark/agent"
)

func newPause(a *app) *cobra.Command {
	reason := ""
	c := &cobra.Command{
		Use:   "pause [TABLE]",
		Short: "Stop one table, or all of them, until resume",
		Long: `Stops a table, or without one all of them. What is running ends at its next
batch. A pause outlives restarts; "tidemark resume" ends it.`,
		Example: `  tidemark pause --reason "stocktaking until Monday"
  tidemark pause dbo.orders`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeTables,
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for those who read the status")
	c.RunE = a.withTable(func(ctx context.Context, c agent.Control, table string) error {
		if err := c.Pause(ctx, table, reason); err != nil {
			return err
		}
		_, err := fmt.Fprintf(a.out, "%s: paused\n", orAll(table))
		return err
	})
	return c
}

func orAll(table string) string {
	if table == "" {
		return "all tables"
	}
	return table
}
