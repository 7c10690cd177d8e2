package main

import (
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

func newTablesList(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "list CUSTOMER",
		Short:   "List the tables: rows, watermark, writer",
		Example: "  tidemark-cloud tables list acme\n  tidemark-cloud tables list acme --json",
		Args:    oneCustomer,
	}
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		var versions wire.Versions
		err := a.withStore(c.Context(), func(s cloud.Store) error {
			keys, err := s.Keys(c.Context(), args[0])
			if err == nil && len(keys) == 0 {
				err = wire.NewProblem(wire.NotFound, "", "")
			}
			if err == nil {
				versions, err = s.Versions(c.Context(), args[0])
			}
			return aboutCustomer("list the tables of "+args[0], err)
		})
		switch {
		case err != nil:
			return err
		case *asJSON:
			return a.printJSON(versions)
		}
		return a.printTables(versions)
	}
	return c
}

func (a *app) printTables(v wire.Versions) error {
	if len(v.Tables) == 0 {
		_, err := fmt.Fprintln(a.out, "no tables: no agent has registered one")
		return err
	}
	var names []string
	for name := range v.Tables {
		names = append(names, name)
	}
	slices.Sort(names)
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0) // Flush tells what goes wrong
	_, _ = fmt.Fprintln(w, "TABLE\tROWS\tSTATE\tWATERMARK\tBATCH\tWRITER")
	for _, name := range names {
		t := v.Tables[name]
		state, writer := "loaded", t.Writer.Name
		switch {
		case t.Epoch == "":
			state = "empty"
		case !t.Loaded:
			state = "loading"
		}
		if writer == "" {
			writer = t.Writer.ID
		}
		if writer == "" {
			writer = "-"
		}
		_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%d\t%s\n", name, t.Rows, state, t.Watermark, t.Seq, writer)
	}
	return w.Flush()
}
