package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidemark/internal/wire"
	"tidemark/scheduler"
)

// evaluate runs one cycle of a table, as package agent does.
func (a *agent) evaluate(ctx context.Context, i int, now time.Time) error {
	t := &a.tables[i]
	if t.wait.IsZero() {
		t.began = now
	}
	t.wait = time.Time{}
	in := a.input(i, now)
	if t.skips(&in, a.local(i)) {
		return nil
	}
	c := &evaluation{agent: a, i: i, t: t, now: now, in: in}
	if err := c.run(ctx); !errors.Is(err, errWait) {
		return err
	}
	return nil
}

func (a *agent) input(i int, now time.Time) scheduler.Input {
	t := &a.tables[i]
	in := scheduler.Input{Table: kinds[i].name, Now: now, Disabled: a.off[kinds[i].name], Limits: t.limits, State: t.state}
	if t.known {
		in.Cloud = scheduler.CloudVersion(t.version, true)
		in.Cloud.Leased = now.Before(a.leased) && t.version.Writer.ID == a.writer.ID
	}
	return in
}

// local is the table's version at the source. Nothing is ever in flight here:
// the ceiling is the counter.
func (a *agent) local(i int) scheduler.Version {
	t := a.db.tables[i]
	return scheduler.Version{Epoch: epoch, High: t.high, Rows: t.rows}
}

// skips is the whole cycle of a table that is skipped because it has not
// changed: what Decide and Next would say, at a hundredth of the price. There
// are forty million of them in a day.
func (t *agentTable) skips(in *scheduler.Input, local scheduler.Version) bool {
	s := &t.state
	if in.Disabled != "" || !s.FirstSync || s.Open || s.Owed || s.SinceSync < in.Limits.ForcedSkips ||
		local != s.Synced || s.Skips >= in.Limits.MaxSkips {
		return false
	}
	s.Skips++
	s.SinceSync++
	return true
}

// An evaluation is a cycle that does more than to skip.
type evaluation struct {
	*agent
	i    int
	t    *agentTable
	now  time.Time
	in   scheduler.Input
	done bool
}

// maxSteps bounds the steps of a decision.
const maxSteps = 24

func (c *evaluation) run(ctx context.Context) error {
	for range maxSteps {
		d := scheduler.Decide(c.in)
		c.t.decision, c.t.decided = d, c.now
		if d.Action == scheduler.Skip || d.Action == scheduler.Nothing {
			c.save(d, scheduler.Done)
			return nil
		}
		if d.Action != scheduler.AskSource {
			if err := c.enter(ctx, d); err != nil {
				return err
			}
			if c.off[kinds[c.i].name] != c.in.Disabled { // the policy has told
				c.in.Disabled = c.off[kinds[c.i].name]
				continue
			}
		}
		if err := c.step(ctx, d); err != nil || c.done {
			return err
		}
	}
	return fmt.Errorf("no decision after %d steps: %+v", maxSteps, c.in)
}

// enter passes the gate, and knows the policy before anything is sent.
func (c *evaluation) enter(ctx context.Context, d scheduler.Decision) error {
	if d.Action == scheduler.Count || d.Action == scheduler.CheckEpoch {
		return nil
	}
	at, ok := c.gate.enter(c.now)
	if !ok {
		c.t.wait = at
		return errWait
	}
	err := c.rule(ctx, c.now)
	if errors.Is(err, errWait) {
		c.t.wait = c.gate.next
	}
	return err
}

func (c *evaluation) step(ctx context.Context, d scheduler.Decision) error {
	var err error
	switch d.Action {
	case scheduler.AskSource:
		c.askSource()
	case scheduler.AskCloud:
		if err = c.ask(ctx, c.now, c.t.began); err == nil {
			c.hear(c.versions.Tables[kinds[c.i].name])
		}
	case scheduler.CheckEpoch:
		c.in.EpochChecked = true
	case scheduler.Count:
		c.in.Count = &scheduler.Exact{Rows: c.in.Local.Rows, Cheap: c.in.Local.Rows}
	case scheduler.Upload:
		err = c.call(c.now, func() error { return c.upload(ctx, d) })
	case scheduler.Diff:
		begun := c.in.State
		c.save(d, scheduler.Begun)
		if err = c.call(c.now, func() error { return c.compare(ctx) }); errors.Is(err, errWait) {
			c.in.State, c.t.state = begun, begun
		} else if err == nil {
			c.in.Diffed, c.done = true, true
			c.save(d, scheduler.Done)
		}
	default:
		err = fmt.Errorf("decision %q is not known", d.Action)
	}
	if errors.Is(err, errWait) {
		c.t.wait = c.gate.next
	}
	return err
}

func (c *evaluation) askSource() {
	local := c.local(c.i)
	c.in.Local, c.in.Ceiling = &local, c.db.counter
}

func (c *evaluation) hear(v wire.Version) {
	c.t.version, c.t.known = v, true
	c.in.Cloud = scheduler.CloudVersion(v, false)
}

func (c *evaluation) save(d scheduler.Decision, o scheduler.Outcome) {
	c.in.State = scheduler.Next(c.in, d, o)
	c.t.state = c.in.State
}
