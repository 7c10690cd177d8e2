package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

func newTablesRelease(a *app) *cobra.Command {
	var o operatorFlags
	c := &cobra.Command{
		Use:   "release CUSTOMER TABLE",
		Short: "Let another agent write a table",
		Long: `Forgets which agent writes a table; the next one to send rows of it becomes its
writer. For a machine that is gone for good. Where two agents run with one
configuration, stop one of them first.`,
		Example: "  tidemark-cloud tables release acme dbo.orders",
		Args: func(c *cobra.Command, args []string) error {
			if err := cobra.ExactArgs(2)(c, args); err != nil {
				return err
			}
			return errors.Join(cloud.CheckCustomer(args[0]), cloud.CheckTable(args[1]))
		},
		RunE: func(c *cobra.Command, args []string) error {
			customer, table := args[0], args[1]
			var was wire.Writer
			err := a.withStore(c.Context(), func(s cloud.Store) error {
				err := o.operator(s).Act(c.Context(), "table release", "customer "+customer+" "+table, func(a cloud.Acts) (err error) {
					was, err = a.Release(c.Context(), customer, table)
					return err
				})
				return aboutTable("release "+table+" of "+customer, customer, err)
			})
			if err != nil {
				return err
			}
			if was.ID == "" {
				_, err = fmt.Fprintf(a.out, "%s: had no writer\n", table)
				return err
			}
			_, err = fmt.Fprintf(a.out, "%s: released from %s (%s)\n", table, was.Name, was.ID)
			return err
		},
	}
	o.addWho(c, mayBeGiven)
	return c
}
