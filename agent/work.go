package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidemark/agent/journal"
	"tidemark/agent/state"
	"tidemark/scheduler"
	"tidemark/sqlserver"
)

// approvalHolds is how long deletes that wait for an approval keep the table
// from being compared again: the source may have come back by itself.
const approvalHolds = 6 * time.Hour

// outcome is what a cycle tells whoever asked for it.
type outcome struct {
	entry  journal.Entry
	before []journal.Entry // of the same cycle
	report *DiffReport
	err    error
}

// newCycle begins a cycle with what is known without asking anybody.
func (t *table) newCycle(turn *scheduler.Turn) *cycle {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.a.now()
	c := &cycle{t: t, turn: turn, began: time.Now()}
	c.in = scheduler.Input{Table: t.site.Dataset, Now: now, State: t.rec.Scheduler, Gap: t.rec.Refused}
	c.narrow()
	if len(t.requests) > 0 {
		c.req, t.requests = t.requests[0], t.requests[1:]
		c.in.Asked = c.req.what
	}
	c.know()
	if c.req == nil {
		c.in.Resting = t.resting(now)
	}
	return c
}

// know takes what the catalog, once it was read, and the sentinels tell, under
// t.mu.
func (c *cycle) know() {
	t := c.t
	c.in.Content = t.sql != nil && t.sql.RowVersion == ""
	switch {
	case c.in.Asked != "":
	case t.suspect:
		c.in.Asked = scheduler.DiffNow
	case t.evolved():
		c.in.Asked = scheduler.SyncNow
	}
}

// narrow takes what site, people and policy allow, under t.mu.
func (c *cycle) narrow() {
	policy := c.t.a.policy()
	c.in.Disabled, c.in.Limits = c.t.off(policy), c.t.limits(policy)
}

// off says why the table does not move; "" when it does.
func (t *table) off(p narrowing) string {
	switch {
	case t.site.Disabled != "":
		return t.site.Disabled
	case t.rec.Paused != nil:
		return pausedWords(t.rec.Paused)
	}
	if s := t.a.sitePause(); s != nil {
		return pausedWords(s)
	}
	return p.off(t.site.Dataset)
}

func pausedWords(p *state.Pause) string {
	if p.Reason == "" {
		return "paused by command"
	}
	return "paused by command: " + p.Reason
}

// resting says why no count and no diff may begin.
func (t *table) resting(now time.Time) string {
	a := t.rec.Approval
	switch {
	case a != nil && !a.Granted && now.Sub(a.Since).Abs() < approvalHolds:
		return fmt.Sprintf("%d deletes wait for an approval", a.Deletes)
	case now.Before(t.rec.Rest) && t.rec.Rest.Sub(now) < 48*time.Hour: // else the clock was wrong
		return "the last scan was long; not before " + t.rec.Rest.UTC().Format(time.RFC3339)
	}
	return ""
}

// limits are those of its next decision, under t.mu.
func (t *table) limits(p narrowing) scheduler.Limits {
	l := scheduler.Limits{ForcedSkips: t.site.ForcedSkips, MaxSkips: t.site.MaxSkips}.Phased(t.seed())
	forced := t.forced.skips(p, t.site.Dataset, l.ForcedSkips, t.rec.Scheduler.SinceSync, t.a.site.Customer+" "+t.site.Dataset)
	l = scheduler.Limits{
		ForcedSkips: max(l.ForcedSkips, forced),
		MaxSkips:    l.MaxSkips,
		VerifyEvery: t.site.VerifyEvery,
		CountEvery:  t.site.CountEvery,
	}
	if l.CountEvery == 0 {
		l.CountEvery = defaultCountEvery
	}
	return l
}

// seed gives every table caps of its own. Under a lease a cap asks nobody; at
// a cloud without, the tables of a site come to their caps together, because
// one question is for all of them.
func (t *table) seed() string {
	if t.a.cloud().Lease().Told.IsZero() {
		return t.a.site.Customer
	}
	return t.a.site.Customer + " " + t.site.Dataset
}

// defaultCountEvery is how often a table is counted whose source has no cheap
// figure.
const defaultCountEvery = 6 * time.Hour

// work runs a cycle and books how it ended.
func (t *table) work(ctx context.Context, c *cycle) {
	defer c.release()
	entry, err := t.cycle(ctx, c)
	t.mu.Lock()
	t.running, t.prog = "", nil
	if err == nil && c.report != nil {
		t.suspect = false
	}
	t.mu.Unlock()
	switch {
	case err == nil:
		t.works()
	case stopped(ctx, err):
	default:
		if errors.Is(err, sqlserver.ErrSchemaChanged) {
			t.source.stale()
		}
		c.turn.Rest(t.fail(err))
	}
	c.done(outcome{entry, c.wrote[:max(0, len(c.wrote)-1)], c.report, err})
	if t.waitedFor() { // one request a cycle
		_ = t.a.turns().Now(t.site.Dataset) // paused: they wait for the end of the pause
	}
}

func (t *table) waitedFor() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.requests) > 0
}

// cycle runs a cycle of a table that is there and can be synced.
func (t *table) cycle(ctx context.Context, c *cycle) (journal.Entry, error) {
	if d := scheduler.Decide(c.in); d.Action == scheduler.Skip {
		return c.end(d), nil
	}
	t.mu.Lock()
	c.know()
	t.mu.Unlock()
	switch sql := t.table(); {
	case sql == nil:
		return journal.Entry{}, fmt.Errorf("table %s.%s: %w", t.site.Schema, t.site.Name, errGone)
	case sql.Refused != "":
		return journal.Entry{}, fmt.Errorf("table %s: %w: %s", sql, errRefused, sql.Refused)
	}
	if c.req != nil && c.req.dryRun {
		if err := t.a.knowPolicy(ctx); err != nil {
			return journal.Entry{}, err
		}
		return c.dryRun(ctx)
	}
	if t.knows() {
		c.hear(t.record().Cloud, true)
		c.in.Cloud.Leased = t.holds()
	}
	entry, err := c.run(ctx)
	if err == nil && c.report != nil {
		err = c.sift(ctx)
	}
	if err != nil {
		return entry, err
	}
	return entry, c.retry(ctx)
}

func (t *table) knows() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known
}

// place waits for a place among the tables that are worked on.
func (c *cycle) place(ctx context.Context) error {
	if c.slot != nil {
		return nil
	}
	slot, err := c.turn.Slot(ctx)
	if err == nil {
		c.slot = slot
	}
	return err
}

func (c *cycle) release() {
	if c.slot != nil {
		c.slot.Release()
	}
}

// done answers whoever asked for the cycle.
func (c *cycle) done(o outcome) {
	if c.req != nil {
		c.req.done <- o
	}
}
