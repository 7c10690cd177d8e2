package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"tidemark/agent"
)

func newResume(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:               "resume [TABLE]",
		Short:             "End a pause",
		Long:              "Ends the pause of a table, or without one the pause of all.",
		Example:           "  tidemark resume\n  tidemark resume dbo.orders",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeTables,
	}
	c.RunE = a.withTable(func(ctx context.Context, c agent.Control, table string) error {
		if err := c.Resume(ctx, table); err != nil {
			return err
		}
		_, err := fmt.Fprintf(a.out, "%s: resumed\n", orAll(table))
		return err
	})
	return c
}
