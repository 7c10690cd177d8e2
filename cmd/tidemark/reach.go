package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"tidemark/agent"
	"tidemark/agent/config"
	"tidemark/agent/control"
)

// withAgent runs do with the running agent.
func (a *app) withAgent(do func(context.Context, agent.Control) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		_, err := a.ask(func(client agent.Control) error { return do(cmd.Context(), client) })
		return err
	}
}

// ask runs do with the running agent. With mistakes in the file the agent goes
// on with the one before, and can be asked; when none runs they are the error.
func (a *app) ask(do func(agent.Control) error) (*config.Config, error) {
	c, mistakes := a.view()
	var dir string
	switch {
	case mistakes == nil:
		dir = c.StateDir
	case errors.As(mistakes, new(config.Problems)):
		dir = config.StateDirOf(a.configPath)
	default:
		return nil, mistakes
	}
	client := control.NewClient(dir)
	defer client.Close()
	err := do(client)
	if mistakes != nil {
		if errors.Is(err, control.ErrNotRunning) {
			return nil, mistakes
		}
		_, _ = fmt.Fprintln(a.err, "the configuration has mistakes, the service goes on with what it has; `tidemark config check` shows them")
	}
	return c, err
}

// withTable is withAgent for commands whose one argument is a table.
func (a *app) withTable(do func(context.Context, agent.Control, string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		table := ""
		if len(args) > 0 {
			table = args[0]
		}
		return a.withAgent(func(ctx context.Context, c agent.Control) error { return do(ctx, c, table) })(cmd, args)
	}
}

// withViewer runs do with the running agent or, when there is none, with what
// its state file tells.
func (a *app) withViewer(ctx context.Context, do func(agent.Viewer) error) error {
	c, err := a.ask(func(client agent.Control) error { return do(client) })
	if !errors.Is(err, control.ErrNotRunning) {
		return err
	}
	offline, closeIt, offErr := openOffline(ctx, c)
	if offErr != nil {
		_, _ = fmt.Fprintf(a.err, "its state cannot be read either: %s\n", offErr)
		return err
	}
	defer closeIt()
	return do(offline)
}

// completeTables offers the datasets of the configuration to the shell.
func (a *app) completeTables(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := a.view()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, s := range c.Sources {
		for _, t := range s.Tables {
			names = append(names, t.Dataset)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// oneTable is what the arguments of most commands have to be.
func oneTable(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return fmt.Errorf("%s needs the name of a table", cmd.Name())
	case 1:
		return nil
	}
	return fmt.Errorf("%s takes one table, not %d: is a name with blanks in quotes?", cmd.Name(), len(args))
}
