package agent

import (
	"context"
	"time"

	"go.uber.org/zap"

	"tidemark/internal/wire"
	"tidemark/sqlserver"
)

// A narrowing is the operator's policy. It only ever takes away from what the
// site's own configuration allows.
type narrowing struct{ wire.Policy }

// table is what the policy says about a dataset.
func (n narrowing) table(dataset string) wire.TablePolicy {
	if t, ok := n.Tables[dataset]; ok {
		return t
	}
	return n.Tables["*"]
}

// off says why the operator has a dataset stand still; "" when it may move.
func (n narrowing) off(dataset string) string {
	switch t := n.table(dataset); {
	case n.Paused:
		return "paused by the operator" + because(n.Reason)
	case t.Disabled:
		return "disabled by the operator" + because(t.Reason)
	}
	return ""
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// interval is a table's own or the operator's, whichever is longer.
func (n narrowing) interval(t TableSite) time.Duration {
	return max(t.Interval, time.Duration(n.table(t.Dataset).MinInterval)*time.Second)
}

// limits are a table's own with the operator's bound on a batch.
func (n narrowing) limits(t TableSite) sqlserver.Limits {
	l := t.Limits
	if most := n.table(t.Dataset).MaxRows; most > 0 && (l.ChunkRows == 0 || most < l.ChunkRows) {
		l.ChunkRows = most
	}
	return l
}

func (a *Agent) policy() narrowing {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.narrowed
}

// followPolicy keeps the policy known until ctx ends: it is asked for when
// somebody waits for it, and when an answer of the cloud announces another one.
// A site that starts and has nothing to do asks for it with its first contact.
// Stale is told after such an answer.
func (a *Agent) followPolicy(ctx context.Context, stale <-chan struct{}) {
	a.mu.Lock()
	asked := a.policyAsked
	a.mu.Unlock()
	for waits := true; waits; {
		select {
		case <-asked:
			waits = false
		case <-ctx.Done():
			return
		case <-stale:
			waits = !a.cloud().PolicyChanged()
		}
	}
	for {
		if err := a.askPolicy(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("policy.unknown", zap.Error(err))
			if !pause(ctx, a.backoff(6)) {
				return
			}
			continue
		}
		for changed := false; !changed; {
			select {
			case <-stale:
			case <-ctx.Done():
				return
			}
			changed = a.cloud().PolicyChanged()
		}
	}
}

func (a *Agent) askPolicy(ctx context.Context) error {
	p, err := a.cloud().Policy(ctx)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.narrowed = narrowing{p}
	select {
	case <-a.policyKnown:
	default:
		close(a.policyKnown)
	}
	tables := a.allTables()
	a.mu.Unlock()
	for _, t := range tables {
		t.forgetReader()
	}
	a.schedule()
	return nil
}

// knowPolicy waits until the policy is known: before that, nothing may be
// sent.
func (a *Agent) knowPolicy(ctx context.Context) error {
	a.mu.Lock()
	known := a.policyKnown
	select {
	case <-a.policyAsked:
	default:
		close(a.policyAsked)
	}
	a.mu.Unlock()
	select {
	case <-known:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
