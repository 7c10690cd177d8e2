package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/cloud/rollout"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

func newRollout(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "rollout",
		Short: "Turn tables on for 1 %, 10 %, all customers, and take them back",
		Long: `A rollout turns tables on for a share of the customers: while it is there, they
are off for everybody else. Who is in is decided by a hash, so that a share that
grows keeps those already in.

With bounds it is watched: a larger share comes into force when a server has seen
the figures of a minute, and when one leaves its bounds for --hold, the servers take
the step back by themselves, record why and raise an alarm. Figures:

  reads    blocks a second that Postgres asks the system for (not with SQLite)
  latency  time that 99 of 100 requests are answered in
  queue    requests that wait for a turn
  lag      how far the last replica is behind (not with SQLite, nor without a replica)

A bound is a value (reads=2000, latency=250ms) or a multiple of what it was before
the step (reads=2x).`,
		Example: `  tidemark-cloud rollout create orders --table dbo.orders --bound reads=2x --bound latency=250ms --reason "new table"
  tidemark-cloud rollout step orders --reason "the pilots are well"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return command.NeedsOneOf(cmd) },
	}
	c.AddCommand(newRolloutCreate(a), newRolloutList(a), newRolloutShow(a), newRolloutStep(a),
		newRolloutPause(a), newRolloutResume(a), newRolloutRevert(a), newRolloutEnd(a))
	for _, sub := range c.Commands() {
		a.storeFlag(sub.Flags())
		sub.Flags().SortFlags = false
	}
	return c
}

// oneRollout is the check of an argument that names a rollout.
func oneRollout(c *cobra.Command, args []string) error {
	if err := cobra.ExactArgs(1)(c, args); err != nil {
		return err
	}
	return cloud.CheckName("rollout", args[0])
}

func newRolloutCreate(a *app) *cobra.Command {
	var o operatorFlags
	var steps, bounds []string
	var fresh bool
	r := rollout.Rollout{}
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Begin a rollout; its tables are off for everybody until it is stepped",
		Long: `Begins a rollout at 0%: its tables are off for all customers at once, also for
those who have them now. ` + "`rollout step`" + ` then goes from one of the --steps to the next.

A table that no agent has registered yet needs --new: make the rollout before the
agents get the table into their configuration.`,
		Example: `  tidemark-cloud rollout create orders --table dbo.orders --new --bound reads=2x --bound queue=40 --reason "new table"
  tidemark-cloud rollout create blobs --table dbo.blobs --group pilots --steps 10%,50%,100% --reason "pilots first"`,
		Args: oneRollout,
	}
	c.Flags().StringSliceVar(&r.Tables, "table", nil, "a table, or several")
	c.Flags().StringVar(&r.Group, "group", "", "only customers of this group can be in")
	c.Flags().StringSliceVar(&steps, "steps", []string{"1%", "10%", "100%"}, "shares that step goes to, one after the other")
	c.Flags().StringSliceVar(&bounds, "bound", nil, "a bound of a figure, or several")
	c.Flags().DurationVar(&r.Hold, "hold", rollout.DefaultHold, "time that a figure is out of its bounds before the step is taken back")
	c.Flags().DurationVar(&r.Watch, "watch", rollout.DefaultWatch, "time that a step is watched")
	c.Flags().BoolVar(&r.ToZero, "halt-to-zero", false, "take the tables back from everybody, not only from those that the step added")
	c.Flags().StringVar(&r.Seed, "seed", "", "rollouts of one seed have the same customers first (default: the name)")
	c.Flags().BoolVar(&fresh, "new", false, "a table may be one that no agent has registered yet")
	o.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		r.Name = args[0]
		if r.Seed == "" {
			r.Seed = r.Name
		}
		for _, text := range steps {
			share, err := rollout.ParseShare(text)
			if err != nil {
				return &command.UsageError{Err: fault.New("read --steps", err, "for example --steps 1%,10%,100%")}
			}
			r.Steps = append(r.Steps, share)
		}
		for _, text := range bounds {
			bound, err := readBound(text)
			if err != nil {
				return err
			}
			r.Bounds = append(r.Bounds, bound)
		}
		if err := r.Check(); err != nil {
			return &command.UsageError{Err: fault.New("read the command line", err, "`tidemark-cloud rollout create --help` tells what a rollout has")}
		}
		return a.changeRollout(c.Context(), &o, r.Name, func(operator cloud.Operator) error {
			operator.NewTables = fresh
			_, err := operator.CreateRollout(c.Context(), r)
			return err
		})
	}
	return c
}

func readBound(text string) (rollout.Bound, error) {
	bound, err := rollout.ParseBound(text)
	if err == nil {
		return bound, nil
	}
	hint := "figures are reads, latency, queue and lag; for example --bound reads=2x"
	if meant := nearestFigure(text); meant != "" {
		hint = fmt.Sprintf("did you mean %q?", meant)
	}
	return bound, &command.UsageError{Err: fault.New("read --bound", err, hint)}
}

func newRolloutStep(a *app) *cobra.Command {
	var o operatorFlags
	var to string
	c := &cobra.Command{
		Use:   "step NAME",
		Short: "Turn the tables on for the next share of the customers, or for --to",
		Long: `Goes to the next share. Without bounds it is in force at once. With bounds it
waits until a server has seen the figures for a minute; nothing happens while no
server runs, while a figure is not known, or while one is out of its bounds:
"rollout show" says which.`,
		Example: "  tidemark-cloud rollout step orders --reason \"the pilots are well\"\n  tidemark-cloud rollout step orders --to 25% --reason \"carefully\"",
		Args:    oneRollout,
	}
	c.Flags().StringVar(&to, "to", "", "the share, such as 25%")
	o.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		var share rollout.Share
		if to != "" {
			var err error
			if share, err = rollout.ParseShare(to); err != nil {
				return &command.UsageError{Err: fault.New("read --to", err, "for example --to 25%")}
			}
		}
		return a.operateRollout(c.Context(), &o, "step", args[0], func(r rollout.Rollout, now time.Time) (rollout.Rollout, error) {
			if to == "" {
				next, ok := r.Following()
				if !ok {
					return r, fmt.Errorf("%w: it has no step after %s", rollout.ErrState, r.Share)
				}
				share = next
			}
			return r.Step(share, now)
		})
	}
	return c
}

func newRolloutPause(a *app) *cobra.Command {
	var o operatorFlags
	c := &cobra.Command{
		Use:     "pause NAME",
		Short:   "Turn the tables off for everybody, and keep the share",
		Example: "  tidemark-cloud rollout pause orders --reason \"looking at the reads\"",
		Args:    oneRollout,
	}
	o.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.operateRollout(c.Context(), &o, "pause", args[0], func(r rollout.Rollout, _ time.Time) (rollout.Rollout, error) { return r.Pause(o.reason) })
	}
	return c
}

func newRolloutResume(a *app) *cobra.Command {
	var o operatorFlags
	c := &cobra.Command{
		Use:     "resume NAME",
		Short:   "End a pause: the tables are on again for the same share",
		Example: "  tidemark-cloud rollout resume orders --reason \"it was something else\"",
		Args:    oneRollout,
	}
	o.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.operateRollout(c.Context(), &o, "resume", args[0], rollout.Rollout.Resume)
	}
	return c
}

func newRolloutRevert(a *app) *cobra.Command {
	var o operatorFlags
	var to string
	c := &cobra.Command{
		Use:     "revert NAME",
		Short:   "Take the last step back, or go back to --to",
		Example: "  tidemark-cloud rollout revert orders --reason \"reads have tripled\"\n  tidemark-cloud rollout revert orders --to 0% --reason \"not this year\"",
		Args:    oneRollout,
	}
	c.Flags().StringVar(&to, "to", "", "the share (default: the one before the last step)")
	o.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		share := rollout.Share(-1)
		if to != "" {
			var err error
			if share, err = rollout.ParseShare(to); err != nil {
				return &command.UsageError{Err: fault.New("read --to", err, "for example --to 0%")}
			}
		}
		return a.operateRollout(c.Context(), &o, "revert", args[0], func(r rollout.Rollout, now time.Time) (rollout.Rollout, error) {
			if to == "" {
				share = r.Before
				if r.Next != nil { // a step that waits is what is taken back
					share = r.Share
				}
			}
			return r.Revert(share, o.reason, now)
		})
	}
	return c
}

func newRolloutEnd(a *app) *cobra.Command {
	var o operatorFlags
	c := &cobra.Command{
		Use:   "end NAME",
		Short: "Remove a rollout that is at 100%: its tables are like any other",
		Long: `Removes a rollout that everybody is in. One that is not at 100% stays: without it
its tables would be on for all customers. A rollout of a group keeps the tables
off for those who are not in the group; to end it turns them on there, too.`,
		Example: "  tidemark-cloud rollout end orders --reason \"all have it\"",
		Args:    oneRollout,
	}
	o.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		err := a.withStore(c.Context(), func(s cloud.Store) error { return o.operator(s).EndRollout(c.Context(), args[0]) })
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.out, "rollout %s: ended\n", args[0])
		return err
	}
	return c
}

// operateRollout changes a rollout and shows it.
func (a *app) operateRollout(ctx context.Context, o *operatorFlags, action, name string, f func(rollout.Rollout, time.Time) (rollout.Rollout, error)) error {
	return a.changeRollout(ctx, o, name, func(operator cloud.Operator) error {
		_, err := operator.ChangeRollout(ctx, action, name, f)
		return err
	})
}

func (a *app) changeRollout(ctx context.Context, o *operatorFlags, name string, change func(cloud.Operator) error) error {
	var shown []shownRollout
	err := a.withStore(ctx, func(s cloud.Store) error {
		operator := o.operator(s)
		if err := change(operator); err != nil {
			return err
		}
		var err error
		shown, err = lookAtRollouts(ctx, s, name)
		return err
	})
	if err != nil {
		return err
	}
	return a.printRollouts(shown)
}
