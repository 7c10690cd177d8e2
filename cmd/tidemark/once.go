package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"tidemark/agent"
	"tidemark/agent/journal"
	"tidemark/internal/fault"
)

func newOnce(a *app) *cobra.Command {
	takeOver, patience := false, time.Minute
	c := &cobra.Command{
		Use:   "once",
		Short: "Run one cycle of every table in this terminal",
		Long: `Runs one cycle of every table, prints what was decided and what came of it, and
ends with 0 when all is well. The service must not run at the same time. On
standard error the log has warnings alone, unless log.level is in the file.`,
		Example: `  tidemark once
  tidemark once --patience 5m && echo both sides are up to date`,
		Args: cobra.NoArgs,
	}
	c.Flags().DurationVar(&patience, "patience", patience, "give up when the cloud stays away for longer")
	c.Flags().BoolVar(&takeOver, "take-over", false, "become the writer of tables that another installation wrote (it must not run any more)")
	c.RunE = func(cmd *cobra.Command, _ []string) error { return a.once(cmd.Context(), patience, takeOver) }
	return c
}

func (a *app) once(ctx context.Context, patience time.Duration, takeOver bool) (err error) {
	c, err := a.config()
	if err != nil {
		return err
	}
	if c.Log.File == "" && !c.Log.LevelSet {
		c.Log.Level = "warn" // what is decided is printed
	}
	log, closeLog, err := newLogger(c.Log, a.err)
	if err != nil {
		return err
	}
	defer closeLog()
	if err := settle(ctx, c); err != nil {
		return err
	}
	var printing sync.Mutex
	ag, err := a.newAgent(c, agent.Options{Log: log, Decided: func(e journal.Entry) {
		printing.Lock()
		defer printing.Unlock()
		printEntry(a.out, e)
	}}, takeOver)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ag.Close()) }()
	if err := ag.Once(ctx, patience); err != nil {
		return fault.New("run one cycle", err, fault.Hint(err))
	}
	s, err := ag.Status(ctx)
	if err != nil {
		return err
	}
	for _, p := range s.Problems() {
		printProblem(a.out, s.Time, p)
	}
	if !s.Healthy {
		return errUnwell
	}
	return nil
}
