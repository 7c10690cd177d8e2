package agent

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"tidemark/internal/wire"
	"tidemark/sqlserver"
)

// A narrowing is the operator's policy. It only ever takes away from what the
// site's own configuration allows.
type narrowing struct {
	wire.Policy
	known bool // the cloud was heard of it
}

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

// A forcing is how a table comes to keep the skips that the operator forces.
type forcing struct {
	asked int  // as last seen
	told  bool // of them, by this process
	left  int  // so many of them are left out until the next sync
	since int  // evaluations since the last one, as last seen
}

// skips is how many of the skips that the operator asks for hold now, for a
// table that has own ones and was evaluated since times since its last sync.
// Those that are asked for anew are not all kept the first time: tables that
// change all the time would be looked at together else, at all sites that
// heard of it together, again and again. How many are left out is the seed's,
// and for another number another share.
func (f *forcing) skips(n narrowing, dataset string, own, since int, seed string) int {
	if !n.known {
		return 0
	}
	asked := n.table(dataset).ForcedSkips
	switch {
	case asked != f.asked:
		f.left = 0
		if more := asked - max(own, f.asked); f.told && more > 0 {
			f.left = int(share(fmt.Sprint(seed, " ", asked)) * float64(more))
		}
	case since < f.since: // it was synced
		f.left = 0
	}
	f.asked, f.told, f.since = asked, true, since
	return asked - f.left
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
	a.narrowed = narrowing{p, true}
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
