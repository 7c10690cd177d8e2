package main

import (
	"errors"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/internal/command"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

func newCustomers(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "customers",
		Short: "Add, list and remove customers, and renew their keys",
		Long: `A customer is a tenant: every row, key and request belongs to exactly one. Its
key opens it and nothing else; only a hash of the key is stored. Every change is
recorded with who made it: see audit.`,
		Example: "  tidemark-cloud customers add acme > acme.key\n  tidemark-cloud customers list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return command.NeedsOneOf(cmd)
		},
	}
	c.AddCommand(newCustomersAdd(a), newCustomersList(a), newCustomersInvite(a), newCustomersRotate(a), newCustomersKeys(a), newCustomersRemove(a))
	for _, sub := range c.Commands() {
		a.storeFlag(sub.Flags())
	}
	return c
}

// oneCustomer is the check of an argument that names a customer.
func oneCustomer(c *cobra.Command, args []string) error {
	if err := cobra.ExactArgs(1)(c, args); err != nil {
		return err
	}
	return cloud.CheckCustomer(args[0])
}

var errNoCustomer = errors.New("there is no such customer")

// aboutCustomer says what was being done with a customer.
func aboutCustomer(op string, err error) error {
	var problem *wire.Problem
	if errors.As(err, &problem) && problem.Code == wire.NotFound {
		return fault.New(op, errNoCustomer, "`tidemark-cloud customers list` lists them")
	}
	return fault.New(op, err, "")
}
