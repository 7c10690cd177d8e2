package agent

import (
	"context"
	"time"

	"go.uber.org/zap"

	"tidemark/internal/fault"
)

// housekeeping is how often the agent looks after itself: writes what is not
// written yet, tells of a cloud that went away, notices another policy.
const housekeeping = time.Second

// keepHouse runs until ctx ends. It tells stale that the cloud has announced
// another policy; nil is for nobody.
func (a *Agent) keepHouse(ctx context.Context, stale chan<- struct{}) {
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if a.cloud().PolicyChanged() {
			select {
			case stale <- struct{}{}:
			default:
			}
		}
		a.noteProblems()
		a.tidy()
		a.watchCloud()
		a.live()
	}
}

// live tells of progress. Whoever waits for a lock for ever does not get here,
// and nobody's cycle begins either. A source that hangs is no reason: the
// others go on.
func (a *Agent) live() {
	if a.alive == nil {
		return
	}
	a.mu.Lock()
	tables, queue := a.allTables(), a.queue
	a.mu.Unlock()
	for _, t := range tables {
		t.record()
		queue.Due(t.site.Dataset)
	}
	a.alive()
}

// tidy writes what should not wait. A state that cannot be written is told in
// the status and stops nothing.
func (a *Agent) tidy() {
	if !a.books.due(a.now()) {
		return
	}
	if err := a.flush(); err != nil && a.books.firstFailure() {
		a.log.Error("state.failed", zap.Error(err), zap.String("hint", fault.Hint(err)))
	}
}

// watchCloud tells the log when the cloud goes away and when it is back.
func (a *Agent) watchCloud() {
	s := a.cloud().State()
	a.mu.Lock()
	told := a.away
	a.away = s.Away
	a.mu.Unlock()
	switch {
	case s.Away && !told:
		a.log.Warn("cloud.away", zap.Error(s.Err), zap.String("hint", fault.Hint(s.Err)), zap.Time("next", s.Next))
	case !s.Away && told:
		a.log.Info("cloud.back")
	}
}
