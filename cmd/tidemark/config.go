package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"tidemark/agent/config"
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

func newConfigCheck(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Show every mistake in the configuration file",
		Long: `Reads the configuration file and shows every mistake in it at once, each with its
line, and every file and environment variable that it refers to and that is not
there. It connects to nothing: see "tidemark doctor" for that.`,
		Example: "  tidemark config check\n  tidemark config check --config new.yaml",
		Args:    cobra.NoArgs,
	}
	asJSON := jsonFlag(c)
	c.RunE = func(*cobra.Command, []string) error {
		c, err := a.config()
		if *asJSON {
			var problems config.Problems
			if err != nil && !errors.As(err, &problems) {
				return err
			}
			if printed := a.printJSON(struct {
				OK       bool            `json:"ok"`
				Problems config.Problems `json:"problems,omitempty"`
			}{err == nil, problems}); printed != nil || err == nil {
				return printed
			}
			return configError{errUnwell}
		}
		if err != nil {
			return err
		}
		tables := 0
		for _, s := range c.Sources {
			tables += len(s.Tables)
		}
		_, err = fmt.Fprintf(a.out, "%s: right, customer %s, %s, %s\n", a.configPath, c.Customer, plural(int64(len(c.Sources)), "source"), plural(int64(tables), "table"))
		return err
	}
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
