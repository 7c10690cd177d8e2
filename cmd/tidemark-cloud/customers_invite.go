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

// Bounds of how long an invitation is good.
const (
	defaultValid = 72 * time.Hour
	longestValid = 90 * 24 * time.Hour
)

func newCustomersInvite(a *app) *cobra.Command {
	valid := defaultValid
	var o operatorFlags
	c := &cobra.Command{
		Use:   "invite CUSTOMER",
		Short: "Print a one-time code that an agent exchanges for a key",
		Long: `Makes a one-time code for a customer and prints it, on a line of its own on
standard output. At the site, "tidemark enroll CODE" exchanges it for a key of the
customer, so that no key has to travel. The code is good once, and for a while;
only a hash of it is kept. Keys that the customer has stay good.`,
		Example: `  tidemark-cloud customers invite acme
  tidemark-cloud customers invite acme --valid 1h`,
		Args: oneCustomer,
	}
	c.Flags().DurationVar(&valid, "valid", defaultValid, "how long the code is good")
	o.addWho(c, mayBeGiven)
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if valid < time.Minute || valid > longestValid {
			return &command.UsageError{Err: fault.New("read the command line", errors.New("--valid is not between 1m and 2160h"), "")}
		}
		id := args[0]
		code, i := cloud.NewInvitation(id, time.Now(), valid)
		i.Expires = i.Expires.UTC().Truncate(time.Second)
		err := a.withStore(c.Context(), func(s cloud.Store) error {
			err := o.operator(s).Act(c.Context(), "customer invite", "customer "+id, func(a cloud.Acts) error { return a.Invite(c.Context(), i) })
			return aboutCustomer("invite "+id, err)
		})
		if err != nil {
			return err
		}
		if *asJSON {
			return a.printJSON(shownCode{Customer: id, Code: code, Expires: i.Expires})
		}
		if _, err := fmt.Fprintf(a.err, "one code for %s, good once and until %s: `tidemark enroll CODE`\n", id, i.Expires.Format(time.RFC3339)); err != nil {
			return err
		}
		_, err = fmt.Fprintln(a.out, code)
		return err
	}
	return c
}

// shownCode is a code as --json prints it.
type shownCode struct {
	Customer string    `json:"customer"`
	Code     string    `json:"code"`
	Expires  time.Time `json:"expires"`
}
