package agent

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"go.uber.org/zap"

	"tidemark/agent/journal"
	"tidemark/agent/state"
	"tidemark/scheduler"
)

// end ends a cycle that did, or still has, nothing to do.
func (c *cycle) end(d scheduler.Decision) journal.Entry {
	c.decided = c.in
	c.save(c.in, d, scheduler.Done)
	c.t.change(func(r *state.Table) {
		switch {
		case d.Rule == 11:
			r.Synced, r.Behind = c.t.a.now(), time.Time{}
		case d.Action == scheduler.Nothing && r.Behind.IsZero():
			r.Behind = c.t.a.now()
		}
	})
	return c.write(d, nil)
}

// ended ends a cycle with a diff that went through, or with an error.
func (c *cycle) ended(ctx context.Context, d scheduler.Decision, err error) journal.Entry {
	outcome := scheduler.Done
	if err != nil || c.report != nil && (c.report.Approval != nil || c.report.Hidden > 0) {
		outcome = scheduler.Failed
	}
	if c.in.Local != nil || d.Action != scheduler.Upload && d.Action != scheduler.Diff {
		c.save(c.in, d, outcome)
	}
	if outcome == scheduler.Done {
		c.t.change(func(r *state.Table) { r.Synced, r.Behind = c.t.a.now(), time.Time{} })
	}
	if stopped(ctx, err) {
		c.out.Stopped, err = true, nil
		c.out.Note = strings.TrimPrefix(c.out.Note+"; broken off by a pause or the agent's end: the next cycle goes on", "; ")
	}
	return c.write(d, err)
}

// stopped tells whether a cycle ended with err because it was to end.
func stopped(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() != nil || errors.Is(err, errStopped)
}

// save books the decision in what is remembered.
func (c *cycle) save(in scheduler.Input, d scheduler.Decision, o scheduler.Outcome) {
	c.in.State = scheduler.Next(in, d, o)
	c.t.change(func(r *state.Table) { r.Scheduler = c.in.State })
}

// write writes the decision to the journal, with what it was made from, and,
// when it did anything, to the log. Outcome and notes of the cycle begin anew.
func (c *cycle) write(d scheduler.Decision, err error) journal.Entry {
	text, failed := json.Marshal(c.decided)
	if failed != nil { // numbers, texts and times alone: cannot fail
		panic(failed)
	}
	e := journal.Entry{
		Time: c.t.a.now(), Table: c.t.site.Dataset, Input: text,
		Action: string(d.Action), Rule: d.Rule, Reason: d.Reason, Upload: string(d.Upload),
		Outcome: c.out,
	}
	if err != nil {
		p := classify(err)
		e.Outcome.Error, e.Outcome.Hint, e.Outcome.Kind = p.Message, p.Hint, string(p.Kind)
	}
	idle := e.Outcome == journal.Outcome{} || d.Action == scheduler.Skip
	c.out = journal.Outcome{}
	c.t.decidedOn(Decided{Time: e.Time, Action: e.Action, Rule: e.Rule, Reason: e.Reason})
	c.t.a.enter(c.t, e, !idle)
	c.wrote = append(c.wrote, e)
	switch {
	case err != nil:
		c.t.log.Warn("table.failed", zap.String("action", e.Action), zap.String("reason", e.Reason), zap.Error(err), zap.String("hint", e.Outcome.Hint))
	case e.Outcome.Stopped:
		c.t.log.Info("table.stopped", zap.String("action", e.Action), zap.String("reason", e.Reason))
	case d.Action == scheduler.Upload || d.Action == scheduler.Diff:
		c.t.log.Info("table."+e.Action, zap.String("kind", e.Upload), zap.String("reason", e.Reason), zap.Int64("rows", e.Outcome.Rows),
			zap.Int64("inserted", e.Outcome.Inserted), zap.Int64("updated", e.Outcome.Updated), zap.Int64("deleted", e.Outcome.Deleted),
			zap.Int64("bytes", e.Outcome.Bytes), zap.Int("requests", e.Outcome.Requests), zap.Duration("took", e.Outcome.Duration), zap.String("request", e.Outcome.Request),
			zap.String("note", e.Outcome.Note))
	default:
		c.t.log.Debug("table."+e.Action, zap.String("reason", e.Reason))
	}
	return e
}
