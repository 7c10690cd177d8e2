package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tidemark/cloud"
	"tidemark/internal/fault"
)

func newCustomersRemove(a *app) *cobra.Command {
	yes := false
	var o operatorFlags
	c := &cobra.Command{
		Use:   "remove CUSTOMER",
		Short: "Remove a customer with its keys and all of its rows",
		Long: `Removes a customer: first its keys, so that nothing more arrives, then its rows,
in small steps that hold nobody up, and what policies and groups say of it.
Interrupted, it is started again and goes on. There is no way back. In a terminal
it asks first; scripts are not asked. Who, when and why stays in audit.`,
		Example: "  tidemark-cloud customers remove acme --reason \"their contract has ended\"",
		Args:    oneCustomer,
	}
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	o.addWho(c, recorded)
	c.RunE = func(c *cobra.Command, args []string) error {
		id := args[0]
		if err := (cloud.Operator{Why: o.reason}).Reasoned("remove customer " + id); err != nil {
			return err
		}
		if !yes && isTerminal(c.InOrStdin()) {
			if err := a.confirm(c.InOrStdin(), id); err != nil {
				return err
			}
		}
		err := a.withStore(c.Context(), func(s cloud.Store) error {
			return o.operator(s).RemoveCustomer(c.Context(), id)
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.out, "%s: removed\n", id)
		return err
	}
	return c
}

func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// confirm asks for the customer's id, which nobody types by mistake.
func (a *app) confirm(in io.Reader, id string) error {
	if _, err := fmt.Fprintf(a.err, "This deletes all rows of %s. Type its id to go on: ", id); err != nil {
		return err
	}
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if strings.TrimSpace(answer) != id {
		return fault.New("remove customer "+id, errNo, "nothing was removed")
	}
	return nil
}
