package main

import (
	"github.com/spf13/cobra"

	"tidemark/agent"
)

func newStatus(a *app) *cobra.Command {
	all := false
	c := &cobra.Command{
		Use:   "status",
		Short: "Is all well? What is wrong first, then every table",
		Long: `Shows what is wrong, and what to do about it, and then every table: what was
decided about it last and why, its rows here and in the cloud, how long changes
have been waiting, and when it is due.

It asks the running service. When there is none it shows what the service left
in its state file, says so, and ends with 4.`,
		Example: `  tidemark status
  tidemark status --json | jq '.tables[] | select(.state != "ok")'`,
		Args: cobra.NoArgs,
	}
	asJSON := jsonFlag(c)
	c.Flags().BoolVar(&all, "all", false, "also what is only worth knowing: servers, epochs, notes")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.withViewer(cmd.Context(), func(v agent.Viewer) error {
			s, err := v.Status(cmd.Context())
			if err != nil {
				return err
			}
			if *asJSON {
				err = a.printJSON(s)
			} else {
				err = printStatus(a.out, s, all)
			}
			switch {
			case err != nil:
				return err
			case !s.Live:
				return errNotLive
			case !s.Healthy:
				return errUnwell
			}
			return nil
		})
	}
	return c
}
