package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/internal/fault"
)

func newCustomersAdd(a *app) *cobra.Command {
	name := ""
	var o operatorFlags
	c := &cobra.Command{
		Use:   "add CUSTOMER",
		Short: "Add a customer and print its key",
		Long: `Adds a customer and prints its key, on a line of its own on standard output. It
is shown this once: the store keeps only a hash of it.`,
		Example: `  tidemark-cloud customers add acme > acme.key
  tidemark-cloud customers add acme --name "Acme Ltd, Leeds"`,
		Args: oneCustomer,
	}
	c.Flags().StringVar(&name, "name", "", "what people call the customer")
	o.addWho(c, mayBeGiven)
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		id, now := args[0], time.Now()
		secret, key := cloud.NewKey(id, now)
		err := a.withStore(c.Context(), func(s cloud.Store) error {
			err := o.operator(s).Act(c.Context(), "customer add", "customer "+id, func(a cloud.Acts) error {
				return a.AddCustomer(c.Context(), cloud.Customer{ID: id, Name: name, Created: now}, key)
			})
			hint := ""
			if errors.Is(err, cloud.ErrExists) {
				hint = fmt.Sprintf("`tidemark-cloud customers rotate %s` gives it another key", id)
			}
			return fault.New("add customer "+id, err, hint)
		})
		if err != nil {
			return err
		}
		return a.printKey(*asJSON, shownKey{Customer: id, Key: secret}, "customer "+id+" is added; this is its key, shown this once:")
	}
	return c
}

// shownKey is a key as --json prints it.
type shownKey struct {
	Customer string     `json:"customer"`
	Key      string     `json:"key"`
	OldUntil *time.Time `json:"old_keys_valid_until,omitempty"`
}

// printKey prints a key alone on standard output, where a shell can take it
// into a file, and what people want to know about it on standard error.
func (a *app) printKey(asJSON bool, k shownKey, note string) error {
	if asJSON {
		return a.printJSON(k)
	}
	if _, err := fmt.Fprintln(a.err, note); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.out, k.Key)
	return err
}
