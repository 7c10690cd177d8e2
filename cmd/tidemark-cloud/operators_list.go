package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/internal/fault"
)

func newOperatorsList(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List the operators and their keys' ages",
		Long: `Lists the operators: how old the key is that was given last, and how many older
ones are still valid and until when. Keys themselves cannot be shown.`,
		Example: "  tidemark-cloud operators list\n  tidemark-cloud operators list --json",
		Args:    cobra.NoArgs,
	}
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		var keys []cloud.OperatorKey
		err := a.withStore(c.Context(), func(s cloud.Store) (err error) {
			keys, err = s.OperatorKeys(c.Context())
			return fault.New("list the operators", err, "")
		})
		if err != nil {
			return err
		}
		all := operatorsOf(keys, time.Now())
		if *asJSON {
			return a.printJSON(map[string]any{"operators": all})
		}
		return a.printOperators(all)
	}
	return c
}

// listedOperator is what is shown of an operator.
type listedOperator struct {
	Name string `json:"operator"`
	keyAges
}

// operatorsOf sums keys up, which are in order of names.
func operatorsOf(keys []cloud.OperatorKey, now time.Time) []listedOperator {
	all := []listedOperator{}
	for _, k := range keys {
		if n := len(all); n == 0 || all[n-1].Name != k.Name {
			all = append(all, listedOperator{Name: k.Name})
		}
		all[len(all)-1].add(k.Created, k.Expires, now)
	}
	return all
}

func (a *app) printOperators(all []listedOperator) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(a.out, "no operators; `tidemark-cloud operators add OPERATOR` adds one")
		return err
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0) // Flush tells what goes wrong
	_, _ = fmt.Fprintln(w, "OPERATOR\tKEY OF\tOLD KEYS")
	for _, l := range all {
		key, old := l.columns()
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", l.Name, key, old)
	}
	return w.Flush()
}
