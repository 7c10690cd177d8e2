package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"tidemark/agent/config"
)

// A checked file is what "config check" found out.
type checked struct {
	OK       bool            `json:"ok"`
	Problems config.Problems `json:"problems,omitempty"`
	Probes   []finding       `json:"probes,omitempty"` // none where the file has mistakes, or with --offline
}

func newConfigCheck(a *app) *cobra.Command {
	offline := false
	c := &cobra.Command{
		Use:   "check",
		Short: "Show every mistake in the configuration file, and try what it names",
		Long: `Reads the configuration file and shows every mistake in it at once, each with its
line, and every secret, file and environment variable that it refers to and that
is not there. Where there is none it tries what the file names: the cloud and the
key, each server and login, each table; and shows what does not work.
"tidemark doctor" looks at the machine and the service besides.

It ends with 3 when the file has mistakes, and with 1 when it has none and
something does not work. With --offline it connects to nothing.`,
		Example: "  tidemark config check\n  tidemark config check --offline --config new.yaml",
		Args:    cobra.NoArgs,
	}
	c.Flags().BoolVar(&offline, "offline", false, "look at the file alone")
	asJSON := jsonFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := a.config()
		var got checked
		if err != nil && (!*asJSON || !errors.As(err, &got.Problems)) {
			return err
		}
		if err == nil && !offline {
			got.Probes = probe(cmd.Context(), c)
			if err := cmd.Context().Err(); err != nil {
				return err
			}
		}
		bad := slices.ContainsFunc(got.Probes, func(f finding) bool { return f.Verdict == wrong })
		got.OK = err == nil && !bad
		printed := error(nil)
		if *asJSON {
			printed = a.printJSON(got)
		} else {
			printed = a.printChecked(c, got, offline)
		}
		switch {
		case printed != nil:
			return printed
		case err != nil:
			return configError{errUnwell}
		case bad:
			return errUnwell
		}
		return nil
	}
	return c
}

// probe tries what a configuration names.
func probe(ctx context.Context, c *config.Config) []finding {
	all, reached := examineNetwork(ctx, c, time.Now())
	if reached {
		all = append(all, examineCloud(ctx, c))
	}
	if err := resolve(ctx, c); err != nil {
		all = append(all, failed("patterns", err))
	}
	for _, s := range c.Sources {
		all = append(all, examineSource(ctx, s, nil)...)
	}
	return all
}

// printChecked is for a file without mistakes.
func (a *app) printChecked(c *config.Config, got checked, offline bool) error {
	tables := 0
	for _, s := range c.Sources {
		tables += len(s.Tables)
	}
	works := ""
	if !offline && got.OK {
		works = "; all of it answers"
	}
	_, err := fmt.Fprintf(a.out, "%s: right, customer %s, %s, %s%s\n", a.configPath, c.Customer,
		plural(int64(len(c.Sources)), "source"), plural(int64(tables), "table"), works)
	if err != nil || got.OK {
		return err
	}
	return printFindings(a.out, slices.DeleteFunc(slices.Clone(got.Probes), func(f finding) bool { return f.Verdict != wrong }))
}
