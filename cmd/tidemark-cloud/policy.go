package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/internal/command"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

func newPolicy(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "Slow down, cap, turn off or pause tables, for all or some customers",
		Long: `A policy narrows what agents do: it turns tables off, sets the least time between
two cycles, the least number of skips after a sync and the most rows of a batch,
or pauses everything. It never makes an agent do what its own file does not allow.

There is one for the fleet, for each group and for each customer; of all that hold
for a customer, and of the rollouts, the narrowest counts, point by point. Within
one policy a table that is named has its own line; "*" is for those not named.

Agents follow within seconds of their next request: every answer tells them when
the policy has changed. Every change is recorded with who and why: see audit.`,
		Example: `  tidemark-cloud policy pause --reason "the database is moved"
  tidemark-cloud policy set --table dbo.orders --min-interval 10m --reason "too many reads"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return command.NeedsOneOf(cmd) },
	}
	c.AddCommand(newPolicyGet(a), newPolicySet(a), newPolicyClear(a), newPolicyPause(a), newPolicyResume(a))
	for _, sub := range c.Commands() {
		a.storeFlag(sub.Flags())
		sub.Flags().SortFlags = false
	}
	return c
}

func newPolicyGet(a *app) *cobra.Command {
	var s subjectFlags
	all := false
	c := &cobra.Command{
		Use:   "get",
		Short: "Show the policy of the fleet, a group or a customer",
		Long: `Shows a policy and its revision. For a customer it shows every policy that holds,
from the fleet's to those of rollouts, and what comes of them together.`,
		Example: "  tidemark-cloud policy get\n  tidemark-cloud policy get --customer acme\n  tidemark-cloud policy get --all --json",
		Args:    cobra.NoArgs,
	}
	s.add(c)
	c.Flags().BoolVar(&all, "all", false, "show all policies that are set")
	c.MarkFlagsMutuallyExclusive("all", "group", "customer")
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		var rules *cloud.Rules
		err := a.withStore(c.Context(), func(store cloud.Store) (err error) {
			rules, err = reader(store).Rules(c.Context())
			if err == nil && s.customer != "" {
				var keys []cloud.Key
				if keys, err = store.Keys(c.Context(), s.customer); err == nil && len(keys) == 0 {
					return aboutCustomer("show the policy of "+s.customer, wire.NewProblem(wire.NotFound, "", ""))
				}
			}
			return fault.New("show the policy", err, "")
		})
		if err != nil {
			return err
		}
		scopes := []cloud.Scope{s.scope()}
		if all {
			scopes = slices.Sorted(maps.Keys(rules.Policies))
		}
		shown := []shownPolicy{}
		for _, scope := range scopes {
			shown = append(shown, showPolicy(rules, scope))
		}
		if *asJSON {
			return a.printJSON(map[string]any{"policies": shown})
		}
		return a.printPolicies(shown)
	}
	return c
}

// shownPolicy is what is shown of a policy.
type shownPolicy struct {
	Scope     string       `json:"scope"`
	Revision  int64        `json:"revision"`
	Policy    wire.Policy  `json:"policy"`
	Parts     []shownPart  `json:"parts,omitempty"`     // of a customer: all that hold
	Effective *wire.Policy `json:"effective,omitempty"` // of a customer: what comes of them
}

type shownPart struct {
	From   string      `json:"from"`
	Policy wire.Policy `json:"policy"`
}

func showPolicy(r *cloud.Rules, s cloud.Scope) shownPolicy {
	p := shownPolicy{Scope: s.String(), Revision: r.RevisionOf(cloud.KindPolicy, string(s)), Policy: r.Policies[s]}
	if id, ok := strings.CutPrefix(string(s), "customer:"); ok {
		for _, part := range r.Parts(id) {
			p.Parts = append(p.Parts, shownPart(part))
		}
		effective := r.Effective(id)
		p.Effective = &effective
	}
	return p
}

func (a *app) printPolicies(all []shownPolicy) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0) // Flush tells what goes wrong
	if len(all) == 0 {
		_, _ = fmt.Fprintln(w, "no policy is set")
	}
	for _, p := range all {
		if p.Effective == nil {
			printPolicy(w, fmt.Sprintf("%s (revision %d)", p.Scope, p.Revision), p.Policy)
			continue
		}
		for _, part := range p.Parts {
			title := part.From
			if title == p.Scope {
				title = fmt.Sprintf("%s (revision %d)", p.Scope, p.Revision)
			}
			printPolicy(w, title, part.Policy)
		}
		printPolicy(w, "all together", *p.Effective)
	}
	return w.Flush()
}

func printPolicy(w *tabwriter.Writer, title string, p wire.Policy) {
	_, _ = fmt.Fprintln(w, title+":")
	if p.Paused {
		_, _ = fmt.Fprintln(w, "  paused: "+p.Reason)
	}
	if len(p.Tables) == 0 {
		if !p.Paused {
			_, _ = fmt.Fprintln(w, "  nothing is narrowed")
		}
		return
	}
	_, _ = fmt.Fprintln(w, "  TABLE\tSTATE\tMIN INTERVAL\tFORCED SKIPS\tMAX ROWS\tREASON")
	for _, name := range slices.Sorted(maps.Keys(p.Tables)) {
		t := p.Tables[name]
		state := "on"
		if t.Disabled {
			state = "off"
		}
		_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\n", name, state, orDash(t.MinInterval, short(time.Duration(t.MinInterval)*time.Second)), orDash(t.ForcedSkips, t.ForcedSkips), orDash(t.MaxRows, t.MaxRows), t.Reason)
	}
}

func orDash(n int, v any) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(v)
}

// changePolicy changes a policy and says what it is then.
func (a *app) changePolicy(ctx context.Context, o *operatorFlags, newTables bool, action string, scope cloud.Scope, f func(wire.Policy) (wire.Policy, error)) error {
	var shown shownPolicy
	err := a.withStore(ctx, func(s cloud.Store) error {
		operator := o.operator(s)
		operator.NewTables = newTables
		if _, err := operator.ChangePolicy(ctx, action, scope, f); err != nil {
			return err
		}
		rules, err := operator.Rules(ctx)
		if err != nil {
			return err
		}
		shown = showPolicy(rules, scope)
		return nil
	})
	if err != nil {
		return err
	}
	shown.Parts, shown.Effective = nil, nil
	return a.printPolicies([]shownPolicy{shown})
}
