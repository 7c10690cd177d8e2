package main

import (
	"context"
	"fmt"
	"io"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"tidemark/agent"
)

func newDiff(a *app) *cobra.Command {
	dryRun := false
	c := &cobra.Command{
		Use:   "diff TABLE",
		Short: "Compare a whole table with the cloud's and repair it",
		Long: `Has the running service compare every row of the table with the cloud's, confirm
each difference by reading that row again, and repair it. It waits for the end.

More deletes than the table's limit wait for "tidemark approve".`,
		Example: `  tidemark diff dbo.orders --dry-run
  tidemark diff dbo.orders`,
		Args:              oneTable,
		ValidArgsFunction: a.completeTables,
	}
	asJSON := jsonFlag(c)
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only count, change nothing")
	c.RunE = a.withTable(func(ctx context.Context, c agent.Control, table string) error {
		r, err := c.Diff(ctx, table, dryRun)
		if err != nil {
			return err
		}
		if *asJSON {
			err = a.printJSON(r)
		} else {
			err = printDiff(a.out, r)
		}
		if err == nil && (r.Approval != nil || r.Remaining || r.DryRun && r.Missing+r.Stale+r.Surplus > 0) {
			return errUnwell
		}
		return err
	})
	return c
}

func printDiff(w io.Writer, r agent.DiffReport) error {
	if r.Missing+r.Stale+r.Surplus == 0 {
		_, err := fmt.Fprintf(w, "%s: equal, %s compared in %s\n", r.Table, plural(r.Compared, "row"), span(r.Duration))
		return err
	}
	did := fmt.Sprintf("%s sent, %s deleted", plural(r.Repaired, "row"), plural(r.Deleted, "row"))
	if r.DryRun {
		did = "nothing was changed"
	}
	_, err := fmt.Fprintf(w, "%s: %s compared in %s\n", r.Table, plural(r.Compared, "row"), span(r.Duration))
	if err == nil {
		err = columns(w, [][]string{
			{"  missing in the cloud", humanize.Comma(r.Missing)},
			{"  other in the cloud", humanize.Comma(r.Stale)},
			{"  only in the cloud", humanize.Comma(r.Surplus)},
			{"  no difference any more when read again", humanize.Comma(r.Unneeded)},
		})
	}
	if err == nil {
		_, err = fmt.Fprintln(w, did)
	}
	if err == nil && r.Remaining {
		_, err = fmt.Fprintln(w, "differences may be left: the next comparison goes on")
	}
	if a := r.Approval; err == nil && a != nil {
		_, err = fmt.Fprintf(w, "%s wait for approval (up to %s need none)\n  hint: look at the keys with `tidemark status --json`, then `tidemark approve %s`\n",
			plural(a.Deletes, "delete"), humanize.Comma(a.Limit), r.Table)
	}
	return err
}
