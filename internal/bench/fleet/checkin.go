package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tidemark/internal/wire"
)

// checkIn reports, and begins the lease anew. A cloud that is away is left to
// those who have something to send.
func (a *agent) checkIn(ctx context.Context, now time.Time) error {
	for !a.report.After(now) {
		a.report = a.report.Add(a.every)
	}
	a.want = time.Time{}
	if _, ok := a.gate.enter(now); a.gate.away || !ok {
		return nil
	}
	var all wire.Versions
	err := a.call(now, func() (err error) {
		all, err = a.client.Report(ctx, a.status(now))
		return err
	})
	if errors.Is(err, errWait) {
		return nil
	}
	if err != nil {
		return err
	}
	a.report = now.Add(a.client.Lease().Return)
	return a.confirm(now, all)
}

// rules hears of another policy. A table that is turned on has its first cycle
// soon, and the operator hears of it.
func (a *agent) rules(ctx context.Context, now time.Time) error {
	before := len(a.off)
	if err := a.rule(ctx, now); err != nil && !errors.Is(err, errWait) {
		return err
	}
	if len(a.off) != before {
		a.want = now.Add(a.gate.jitter(a.pace))
	}
	return nil
}

// confirm begins the lease anew: the cloud has said what it holds of all
// tables. Here nobody else writes them, so that it is what is remembered.
func (a *agent) confirm(now time.Time, all wire.Versions) error {
	a.leased = now.Add(a.client.Lease().Hold)
	for i := range a.tables {
		t := &a.tables[i]
		v := all.Tables[kinds[i].name]
		if t.version.Seq == 0 { // its first cycle asks
			continue
		}
		if v != t.version {
			return fmt.Errorf("the cloud holds %+v of %s, not %+v", v, kinds[i].name, t.version)
		}
		t.known = true
	}
	return nil
}

// status is what package agent reports of a site that is well.
func (a *agent) status(now time.Time) wire.Report {
	r := wire.Report{
		Time: now, Version: "1.0.0", OS: "windows/amd64", Host: a.writer.Name, Instance: a.writer.ID, Started: day0,
		Sources: []wire.SourceReport{{Name: "main", Server: "Microsoft SQL Server 2019 Standard Edition 15.0.4355.3", Probed: now.Truncate(time.Second)}},
	}
	for i := range a.tables {
		t, rows := &a.tables[i], a.db.tables[i].rows
		state := "ok"
		switch {
		case a.off[kinds[i].name] != "":
			state = "disabled"
		case t.version.Seq == 0:
			state = "new"
		case a.db.tables[i].high > t.version.Watermark:
			state = "behind"
		}
		r.Tables = append(r.Tables, wire.TableReport{
			Name: kinds[i].name, Source: "main", State: state, Decision: string(t.decision.Action), Rule: t.decision.Rule,
			Reason: t.decision.Reason, Decided: t.decided, Synced: t.decided.Truncate(time.Second), Rows: &rows,
		})
	}
	return r
}
