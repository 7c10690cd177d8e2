package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

func newGroups(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "groups",
		Short: "Put customers into groups, for policies and rollouts",
		Long: `A group is a name for some customers. A customer can be in several; of their
policies the narrowest counts.`,
		Example: "  tidemark-cloud groups add pilots acme beta --reason \"they agreed to go first\"\n  tidemark-cloud groups list",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return command.NeedsOneOf(cmd) },
	}
	c.AddCommand(newGroupsList(a),
		newGroupsChange(a, "add", "Put customers into a group", "is made where it is not there", cloud.Operator.Join),
		newGroupsChange(a, "remove", "Take customers out of a group", "goes with its last customer, unless a policy or a rollout names it", cloud.Operator.Leave))
	for _, sub := range c.Commands() {
		a.storeFlag(sub.Flags())
		sub.Flags().SortFlags = false
	}
	return c
}

func newGroupsList(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the groups and their customers",
		Example: "  tidemark-cloud groups list\n  tidemark-cloud groups list --json",
		Args:    cobra.NoArgs,
	}
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		var rules *cloud.Rules
		err := a.withStore(c.Context(), func(s cloud.Store) (err error) {
			rules, err = reader(s).Rules(c.Context())
			return fault.New("list the groups", err, "")
		})
		if err != nil {
			return err
		}
		if *asJSON {
			return a.printJSON(map[string]any{"groups": rules.Groups})
		}
		if len(rules.Groups) == 0 {
			_, err = fmt.Fprintln(a.out, "no groups; `tidemark-cloud groups add GROUP CUSTOMER...` makes one")
		}
		for _, name := range slices.Sorted(maps.Keys(rules.Groups)) {
			customers := rules.Groups[name]
			_, err = fmt.Fprintf(a.out, "%s (%d): %s\n", name, len(customers), strings.Join(customers, " "))
		}
		return err
	}
	return c
}

func newGroupsChange(a *app, verb, short, long string, change func(cloud.Operator, context.Context, string, ...string) error) *cobra.Command {
	var o operatorFlags
	c := &cobra.Command{
		Use:     verb + " GROUP CUSTOMER...",
		Short:   short,
		Long:    short + ". The group " + long + ".",
		Example: "  tidemark-cloud groups " + verb + " pilots acme beta --reason \"they said so\"",
		Args: func(c *cobra.Command, args []string) error {
			if err := cobra.MinimumNArgs(2)(c, args); err != nil {
				return err
			}
			errs := []error{cloud.CheckName("group", args[0])}
			for _, id := range args[1:] {
				errs = append(errs, cloud.CheckCustomer(id))
			}
			return errors.Join(errs...)
		},
	}
	o.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		var revision int64
		customers := 0
		err := a.withStore(c.Context(), func(s cloud.Store) error {
			operator := o.operator(s)
			if err := change(operator, c.Context(), args[0], args[1:]...); err != nil {
				return err
			}
			rules, err := operator.Rules(c.Context())
			if err == nil {
				revision, customers = rules.RevisionOf(cloud.KindGroup, args[0]), len(rules.Groups[args[0]])
			}
			return err
		})
		if err != nil {
			return err
		}
		return a.said("group "+args[0], plural(customers, "customer"), revision)
	}
	return c
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
