package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/cloud/rollout"
	"tidemark/internal/fault"
)

func newRolloutList(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the rollouts: state, share, customers",
		Example: "  tidemark-cloud rollout list\n  tidemark-cloud rollout list --json",
		Args:    cobra.NoArgs,
	}
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		var shown []shownRollout
		err := a.withStore(c.Context(), func(s cloud.Store) (err error) {
			shown, err = lookAtRollouts(c.Context(), s, "")
			return fault.New("list the rollouts", err, "")
		})
		switch {
		case err != nil:
			return err
		case *asJSON:
			return a.printJSON(map[string]any{"rollouts": shown})
		case len(shown) == 0:
			_, err = fmt.Fprintln(a.out, "no rollouts; `tidemark-cloud rollout create NAME --table TABLE` begins one")
			return err
		}
		w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0) // Flush tells what goes wrong
		_, _ = fmt.Fprintln(w, "ROLLOUT\tTABLES\tSTATE\tSHARE\tCUSTOMERS\tREVISION")
		for _, r := range shown {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d of %d\t%d\n", r.Name, strings.Join(r.Tables, ","), r.stands(), r.Share, r.In, r.Of, r.Revision)
		}
		return w.Flush()
	}
	return c
}

func newRolloutShow(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "show NAME",
		Short:   "Show a rollout: steps, bounds, baseline, why it is where it is",
		Example: "  tidemark-cloud rollout show orders\n  tidemark-cloud rollout show orders --json",
		Args:    oneRollout,
	}
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		var shown []shownRollout
		err := a.withStore(c.Context(), func(s cloud.Store) (err error) {
			shown, err = lookAtRollouts(c.Context(), s, args[0])
			return fault.New("show rollout "+args[0], err, "")
		})
		switch {
		case err != nil:
			return err
		case *asJSON:
			return a.printJSON(shown[0])
		}
		return a.printRollouts(shown)
	}
	return c
}

// shownRollout is what is shown of a rollout.
type shownRollout struct {
	rollout.Rollout
	Revision int64    `json:"revision"`
	In       int      `json:"customers_in"`
	Of       int      `json:"customers"`
	First    []string `json:"first_customers,omitempty"` // some of those in
	// What a step that was asked for waits for; the figures as servers see them
	// while the rollout has to be watched, and whether none does.
	Waits     []string       `json:"waits_for,omitempty"`
	Now       rollout.Sample `json:"now,omitempty"`
	Unwatched bool           `json:"unwatched,omitempty"`
}

// shownCustomers is how many customers are shown by name.
const shownCustomers = 10

// lookAtRollouts reads a rollout, or all, and who is in.
func lookAtRollouts(ctx context.Context, s cloud.Store, name string) ([]shownRollout, error) {
	rules, err := reader(s).Rules(ctx)
	if err != nil {
		return nil, err
	}
	customers, err := s.ListCustomers(ctx)
	if err != nil {
		return nil, err
	}
	shown := []shownRollout{}
	var names []string
	var told map[string]rollout.Sample // once a rollout is watched
	now := time.Now()
	for _, v := range rules.Rollouts {
		names = append(names, v.Name)
		if name != "" && v.Name != name {
			continue
		}
		r := shownRollout{Rollout: v.Rollout, Revision: v.Revision}
		for _, c := range customers {
			inGroup := rules.InGroup(c.ID, v.Group)
			if v.Group != "" && !inGroup {
				continue
			}
			r.Of++
			if _, off := v.Off(c.ID, inGroup); !off {
				r.In++
				if len(r.First) < shownCustomers {
					r.First = append(r.First, c.ID)
				}
			}
		}
		if v.Watched(now) {
			if told == nil {
				if told, err = (&cloud.Board{Store: s}).Told(ctx); err != nil {
					return nil, err
				}
			}
			r.Waits, r.Now, r.Unwatched = v.Waits(told, now), rollout.Worst(told), len(told) == 0
		}
		shown = append(shown, r)
	}
	if name != "" && len(shown) == 0 {
		hint := "`tidemark-cloud rollout list` lists them"
		if meant := cloud.Nearest(name, names); meant != "" {
			hint = fmt.Sprintf("did you mean %q?", meant)
		}
		return nil, fault.New("look for it", fmt.Errorf("rollout %q: %w", name, cloud.ErrUnknown), hint)
	}
	return shown, nil
}

// stands is the state in a word or two.
func (r shownRollout) stands() string {
	if r.Next != nil {
		return fmt.Sprintf("%s, waits for %s", r.State, *r.Next)
	}
	return string(r.State)
}

func (a *app) printRollouts(all []shownRollout) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0) // Flush tells what goes wrong
	line := func(name, format string, args ...any) { _, _ = fmt.Fprintf(w, "  "+name+"\t"+format+"\n", args...) }
	for _, r := range all {
		_, _ = fmt.Fprintf(w, "rollout %s (revision %d)\n", r.Name, r.Revision)
		line("tables", "%s", strings.Join(r.Tables, ", "))
		if r.Group != "" {
			line("group", "%s", r.Group)
		}
		line("state", "%s", r.State)
		if r.Reason != "" {
			line("because", "%s", r.Reason)
		}
		share := r.Share.String()
		if !r.Stepped.IsZero() {
			share += " since " + minute(r.Stepped) + ", " + r.Before.String() + " before"
		}
		line("share", "%s", share)
		if r.Next != nil {
			asked := ""
			if !r.Asked.IsZero() { // by a program of before
				asked = " since " + minute(r.Asked)
			}
			line("waits for", "%s%s, which comes into force when a server has seen the figures for a minute", *r.Next, asked)
			for _, what := range r.Waits {
				line("", "%s", what)
			}
		}
		in := fmt.Sprintf("%d of %d", r.In, r.Of)
		if len(r.First) > 0 {
			in += ": " + strings.Join(r.First, " ")
		}
		if r.In > len(r.First) {
			in += " ..."
		}
		line("customers", "%s", in)
		line("steps", "%s", shares(r.Steps))
		for i, b := range r.Bounds {
			name := ""
			if i == 0 {
				name = "bounds"
			}
			text := b.String()
			if v, ok := r.Baseline[b.Figure]; ok {
				text += ", was " + b.Figure.Format(v) + " before the step"
			}
			if v, ok := r.Now[b.Figure]; ok {
				text += ", is " + b.Figure.Format(v) + " now"
			} else if len(r.Now) > 0 {
				text += ", is not seen now"
			}
			line(name, "%s", text)
		}
		if len(r.Bounds) == 0 {
			line("bounds", "none: nobody watches, and no step is taken back by itself")
		} else {
			nobody := ""
			if r.Unwatched && r.Next == nil { // a step that waits says so itself
				nobody = "; but no server tells its figures now"
			}
			line("watched", "for %s after a step, halted after %s out of bounds%s", short(r.Watch), short(r.Hold), nobody)
		}
	}
	return w.Flush()
}

func shares(all []rollout.Share) string {
	var texts []string
	for _, s := range all {
		texts = append(texts, s.String())
	}
	return strings.Join(texts, ", ")
}

// short is a duration without zeros at its end.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// nearestFigure is the figure that a bound was probably meant for.
func nearestFigure(bound string) string {
	name, _, _ := strings.Cut(bound, "=")
	var names []string
	for _, f := range rollout.AllFigures {
		names = append(names, string(f))
	}
	if slices.Contains(names, name) {
		return ""
	}
	return cloud.Nearest(name, names)
}
