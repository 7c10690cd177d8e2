package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/internal/fault"
)

func newCustomersList(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List the customers, their keys' ages, tables and rows",
		Long: `Lists the customers: since when they are here, how old the key is that was given
last, how many older ones still open the customer and until when, and how many
tables and rows it has. Keys themselves cannot be shown.`,
		Example: "  tidemark-cloud customers list\n  tidemark-cloud customers list --json",
		Args:    cobra.NoArgs,
	}
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		all := []listed{}
		err := a.withStore(c.Context(), func(s cloud.Store) error {
			customers, err := s.ListCustomers(c.Context())
			for i := 0; err == nil && i < len(customers); i++ {
				var l listed
				l, err = look(c.Context(), s, customers[i], time.Now())
				all = append(all, l)
			}
			return fault.New("list the customers", err, "")
		})
		if err != nil {
			return err
		}
		if *asJSON {
			return a.printJSON(map[string]any{"customers": all})
		}
		return a.printCustomers(all)
	}
	return c
}

// listed is what is shown of a customer.
type listed struct {
	ID      string    `json:"customer"`
	Name    string    `json:"name,omitempty"`
	Created time.Time `json:"created"`
	keyAges           // no lasting key: removed, and the removal was interrupted
	Tables  int       `json:"tables"`
	Rows    int64     `json:"rows"`
}

func look(ctx context.Context, s cloud.Store, c cloud.Customer, now time.Time) (listed, error) {
	l := listed{ID: c.ID, Name: c.Name, Created: c.Created}
	keys, err := s.Keys(ctx, c.ID)
	if err != nil {
		return l, err
	}
	for _, k := range keys {
		l.add(k.Created, k.Expires, now)
	}
	versions, err := s.Versions(ctx, c.ID)
	l.Tables = len(versions.Tables)
	for _, v := range versions.Tables {
		l.Rows += v.Rows
	}
	return l, err
}

func (a *app) printCustomers(all []listed) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(a.out, "no customers; `tidemark-cloud customers add CUSTOMER` adds one")
		return err
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0) // Flush tells what goes wrong
	_, _ = fmt.Fprintln(w, "CUSTOMER\tSINCE\tKEY OF\tOLD KEYS\tTABLES\tROWS\tNAME")
	for _, l := range all {
		key, old := l.columns()
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", l.ID, day(l.Created), key, old, l.Tables, l.Rows, l.Name)
	}
	return w.Flush()
}
