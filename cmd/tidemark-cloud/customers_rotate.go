package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// defaultGrace is time enough to bring a key to a site.
const defaultGrace = 7 * 24 * time.Hour

func newCustomersRotate(a *app) *cobra.Command {
	var grace time.Duration
	var o operatorFlags
	c := &cobra.Command{
		Use:   "rotate CUSTOMER",
		Short: "Print a new key; the old one stays valid for a while",
		Long: `Gives a customer a new key and prints it, on a line of its own on standard
output. The old key opens the customer until the grace has passed, so that no
request is lost while the new one travels to the agent. With --grace 0s, for a
key that leaked, the old one is refused by running servers within 15 seconds.`,
		Example: `  tidemark-cloud customers rotate acme > acme.key
  tidemark-cloud customers rotate acme --grace 0s`,
		Args: oneCustomer,
	}
	c.Flags().DurationVar(&grace, "grace", defaultGrace, "how long the old key stays valid")
	o.addWho(c, mayBeGiven)
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if grace < 0 {
			return &command.UsageError{Err: fault.New("read the command line", errors.New("--grace is negative"), "")}
		}
		id, now := args[0], time.Now()
		until := now.Add(grace).UTC().Truncate(time.Second)
		secret, key := cloud.NewKey(id, now)
		err := a.withStore(c.Context(), func(s cloud.Store) error {
			err := o.operator(s).Act(c.Context(), "customer rotate", "customer "+id, func(a cloud.Acts) error {
				return a.RotateKey(c.Context(), id, key, now, until)
			})
			return aboutCustomer("rotate the key of "+id, err)
		})
		if err != nil {
			return err
		}
		return a.printKey(*asJSON, shownKey{Customer: id, Key: secret, OldUntil: &until},
			fmt.Sprintf("the new key of %s, shown this once; older ones are valid until %s:", id, until.Format(time.RFC3339)))
	}
	return c
}
