package agent

import (
	"context"
	"time"

	"tidemark/internal/wire"
)

// versions is the cloud's answer for all tables of the customer, and when it
// was asked for.
type versions struct {
	at  time.Time
	all wire.Versions
}

// versions returns the cloud's versions, asked for no earlier than since:
// tables that need them in the same cycle share one request. fresh tells that
// this call took one, for the table asking.
func (a *Agent) versions(ctx context.Context, since time.Time, asking *table) (all wire.Versions, fresh bool, err error) {
	if err := a.asking.take(ctx); err != nil {
		return wire.Versions{}, false, err
	}
	defer a.asking.give()
	a.mu.Lock()
	have := a.asked
	a.mu.Unlock()
	if !have.at.IsZero() && !have.at.Before(since) {
		return have.all, false, nil
	}
	began := time.Now()
	if all, err = a.cloud().Versions(ctx); err != nil {
		return wire.Versions{}, true, err
	}
	a.mu.Lock()
	a.asked = versions{began, all}
	a.mu.Unlock()
	a.confirm(all, began, asking)
	return all, true, nil
}

// version returns the cloud's version of a table, asked for no earlier than
// the cycle began; the zero one when the cloud does not know the table.
func (c *cycle) askVersion(ctx context.Context) (wire.Version, error) {
	all, fresh, err := c.t.a.versions(ctx, c.began, c.t)
	if fresh {
		c.out.Requests++
	}
	return all.Tables[c.t.site.Dataset], err
}
