package main

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"tidemark/agent"
	"tidemark/agent/config"
	"tidemark/agent/control"
	"tidemark/agent/metrics"
	"tidemark/installer"
	"tidemark/internal/fault"
)

func newRun(a *app) *cobra.Command {
	takeOver := false
	c := &cobra.Command{
		Use:   "run",
		Short: "Serve the site: what the service does",
		Long: `Serves the site until it is stopped: looks at every table when it is due and
sends what changed. The service runs this; in a terminal Ctrl-C stops it.

The configuration is read again when its file changes, on SIGHUP, and with
"tidemark reload". One with mistakes changes nothing, and "tidemark status" says
so. Tables that have come and that a pattern takes are found within the hour.`,
		Example: "  tidemark run --config ./tidemark.yaml",
		Args:    cobra.NoArgs,
	}
	c.Flags().BoolVar(&takeOver, "take-over", false, "become the writer of tables that another installation wrote (it must not run any more)")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return installer.Run(cmd.Context(), func(ctx context.Context, m installer.Manager) error { return a.serve(ctx, m, takeOver) })
	}
	return c
}

// serve runs agent and control channel until ctx ends.
func (a *app) serve(ctx context.Context, m installer.Manager, takeOver bool) (err error) {
	var ag *agent.Agent
	file := &follower{path: a.configPath, reload: func(ctx context.Context) error { return ag.Reload(ctx) }}
	file.begin()
	c, err := a.config()
	if err != nil {
		return err
	}
	output, err := openServiceLog(c.Log, a.err)
	if err != nil {
		return err
	}
	defer output.close()
	log := output.Logger
	// Without the tables of patterns the service starts all the same, and
	// looks for them again.
	var current atomic.Pointer[config.Config]
	current.Store(c)
	if unsettled := settle(ctx, c); unsettled != nil {
		log.Warn("config.tables", zap.Error(unsettled), zap.String("hint", fault.Hint(unsettled)))
		file.retry = true
	}
	file.stale = func(ctx context.Context) bool { return a.outgrown(ctx, takenBy(current.Load())) }
	var sums metrics.Recorder
	var around *surroundings
	var next struct { // between a configuration that was read and its being in force
		config *config.Config
		around *nextSurroundings
	}
	ag, err = a.newAgent(c, agent.Options{Log: log, Decided: sums.Add, Alive: m.Alive, Reload: func(ctx context.Context) (agent.Site, error) {
		file.begin()
		again, err := a.config()
		if err != nil {
			return agent.Site{}, err
		}
		if again.StateDir != c.StateDir {
			return agent.Site{}, fault.New("take it over", errors.New("needs a restart: state_dir"), "restart the service for that: `tidemark service restart`")
		}
		if err := settle(ctx, again); err != nil {
			return agent.Site{}, err
		}
		prepared, err := around.prepare(again)
		if err != nil {
			return agent.Site{}, err
		}
		site, err := openSite(again)
		if err != nil {
			prepared.drop()
			return agent.Site{}, err
		}
		next.config, next.around = again, prepared
		return site, nil
	}, Reloaded: func(err error) {
		if err != nil {
			next.around.drop()
		} else {
			current.Store(next.config)
			around.become(next.around)
		}
		next.config, next.around = nil, nil
	}}, takeOver)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ag.Close()) }()
	channel, err := control.Listen(ctx, c.StateDir, asked{ag, log})
	switch {
	case errors.Is(err, control.ErrNoSockets): // rows go on without commands
		log.Warn("control.none", zap.Error(err), zap.String("hint", fault.Hint(err)))
	case err != nil:
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	around = &surroundings{output, newListeners(ctx, ag, &sums, log)}
	if !around.listeners.begin(c) {
		file.retry = true // which tells in the status, until it can
	}
	m.Ready()
	log.Info("started", zap.String("version", build()), zap.String("customer", c.Customer), zap.String("config", c.Path))
	if channel != nil {
		group.Go(func() error { return channel.Run(ctx) })
	}
	group.Go(func() error { return ag.Run(ctx) })
	group.Go(func() error { file.run(ctx); return nil })
	err = group.Wait()
	around.listeners.wait()
	log.Info("stopped", zap.Error(err))
	return err
}

// newAgent opens the site of a configuration and its state.
func (a *app) newAgent(c *config.Config, o agent.Options, takeOver bool) (*agent.Agent, error) {
	site, err := openSite(c)
	if err != nil {
		return nil, err
	}
	site.TakeOver = takeOver
	o.StateDir, o.Version = c.StateDir, build()
	return agent.New(site, o)
}
