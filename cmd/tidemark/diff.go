package main

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"tidemark/agent"
)

func newDiff(a *app) *cobra.Command {
	dryRun, progress := false, false
	c := &cobra.Command{
		Use:   "diff TABLE",
		Short: "Compare a whole table with the cloud's and repair it",
		Long: `Has the running service compare every row of the table with the cloud's, confirm
each difference by reading that row again, and repair it. It waits for the end and
prints what support may want to keep: rows compared, equal, repaired and deleted,
requests, bytes, time, and the cloud's sum of all rows before and after.

More deletes than the table's limit wait for "tidemark approve".`,
		Example: `  tidemark diff dbo.orders --dry-run
  tidemark diff dbo.orders`,
		Args:              oneTable,
		ValidArgsFunction: a.completeTables,
	}
	asJSON := jsonFlag(c)
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only count, change nothing")
	c.Flags().BoolVar(&progress, "progress", false, "show how far it is, also where there is no terminal")
	c.RunE = a.withTable(func(ctx context.Context, c agent.Control, table string) error {
		watch := a.watchProgress(ctx, c, table, progress)
		r, err := c.Diff(ctx, table, dryRun)
		watch.end()
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
	var b bytes.Buffer
	if r.Missing+r.Stale+r.Surplus == 0 {
		fmt.Fprintf(&b, "%s: equal, %s compared in %s\n", r.Table, plural(r.Compared, "row"), span(r.Duration))
	} else {
		fmt.Fprintf(&b, "%s: %s compared in %s\n", r.Table, plural(r.Compared, "row"), span(r.Duration))
		if err := columns(&b, [][]string{
			{"  equal", humanize.Comma(r.Equal)},
			{"  missing in the cloud", humanize.Comma(r.Missing)},
			{"  other in the cloud", humanize.Comma(r.Stale)},
			{"  only in the cloud", humanize.Comma(r.Surplus)},
			{"  no difference any more when read again", humanize.Comma(r.Unneeded)},
		}); err != nil {
			return err
		}
		if r.DryRun {
			b.WriteString("nothing was changed\n")
		} else {
			fmt.Fprintf(&b, "%s sent, %s deleted\n", plural(r.Repaired, "row"), plural(r.Deleted, "row"))
		}
	}
	printCost(&b, r)
	if r.Remaining {
		b.WriteString("differences may be left: the next comparison goes on\n")
	}
	if a := r.Approval; a != nil {
		fmt.Fprintf(&b, "%s wait for approval (up to %s need none)\n  hint: look at the keys with `tidemark status --json`, then `tidemark approve %s`\n",
			plural(a.Deletes, "delete"), humanize.Comma(a.Limit), r.Table)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// printCost writes how the comparison was made and what it took.
func printCost(w io.Writer, r agent.DiffReport) {
	fmt.Fprintf(w, "%s, %s of questions and answers; the source took %s\n", plural(int64(r.Requests), "request"), size(r.Bytes), span(r.QueryTime))
	switch {
	case r.Manifest != "":
		fmt.Fprintf(w, "compared by manifests: %s\n", r.Manifest)
	case r.Before == "":
	case r.Before == r.After && r.Same:
		fmt.Fprintf(w, "both sides equal at %s\n", r.After)
	default:
		fmt.Fprintf(w, "%s and %s differed; the cloud was at %s", plural(r.Nodes, "node"), leaves(r.Leaves), r.Before)
		switch {
		case r.Same:
			fmt.Fprintf(w, ", both sides equal at %s\n", r.After)
		case r.DryRun:
			fmt.Fprintln(w)
		default:
			fmt.Fprintf(w, ", and is at %s\n", r.After)
		}
	}
}

func leaves(n int64) string {
	if n == 1 {
		return "1 leaf"
	}
	return humanize.Comma(n) + " leaves"
}
