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

func newOperatorsAdd(a *app) *cobra.Command {
	var o operatorFlags
	c := &cobra.Command{
		Use:   "add OPERATOR",
		Short: "Add an operator and print its key",
		Long: `Adds an operator and prints its key, on a line of its own on standard output. It
is shown this once: the store keeps only a hash of it. The name is in the log
when its key signs in: give each person one.`,
		Example: "  tidemark-cloud operators add ada > ada.key",
		Args:    oneOperator,
	}
	o.addWho(c, mayBeGiven)
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		name := args[0]
		secret, key := cloud.NewOperatorKey(name, time.Now())
		err := a.withStore(c.Context(), func(s cloud.Store) error {
			err := o.operator(s).Act(c.Context(), "operator add", "operator "+name, func(a cloud.Acts) error { return a.AddOperator(c.Context(), key) })
			if errors.Is(err, cloud.ErrExists) {
				return fault.New("add operator "+name, errOperatorThere, fmt.Sprintf("`tidemark-cloud operators rotate %s` gives it another key", name))
			}
			return fault.New("add operator "+name, err, "")
		})
		if err != nil {
			return err
		}
		return a.printOperatorKey(*asJSON, shownOperatorKey{Operator: name, Key: secret}, "operator "+name+" is added; this is its key, shown this once:")
	}
	return c
}

func newOperatorsRotate(a *app) *cobra.Command {
	var grace time.Duration
	var o operatorFlags
	c := &cobra.Command{
		Use:   "rotate OPERATOR",
		Short: "Print a new key and end the old one, and its sessions",
		Long: `Gives an operator a new key and prints it, on a line of its own on standard
output. Sessions that were begun with the old key end with it, within 15 seconds;
with --grace it stays valid for a while.`,
		Example: `  tidemark-cloud operators rotate ada > ada.key`,
		Args:    oneOperator,
	}
	c.Flags().DurationVar(&grace, "grace", 0, "how long the old key stays valid")
	o.addWho(c, mayBeGiven)
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if grace < 0 {
			return &command.UsageError{Err: fault.New("read the command line", errors.New("--grace is negative"), "")}
		}
		name, now := args[0], time.Now()
		until := now.Add(grace).UTC().Truncate(time.Second)
		secret, key := cloud.NewOperatorKey(name, now)
		err := a.withStore(c.Context(), func(s cloud.Store) error {
			err := o.operator(s).Act(c.Context(), "operator rotate", "operator "+name, func(a cloud.Acts) error {
				return a.RotateOperator(c.Context(), key, now, until)
			})
			return aboutOperator("rotate the key of operator "+name, err)
		})
		if err != nil {
			return err
		}
		return a.printOperatorKey(*asJSON, shownOperatorKey{name, secret, &until},
			fmt.Sprintf("the new key of %s, shown this once; older ones are valid until %s:", name, until.Format(time.RFC3339)))
	}
	return c
}

func newOperatorsRemove(a *app) *cobra.Command {
	var o operatorFlags
	c := &cobra.Command{
		Use:   "remove OPERATOR",
		Short: "Remove an operator with its keys and sessions",
		Long: `Removes an operator. Running servers refuse its keys and end its sessions within
15 seconds.`,
		Example: "  tidemark-cloud operators remove ada",
		Args:    oneOperator,
		RunE: func(c *cobra.Command, args []string) error {
			err := a.withStore(c.Context(), func(s cloud.Store) error {
				err := o.operator(s).Act(c.Context(), "operator remove", "operator "+args[0], func(a cloud.Acts) error {
					return a.RemoveOperator(c.Context(), args[0])
				})
				return aboutOperator("remove operator "+args[0], err)
			})
			if err == nil {
				_, err = fmt.Fprintf(a.out, "%s: removed\n", args[0])
			}
			return err
		},
	}
	o.addWho(c, mayBeGiven)
	return c
}
