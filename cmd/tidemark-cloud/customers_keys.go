package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// longTime is when keys expire that are meant to stay: RotateKey wants a time.
const longTime = 100 * 365 * 24 * time.Hour

func newCustomersKeys(a *app) *cobra.Command {
	var valid time.Duration
	var o operatorFlags
	c := &cobra.Command{
		Use:   "keys",
		Short: "Print a further key of every customer, for a replay to a copy",
		Long: `Gives every customer one more key, which is valid for a while, and prints the
customers and their new keys, one of each a line. The keys that agents have stay
as they are. It is meant for a copy of a database that recorded requests are
replayed to (tidemark-traffic replay): the keys of the original are nowhere.`,
		Example: `  TIDEMARK_STORE=postgres://tidemark@copy/tidemark tidemark-cloud customers keys > keys`,
		Args:    cobra.NoArgs,
	}
	c.Flags().DurationVar(&valid, "valid", 24*time.Hour, "how long the keys open their customers")
	o.addWho(c, mayBeGiven)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if valid <= 0 {
			return &command.UsageError{Err: fault.New("read the command line", fmt.Errorf("--valid is %s", valid), "")}
		}
		return a.withStore(c.Context(), func(s cloud.Store) error { return a.printKeys(c.Context(), o.operator(s), valid) })
	}
	return c
}

func (a *app) printKeys(ctx context.Context, o cloud.Operator, valid time.Duration) error {
	customers, err := o.Store.ListCustomers(ctx)
	if err != nil {
		return fault.New("list the customers", err, "")
	}
	for _, customer := range customers {
		now := time.Now()
		secret, key := cloud.NewKey(customer.ID, now)
		key.Expires = now.Add(valid)
		err := o.Act(ctx, "customer keys", "customer "+customer.ID, func(a cloud.Acts) error {
			return a.RotateKey(ctx, customer.ID, key, now, now.Add(longTime))
		})
		if err != nil {
			return fault.New("add a key to "+customer.ID, err, "")
		}
		if _, err := fmt.Fprintf(a.out, "%s %s\n", customer.ID, secret); err != nil {
			return err
		}
	}
	return nil
}
