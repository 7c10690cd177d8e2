package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tidemark/agent"
)

func newQuarantine(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "quarantine",
		Short: "Rows that could not be sent",
		Long: `A row that the cloud refuses, or that is over limits.row_bytes, goes to the
quarantine and holds nothing else up. It is tried again when it changes, or on
request. Its values are not kept, only its key.`,
		Example: `  tidemark quarantine list
  tidemark quarantine retry dbo.orders
  tidemark quarantine drop dbo.orders '[4711]'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return needsOneOf(cmd)
		},
	}
	c.AddCommand(newQuarantineList(a), newQuarantineChange(a, "retry", "Read rows in quarantine again and send them",
		"to be tried again", agent.Control.RetryQuarantine), newQuarantineChange(a, "drop", "Forget rows in quarantine without sending them",
		"forgotten", agent.Control.DropQuarantine))
	return c
}

func newQuarantineList(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:               "list [TABLE]",
		Short:             "List the rows in quarantine",
		Example:           "  tidemark quarantine list\n  tidemark quarantine list dbo.orders --json",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeTables,
	}
	asJSON := jsonFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		table := ""
		if len(args) > 0 {
			table = args[0]
		}
		return a.withViewer(cmd.Context(), func(v agent.Viewer) error {
			rows, err := v.Quarantine(cmd.Context(), table)
			if err != nil {
				return err
			}
			if *asJSON {
				if rows == nil {
					rows = []agent.QuarantinedRow{}
				}
				return a.printJSON(rows)
			}
			return printQuarantine(a.out, rows)
		})
	}
	return c
}

func printQuarantine(w io.Writer, rows []agent.QuarantinedRow) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "no rows are in quarantine")
		return err
	}
	lines := [][]string{{"TABLE", "KEY", "SIZE", "SINCE", "TRIES", "CLOUD HAS", "REASON"}}
	for _, r := range rows {
		has := "nothing"
		if r.Present {
			has = "an older version"
		}
		lines = append(lines, []string{r.Table, r.Key, size(r.Bytes), r.First.Local().Format("2006-01-02 15:04"), fmt.Sprint(r.Tries), has, r.Reason})
	}
	return columns(w, lines)
}

// newQuarantineChange makes retry and drop, which differ in what they ask for.
func newQuarantineChange(a *app, name, short, done string, ask func(agent.Control, context.Context, string, []string) (int, error)) *cobra.Command {
	return &cobra.Command{
		Use:               name + " TABLE [KEY...]",
		Short:             short,
		Long:              short + ": the named keys, as list shows them, or without keys all of the table.",
		Example:           fmt.Sprintf("  tidemark quarantine %s dbo.orders\n  tidemark quarantine %s dbo.orders '[4711]' '[4712]'", name, name),
		Args:              someKeys,
		ValidArgsFunction: a.completeTables,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withAgent(func(ctx context.Context, c agent.Control) error {
				n, err := ask(c, ctx, args[0], args[1:])
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(a.out, "%s: %s %s\n", args[0], plural(int64(n), "row"), done)
				return err
			})(cmd, args)
		},
	}
}

func someKeys(cmd *cobra.Command, args []string) error {
	return oneTable(cmd, args[:min(1, len(args))])
}
