package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tidemark/agent"
)

func newStatus(a *app) *cobra.Command {
	all, watch, every := false, false, 2*time.Second
	c := &cobra.Command{
		Use:   "status",
		Short: "Is all well? What is wrong first, then every table",
		Long: `Shows what is wrong, and what to do about it, and then every table: what was
decided about it last and why, its rows here and in the cloud, how long changes
have been waiting, and when it is due.

It asks the running service. When there is none it shows what the service left
in its state file, says so, and ends with 4.

With --watch it goes on: in place on a terminal, elsewhere with a line for each
thing that has changed, or with --json a document in a line for each look. It ends
with the code of what it saw last.`,
		Example: `  tidemark status
  tidemark status --watch
  tidemark status --json | jq '.tables[] | select(.state != "ok")'`,
		Args: cobra.NoArgs,
	}
	asJSON := jsonFlag(c)
	c.Flags().BoolVar(&all, "all", false, "also what is only worth knowing: servers, epochs, notes")
	c.Flags().BoolVar(&watch, "watch", false, "go on showing it, until Ctrl-C")
	c.Flags().DurationVar(&every, "every", every, "with --watch, how often to look")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if every < minEvery {
			return usageError{fmt.Errorf("--every %s: %s is the least", every, minEvery)}
		}
		ctx, show := cmd.Context(), a.showStatus(*asJSON, all)
		if watch {
			return a.watchStatus(ctx, every, *asJSON, all)
		}
		return a.withViewer(ctx, func(v agent.Viewer) error {
			s, err := v.Status(ctx)
			if err != nil {
				return err
			}
			if err := show(s); err != nil {
				return err
			}
			return judge(s)
		})
	}
	return c
}

func (a *app) showStatus(asJSON, all bool) func(agent.Status) error {
	if asJSON {
		return func(s agent.Status) error { return a.printJSON(s) }
	}
	return func(s agent.Status) error { return printStatus(a.out, s, all) }
}

// judge is the error that a status ends the program with.
func judge(s agent.Status) error {
	switch {
	case !s.Live:
		return errNotLive
	case !s.Healthy:
		return errUnwell
	}
	return nil
}
