package main

import (
	"context"
	"time"

	"tidemark/agent"
)

// A frame is what the screen shows at one moment.
type frame struct {
	source, cloud, dir string
	kept               bool
	phase              string
	elapsed, length    time.Duration
	rate               int
	tables             []tableLine
	held               *heldLine
	problems           []string
	events             []event
}

type tableLine struct {
	name    string
	here    int
	cloud   int64 // -1: not known yet
	lag     time.Duration
	batches int
	action  string
	reason  string
	failed  bool
}

// A heldLine tells that an open transaction holds the ceiling.
type heldLine struct {
	ceiling, waiting uint64
	since            time.Duration
}

// frame takes a picture.
func (d *demo) frame(ctx context.Context, events int) (frame, error) {
	s, err := d.agent.Status(ctx)
	if err != nil {
		return frame{}, err
	}
	f := d.heading()
	f.phase, f.elapsed = d.phase.Load().(string), time.Since(d.started)
	_, moved := d.cloud.meter.read()
	for _, t := range s.Tables {
		l := tableLine{name: t.Name, cloud: -1, batches: moved[t.Name].batches}
		l.here, _, l.lag = d.ledger.look(t.Name, s.Time)
		if t.CloudRows != nil {
			l.cloud = *t.CloudRows
		}
		l.decide(t, d.acted, s.Time)
		f.tables = append(f.tables, l)
	}
	f.held = heldBy(s)
	for _, p := range s.Problems() {
		f.problems = append(f.problems, p.Scope+" "+p.Name+": "+p.Message)
	}
	f.events = d.feed.last(events)
	return f, nil
}

// heading is what does not change.
func (d *demo) heading() frame {
	return frame{
		source: d.server.Addr() + ", database " + d.server.DB().Name(), cloud: d.cloud.url, dir: d.dir, kept: d.keep != "",
		length: d.length, rate: d.rate,
	}
}

func (l *tableLine) decide(t agent.TableStatus, a *acted, now time.Time) {
	if e, ok := a.lately(t.Name, now); ok {
		l.action, l.reason, l.failed = e.Action, short(e.Reason), e.Outcome.Error != ""
		return
	}
	if t.Decision != nil {
		l.action, l.reason = t.Decision.Action, short(t.Decision.Reason)
	}
	if t.Problem != nil {
		l.failed = true
	}
}

func heldBy(s agent.Status) *heldLine {
	for _, src := range s.Sources {
		if src.CeilingSince != nil && src.Ceiling < src.DBTS {
			return &heldLine{src.Ceiling, src.DBTS - src.Ceiling, s.Time.Sub(*src.CeilingSince)}
		}
	}
	return nil
}
