package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"tidemark/agent"
)

func newReload(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Have the service read its configuration again",
		Long: `Has the running service read its configuration again, which it also does of
itself when the file changes. When that has mistakes the service goes on with
what it has; "tidemark config check" shows them.`,
		Example: "  tidemark config check && tidemark reload",
		Args:    cobra.NoArgs,
		RunE: a.withAgent(func(ctx context.Context, c agent.Control) error {
			if _, err := a.view(); err != nil { // all mistakes, with their lines
				return err
			}
			if err := c.Reload(ctx); err != nil {
				return err
			}
			_, err := fmt.Fprintln(a.out, "reloaded")
			return err
		}),
	}
}
