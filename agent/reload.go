package agent

import (
	"context"
	"errors"
	"strings"

	"go.uber.org/zap"

	"tidemark/internal/fault"
)

// A swap is a site that is to take the place of the one served.
type swap struct {
	site Site
	done chan error // buffered
}

// Reload implements Control. Until one succeeds, Status tells why the last one
// did not.
func (a *Agent) Reload(ctx context.Context) error {
	const op = "read the configuration again"
	if a.reload == nil {
		return fault.New(op, errors.New("this agent was not started from a file"), "")
	}
	a.reloading.Lock()
	defer a.reloading.Unlock()
	err := a.reloadNow(ctx, op)
	if a.settled != nil {
		a.settled(err)
	}
	if ctx.Err() == nil {
		a.reloaded(err)
	}
	return err
}

// reloaded books how a reload went.
func (a *Agent) reloaded(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.refused
	a.refused = nil
	if err == nil {
		return
	}
	message, _, _ := strings.Cut(err.Error(), "\n") // the first mistake, without its picture
	p := Problem{Kind: ProblemConfig, Scope: "configuration", Message: message, Hint: fault.Hint(err)}
	a.refused = p.since(before, a.now(), 0)
	if before == nil || before.Message != message { // it is tried again and again
		a.log.Warn("config.refused", zap.Error(err))
	}
}

func (a *Agent) reloadNow(ctx context.Context, op string) error {
	site, err := a.reload(ctx)
	if err != nil {
		return fault.New(op, err, "the agent goes on with what it has; `tidemark config check` shows the mistakes")
	}
	if site.Customer != a.site.Customer {
		return errors.Join(fault.New(op, errors.New("needs a restart: customer"), "restart the service for that: `tidemark service restart`"), site.Close())
	}
	s := swap{site, make(chan error, 1)}
	select {
	case a.swap <- s:
	case <-ctx.Done():
		return errors.Join(fault.New(op, ctx.Err(), ""), site.Close())
	}
	return <-s.done // Run answers once the cycles have ended, which has a deadline of its own
}

// become closes the site that was served and installs another. What is
// remembered of tables goes over by their datasets.
func (a *Agent) become(site Site) error {
	if err := a.flush(); err != nil {
		a.log.Error("state.failed", zap.Error(err))
	}
	if err := a.site.Close(); err != nil {
		a.log.Warn("config.close", zap.Error(err))
	}
	snapshot, err := a.db.Read()
	if err != nil {
		a.log.Error("state.failed", zap.Error(err)) // begins with nothing, which costs a comparison
	}
	a.install(site, snapshot)
	a.log.Info("config.reloaded")
	return nil
}
