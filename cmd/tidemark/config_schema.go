package main

import (
	"github.com/spf13/cobra"

	"tidemark/deploy"
)

func newConfigSchema(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of the configuration file, for editors",
		Long: `Prints the JSON schema of the configuration file. Editors that know YAML complete
and check the file by it: its first line names the schema, beside the file.`,
		Example: "  tidemark config schema > tidemark.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.Write(deploy.ConfigSchema)
			return err
		},
	}
}
