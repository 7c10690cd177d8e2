package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

func newAudit(a *app) *cobra.Command {
	var since time.Duration
	var subject string
	var most int
	c := &cobra.Command{
		Use:   "audit",
		Short: "List who changed what, when and why",
		Long: `Lists what operators changed, the newest first: when, who, what, why. It has
policies, groups and rollouts; customers and operators that were added and removed,
and keys and codes that they were given; tables that were released. What a server did
by itself (a step that came into force, a rollout that was halted) is listed, too.
--json has the documents before and after each change of a policy, group or rollout.
Records are kept for two years (serve --keep-audit).`,
		Example: "  tidemark-cloud audit\n  tidemark-cloud audit --subject \"rollout orders\" --json\n  tidemark-cloud audit --subject \"customer acme\"",
		Args:    cobra.NoArgs,
	}
	c.Flags().DurationVar(&since, "since", 0, "only of this time, such as 24h; 0: all")
	c.Flags().StringVar(&subject, "subject", "", "only of this: rollout, \"rollout NAME\", \"policy fleet\", \"policy customer:acme\", \"customer acme\"")
	c.Flags().IntVarP(&most, "number", "n", 50, "changes at most; 0: all")
	asJSON := jsonFlag(c)
	a.storeFlag(c.Flags())
	c.Flags().SortFlags = false
	c.RunE = func(c *cobra.Command, _ []string) error {
		if since < 0 || most < 0 {
			return &command.UsageError{Err: fault.New("read the command line", fmt.Errorf("a number is negative"), "")}
		}
		q := cloud.RecordQuery{Subject: subject, Most: most}
		if since > 0 {
			q.Since = time.Now().Add(-since)
		}
		var all []cloud.Recorded
		err := a.withStore(c.Context(), func(s cloud.Store) (err error) {
			all, err = s.Recorded(c.Context(), q)
			return fault.New("read the record", err, "")
		})
		if err != nil {
			return err
		}
		if *asJSON {
			return a.printRecordJSON(all)
		}
		if len(all) == 0 {
			_, err = fmt.Fprintln(a.out, "nothing is recorded")
		}
		for _, r := range all {
			what := r.Subject
			if !strings.HasPrefix(r.Action, strings.Fields(r.Subject)[0]+" ") {
				what += " (" + r.Action + ")"
			} else {
				what = r.Action + " " + strings.Join(strings.Fields(r.Subject)[1:], " ")
			}
			if r.Why != "" {
				what += ": " + r.Why
			}
			if _, err = fmt.Fprintf(a.out, "%d  %s  %s  %s\n", r.Revision, r.At.UTC().Format("2006-01-02 15:04:05Z"), r.Who, what); err != nil {
				return err
			}
		}
		return err
	}
	return c
}

// shownRecord is a change as --json prints it.
type shownRecord struct {
	Revision int64     `json:"revision"`
	At       time.Time `json:"at"`
	Who      string    `json:"who"`
	Why      string    `json:"why"`
	Action   string    `json:"action"`
	Subject  string    `json:"subject"`
	Before   document  `json:"before"` // null where there was none
	After    document  `json:"after"`
}

// document is JSON as it is stored.
type document string

func (d document) MarshalJSON() ([]byte, error) {
	if d == "" {
		return []byte("null"), nil
	}
	return []byte(d), nil
}

func (a *app) printRecordJSON(all []cloud.Recorded) error {
	shown := []shownRecord{}
	for _, r := range all {
		shown = append(shown, shownRecord{r.Revision, r.At, r.Who, r.Why, r.Action, r.Subject, document(r.Before), document(r.After)})
	}
	return a.printJSON(map[string]any{"changes": shown})
}
