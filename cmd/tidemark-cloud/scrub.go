package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/cloud/scrub"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

func newScrub(a *app) *cobra.Command {
	var customer, table string
	c := &cobra.Command{
		Use:   "scrub",
		Short: "Hold the summaries of tables against their rows",
		Long: `Reads the keys and row versions of tables, sums them up, and holds the result
against the summaries that batches have kept up to date and diffs rely on. One
that is wrong is made anew, and the command ends with 1 then. Batches go on
meanwhile. Tables whose load is not complete have no summary and are left out.`,
		Example: "  tidemark-cloud scrub\n  tidemark-cloud scrub --customer acme --table dbo.orders",
		Args:    cobra.NoArgs,
	}
	a.storeFlag(c.Flags())
	c.Flags().StringVar(&customer, "customer", "", "of one customer alone")
	c.Flags().StringVar(&table, "table", "", "of this name alone")
	asJSON := jsonFlag(c)
	c.Flags().SortFlags = false
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.withStore(c.Context(), func(s cloud.Store) error { return a.scrub(c.Context(), s, customer, table, *asJSON) })
	}
	return c
}

// A scrubbed is what became of one table.
type scrubbed struct {
	Customer string `json:"customer"`
	Table    string `json:"table"`
	Wrong    int    `json:"wrong_leaves"`
	Skipped  bool   `json:"skipped,omitempty"` // it went, or is being loaded
}

func (a *app) scrub(ctx context.Context, s cloud.Store, customer, table string, asJSON bool) error {
	tables, err := scrub.Tables(ctx, s, customer)
	if err == nil && len(tables) == 0 && customer != "" { // or there is no such customer
		var keys []cloud.Key
		if keys, err = s.Keys(ctx, customer); err == nil && len(keys) == 0 {
			err = wire.NewProblem(wire.NotFound, "", "")
		}
	}
	if err != nil {
		return aboutCustomer("scrub", err)
	}
	if table != "" {
		tables = slices.DeleteFunc(tables, func(t scrub.Table) bool { return t.Name != table })
		if len(tables) == 0 {
			return fault.New("scrub "+table, errNoTable, "`tidemark-cloud tables list CUSTOMER` lists them; one that is not loaded has nothing to scrub")
		}
	}
	all, wrong := []scrubbed{}, 0
	for _, t := range tables {
		r := scrubbed{Customer: t.Customer, Table: t.Name}
		r.Wrong, err = s.Scrub(ctx, t.Customer, t.Name)
		var problem *wire.Problem
		if r.Skipped = errors.As(err, &problem); err != nil && !r.Skipped {
			return fault.New("scrub "+t.Name+" of "+t.Customer, err, "")
		}
		if r.Wrong > 0 {
			wrong++
		}
		all = append(all, r)
		if !asJSON {
			if err := a.printScrubbed(r); err != nil {
				return err
			}
		}
	}
	if asJSON {
		if err := a.printJSON(all); err != nil {
			return err
		}
	}
	if wrong > 0 {
		return fault.New("scrub", fmt.Errorf("%d of %d summaries were wrong", wrong, len(all)),
			"they were made anew. Something wrote rows past the API, or there is a mistake in the program: please report it")
	}
	return nil
}

func (a *app) printScrubbed(r scrubbed) error {
	state := "right"
	switch {
	case r.Skipped:
		state = "skipped: dropped, or being loaded"
	case r.Wrong > 0:
		state = fmt.Sprintf("%d leaves wrong, made anew", r.Wrong)
	}
	_, err := fmt.Fprintf(a.out, "%s %s: %s\n", r.Customer, r.Table, state)
	return err
}
