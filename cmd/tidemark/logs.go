package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"github.com/spf13/cobra"

	"tidemark/agent/config"
	"tidemark/installer"
	"tidemark/internal/fault"
)

func newLogs(a *app) *cobra.Command {
	n, follow := 50, false
	c := &cobra.Command{
		Use:   "logs",
		Short: "Show the log, and what comes",
		Long: `Shows the last lines of the file that log.file in the configuration names, and of
those that it was before. Where the log goes to standard error instead, it says
who keeps it.`,
		Example: "  tidemark logs\n  tidemark logs -f\n  tidemark logs -n 0 | grep table.problem",
		Args:    cobra.NoArgs,
	}
	c.Flags().IntVarP(&n, "lines", "n", n, "how many lines, 0 for all")
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is written, until Ctrl-C")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if n < 0 {
			return usageError{fmt.Errorf("-n %d: how many lines should that be?", n)}
		}
		c, err := a.view()
		if err != nil {
			return err
		}
		if c.Log.File == "" {
			return elsewhere(n, follow)
		}
		return a.showLog(cmd.Context(), c.Log, n, follow)
	}
	return c
}

func (a *app) showLog(ctx context.Context, c config.Log, n int, follow bool) error {
	r := logReader{path: c.File, keep: c.Keep}
	err := r.tail(n, a.out)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !follow:
		return fault.New("read the log", fmt.Errorf("there is no %s yet", c.File), "`tidemark service status`: has the service run, with this configuration?")
	case errors.Is(err, fs.ErrPermission):
		return fault.New("read the log", err, "run this as an administrator (sudo), or as the account or group of the service")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fault.New("read the log", err, "")
	case !follow:
		return nil
	}
	return fault.New("follow the log", r.follow(ctx, a.out), "")
}

// elsewhere is the error where the log is in no file.
func elsewhere(n int, follow bool) error {
	hint := "the service has nobody who reads its standard error: set log.file in the configuration and restart it"
	if runtime.GOOS == "linux" {
		hint = "journalctl -u " + installer.DefaultName
		if n > 0 {
			hint += fmt.Sprintf(" -n %d", n)
		}
		if follow {
			hint += " -f"
		}
	}
	return fault.New("read the log", errors.New("log.file is not set: the log goes to standard error, which the service manager keeps"), hint)
}
