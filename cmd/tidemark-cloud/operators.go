package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/internal/command"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

func newOperators(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "operators",
		Short: "Add, list and remove those who may see the fleet page",
		Long: `An operator may sign in at the fleet page (serve --fleet-listen), which shows all
customers. Its key opens that page and nothing of the API; a customer's key does
not open the page. Only a hash of the key is stored. Every change is recorded with
who made it: see audit.`,
		Example: "  tidemark-cloud operators add ada\n  tidemark-cloud operators list",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return command.NeedsOneOf(cmd) },
	}
	c.AddCommand(newOperatorsAdd(a), newOperatorsList(a), newOperatorsRotate(a), newOperatorsRemove(a))
	for _, sub := range c.Commands() {
		a.storeFlag(sub.Flags())
	}
	return c
}

// oneOperator is the check of an argument that names an operator.
func oneOperator(c *cobra.Command, args []string) error {
	if err := cobra.ExactArgs(1)(c, args); err != nil {
		return err
	}
	return cloud.CheckOperator(args[0])
}

var (
	errNoOperator    = errors.New("there is no such operator")
	errOperatorThere = errors.New("the operator exists")
)

// aboutOperator says what was being done with an operator.
func aboutOperator(op string, err error) error {
	var problem *wire.Problem
	if errors.As(err, &problem) && problem.Code == wire.NotFound {
		return fault.New(op, errNoOperator, "`tidemark-cloud operators list` lists them")
	}
	return fault.New(op, err, "")
}

// shownOperatorKey is a key as --json prints it.
type shownOperatorKey struct {
	Operator string     `json:"operator"`
	Key      string     `json:"key"`
	OldUntil *time.Time `json:"old_keys_valid_until,omitempty"`
}

func (a *app) printOperatorKey(asJSON bool, k shownOperatorKey, note string) error {
	if asJSON {
		return a.printJSON(k)
	}
	return a.printKey(false, shownKey{Key: k.Key}, note)
}
