package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/internal/command"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

func newPolicySet(a *app) *cobra.Command {
	var s subjectFlags
	var o operatorFlags
	var tables []string
	var off, on, fresh bool
	var interval time.Duration
	var skips, rows int
	c := &cobra.Command{
		Use:   "set",
		Short: "Narrow tables: turn them off, slow them down, cap their batches",
		Long: `Sets for each --table what the flags say and leaves the rest of its line as it
is; 0 takes a bound away. "*" is for tables that the policy does not name.`,
		Example: `  tidemark-cloud policy set --table dbo.orders --min-interval 10m --reason "too many reads"
  tidemark-cloud policy set --customer acme --table dbo.blobs --off --reason "too large for their line"
  tidemark-cloud policy set --group pilots --table '*' --max-batch-rows 500 --reason test`,
		Args: cobra.NoArgs,
	}
	c.Flags().StringSliceVar(&tables, "table", nil, "a table, or several; \"*\" for those not named")
	s.add(c)
	c.Flags().BoolVar(&off, "off", false, "turn it off")
	c.Flags().BoolVar(&on, "on", false, "no longer turn it off")
	c.MarkFlagsMutuallyExclusive("on", "off")
	c.Flags().DurationVar(&interval, "min-interval", 0, "time between two cycles at least")
	c.Flags().IntVar(&skips, "forced-skips", 0, "cycles to skip after a sync at least")
	c.Flags().IntVar(&rows, "max-batch-rows", 0, "rows of a batch at most")
	c.Flags().BoolVar(&fresh, "new", false, "a table may be one that no agent has registered yet")
	o.add(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if len(tables) == 0 {
			return &command.UsageError{Err: fault.New("read the command line", errors.New("no --table is given"), "--table '*' is for all that are not named")}
		}
		if interval < 0 || interval%time.Second != 0 {
			return &command.UsageError{Err: fault.New("read the command line", fmt.Errorf("--min-interval %s is not in whole seconds", interval), "")}
		}
		changed := false
		for _, name := range []string{"off", "on", "min-interval", "forced-skips", "max-batch-rows"} {
			changed = changed || c.Flags().Changed(name)
		}
		if !changed {
			return &command.UsageError{Err: fault.New("read the command line", errors.New("nothing is set"), "`tidemark-cloud policy set --help` tells what can be")}
		}
		return a.changePolicy(c.Context(), &o, fresh, "policy set", s.scope(), func(p wire.Policy) (wire.Policy, error) {
			for _, name := range tables {
				t := p.Tables[name]
				if off || on {
					t.Disabled = off
				}
				for flag, set := range map[string]func(){
					"min-interval":   func() { t.MinInterval = int(interval / time.Second) },
					"forced-skips":   func() { t.ForcedSkips = skips },
					"max-batch-rows": func() { t.MaxRows = rows },
				} {
					if c.Flags().Changed(flag) {
						set()
					}
				}
				if t.Reason = o.reason; t == (wire.TablePolicy{Reason: o.reason}) {
					t = wire.TablePolicy{}
				}
				p.Tables[name] = t
			}
			return p, nil
		})
	}
	return c
}

func newPolicyClear(a *app) *cobra.Command {
	var s subjectFlags
	var o operatorFlags
	var tables []string
	c := &cobra.Command{
		Use:     "clear",
		Short:   "Take a policy back, or what it says of some tables",
		Example: "  tidemark-cloud policy clear --customer acme --reason \"their line is fast now\"\n  tidemark-cloud policy clear --table dbo.orders --reason done",
		Args:    cobra.NoArgs,
	}
	c.Flags().StringSliceVar(&tables, "table", nil, "only what is said of this table, or of several")
	s.add(c)
	o.add(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.changePolicy(c.Context(), &o, false, "policy clear", s.scope(), func(p wire.Policy) (wire.Policy, error) {
			if len(tables) == 0 {
				return wire.Policy{}, nil
			}
			for _, name := range tables {
				if _, ok := p.Tables[name]; !ok {
					return p, fmt.Errorf("the policy says nothing of table %q: %w", name, cloud.ErrUnknown)
				}
				delete(p.Tables, name)
			}
			return p, nil
		})
	}
	return c
}

func newPolicyPause(a *app) *cobra.Command {
	var s subjectFlags
	var o operatorFlags
	var tables []string
	c := &cobra.Command{
		Use:   "pause",
		Short: "Have the fleet, a group, a customer or a table stand still",
		Long: `Has everything stand still, of all customers or of some; with --table only those
tables. What waits at the sites is sent after the pause: nothing is lost.`,
		Example: "  tidemark-cloud policy pause --reason \"the database is moved\"\n  tidemark-cloud policy pause --group pilots --table dbo.orders --reason \"too slow\"",
		Args:    cobra.NoArgs,
	}
	c.Flags().StringSliceVar(&tables, "table", nil, "only this table, or several")
	s.add(c)
	o.add(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.changePolicy(c.Context(), &o, false, "policy pause", s.scope(), func(p wire.Policy) (wire.Policy, error) {
			if len(tables) == 0 {
				p.Paused, p.Reason = true, o.reason
			}
			for _, name := range tables {
				t := p.Tables[name]
				t.Disabled, t.Reason = true, o.reason
				p.Tables[name] = t
			}
			return p, nil
		})
	}
	return c
}

func newPolicyResume(a *app) *cobra.Command {
	var s subjectFlags
	var o operatorFlags
	var tables []string
	c := &cobra.Command{
		Use:     "resume",
		Short:   "End a pause",
		Example: "  tidemark-cloud policy resume --reason \"the database has moved\"\n  tidemark-cloud policy resume --group pilots --table dbo.orders --reason \"fast again\"",
		Args:    cobra.NoArgs,
	}
	c.Flags().StringSliceVar(&tables, "table", nil, "only this table, or several")
	s.add(c)
	o.add(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return a.changePolicy(c.Context(), &o, false, "policy resume", s.scope(), func(p wire.Policy) (wire.Policy, error) {
			if len(tables) == 0 {
				p.Paused, p.Reason = false, ""
			}
			for _, name := range tables {
				t := p.Tables[name]
				if t.Disabled = false; t == (wire.TablePolicy{Reason: t.Reason}) {
					t.Reason = ""
				}
				p.Tables[name] = t
			}
			return p, nil
		})
	}
	return c
}
