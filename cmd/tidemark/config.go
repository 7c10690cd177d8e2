package main

import (
	"github.com/spf13/cobra"

	"tidemark/deploy"
)

func newConfig(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "config",
		Short:   "Check the configuration file, or print one to begin with",
		Example: "  tidemark config check\n  tidemark config example > tidemark.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return needsOneOf(cmd)
		},
	}
	c.AddCommand(newConfigCheck(a), newConfigExample(a), newConfigSchema(a))
	return c
}

func newConfigExample(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "example",
		Short:   "Print a configuration file whose comments explain it",
		Example: "  tidemark config example > tidemark.yaml",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.Write(deploy.ExampleConfig)
			return err
		},
	}
}
