package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"tidemark/agent/journal"
	"tidemark/agent/state"
	"tidemark/internal/wire"
	"tidemark/scheduler"
)

// A cycle is one cycle of one table: decide, do, decide again.
type cycle struct {
	t       *table
	probe   *probe
	began   time.Time
	in      scheduler.Input
	version wire.Version // the cloud's, as last answered in this cycle
	heard   bool         // version is set
	out     journal.Outcome
	wrote   []journal.Entry // to the journal
	report  *DiffReport
	ruled   bool            // the operator's policy is known
	decided scheduler.Input // what the decision under way was made from
	turn    *scheduler.Turn
	slot    *scheduler.Slot // once it is needed
	req     *request
}

// errAgain ends a step whose facts have changed: decide again.
var errAgain = errors.New("decide again")

// bounds of a cycle: steps of the decision, and conflicts adopted.
const (
	maxSteps     = 24
	maxConflicts = 3
)

// run runs the cycle. Its entries are in the journal when it returns.
func (c *cycle) run(ctx context.Context) (journal.Entry, error) {
	conflicts := 0
	for range maxSteps {
		d := scheduler.Decide(c.in)
		c.decided = c.in
		if d.Action == scheduler.Skip || d.Action == scheduler.Nothing {
			return c.end(d), nil
		}
		if d.Action != scheduler.AskSource && !c.ruled { // a look at the source asks nobody
			if err := c.rule(ctx); err != nil {
				return c.ended(ctx, d, err), err
			}
			continue
		}
		err := c.step(ctx, d)
		var again *conflict
		switch {
		case err == nil && d.Action == scheduler.Diff:
			return c.ended(ctx, d, nil), nil
		case err == nil, errors.Is(err, errAgain):
			continue
		case errors.As(err, &again) && conflicts < maxConflicts:
			conflicts++
			if err := c.adopt(ctx, again); err != nil {
				return c.ended(ctx, d, err), err
			}
		default:
			return c.ended(ctx, d, err), err
		}
	}
	err := fmt.Errorf("no decision after %d steps", maxSteps)
	return c.ended(ctx, scheduler.Decide(c.in), err), err
}

// rule has the cycle go by the operator's policy, before anything is sent.
func (c *cycle) rule(ctx context.Context) error {
	if err := c.t.a.knowPolicy(ctx); err != nil {
		return err
	}
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	c.narrow()
	c.ruled = true
	return nil
}

func (c *cycle) step(ctx context.Context, d scheduler.Decision) error {
	switch d.Action {
	case scheduler.AskSource:
		return c.askSource(ctx)
	case scheduler.AskCloud:
		return c.askCloud(ctx)
	case scheduler.CheckEpoch:
		return c.checkEpoch(ctx)
	case scheduler.Count:
		return c.count(ctx)
	case scheduler.Upload:
		return c.doUpload(ctx, d)
	case scheduler.Diff:
		return c.doDiff(ctx, d)
	}
	return fmt.Errorf("decision %q is not known", d.Action)
}

// askSource reads the local version.
func (c *cycle) askSource(ctx context.Context) error {
	rows := c.probe.rows(c.t)
	high, err := c.look(ctx)
	if err != nil {
		return err
	}
	c.in.Local = &scheduler.Version{Epoch: c.probe.epoch, High: high, Rows: rows}
	c.in.Ceiling, c.in.Unsettled = c.probe.Ceiling, c.probe.InFlight
	c.t.change(func(r *state.Table) { r.LocalRows = rows })
	return nil
}

// askCloud reads the cloud's version. What the source was asked before it was
// known is asked again where that makes a difference.
func (c *cycle) askCloud(ctx context.Context) error {
	v, err := c.askVersion(ctx)
	if err != nil {
		return err
	}
	if err := c.t.sameWriter(v, c.t.a.run); err != nil {
		return err
	}
	c.hear(v, false)
	if v.Schema != "" { // what other columns ask for shows in the version: a load, perhaps
		if err := c.register(ctx); err != nil {
			return err
		}
	}
	if c.in.Local == nil {
		return nil
	}
	return c.askSource(ctx)
}

// hear takes a version of the cloud into the cycle.
func (c *cycle) hear(v wire.Version, remembered bool) {
	c.version, c.heard = v, true
	if !remembered {
		c.t.learned(v)
	}
	c.in.Cloud = scheduler.CloudVersion(v, remembered)
}

// checkEpoch looks again whether the source is what it was.
func (c *cycle) checkEpoch(ctx context.Context) error {
	p, err := c.t.source.probeNow(ctx)
	if err != nil {
		return err
	}
	c.probe = p
	if p.DBTS < c.version.Watermark {
		// What is in the cloud was read here once: this counter has gone back.
		c.t.source.newEpoch(fmt.Sprintf("the row version counter is at %d, below what was read before: %d", p.DBTS, c.version.Watermark))
	} else if err := c.t.sameEpoch(ctx); err != nil {
		return err
	}
	c.probe.epoch = c.t.source.epoch()
	c.in.EpochChecked = true
	return c.askSource(ctx)
}

func (c *cycle) count(ctx context.Context) error {
	if err := c.place(ctx); err != nil {
		return err
	}
	p, err := c.t.source.probeNow(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	n, err := c.t.source.sql.Count(ctx, c.t.table())
	if err != nil {
		return err
	}
	c.t.rest(time.Since(began))
	after, err := c.t.source.probeNow(ctx)
	if err != nil {
		return err
	}
	c.in.Count = &scheduler.Exact{Rows: n, Cheap: p.rows(c.t)}
	c.in.Unsettled = after.InFlight || after.DBTS > c.in.Ceiling
	c.t.change(func(r *state.Table) { r.LocalRows = n })
	return nil
}

// doUpload registers the schema where the cloud has another, looks at the
// sentinels, and uploads.
func (c *cycle) doUpload(ctx context.Context, d scheduler.Decision) error {
	if err := c.place(ctx); err != nil {
		return err
	}
	if err := c.register(ctx); err != nil {
		return err
	}
	if d.Upload == scheduler.Delta || d.Upload == scheduler.Resume {
		if err := c.t.sameEpoch(ctx); err != nil {
			return err
		}
		if epoch := c.t.source.epoch(); epoch != c.in.Local.Epoch {
			c.probe.epoch = epoch
			return c.askSource(ctx)
		}
	}
	if d.Upload != scheduler.Delta { // a kill must not forget it
		c.save(c.in, d, scheduler.Begun)
		if err := c.t.a.flush(); err != nil {
			return err
		}
	}
	began := time.Now()
	begun := c.in
	queries, err := c.upload(ctx, d)
	c.out.Duration = time.Since(began)
	if d.Upload == scheduler.Delta && !c.t.table().RowVersionIndexed {
		c.turn.Rest(scheduler.Rest(queries)) // not by the time that the cloud was away
	}
	if err != nil {
		return err
	}
	c.in.Uploaded = true
	c.hear(c.version, false)
	c.in.State = scheduler.Next(begun, d, scheduler.Done)
	c.t.change(func(r *state.Table) { r.Scheduler = c.in.State })
	c.write(d, nil)
	if d.Upload != scheduler.Delta {
		if c.probe, err = c.t.source.probeNow(ctx); err != nil {
			return err
		}
		return c.askSource(ctx)
	}
	return nil
}

// adopt takes the version of a conflict and goes on from there.
func (c *cycle) adopt(ctx context.Context, again *conflict) error {
	c.out.Note = "conflict (" + string(again.code) + "): went on from the cloud's version"
	c.t.log.Info("batch.conflict", zap.String("code", string(again.code)), zap.Error(again.err))
	if again.version.Schema == "" { // it came without one
		c.in.Cloud, c.in.Uploaded = nil, false
		c.began = time.Now() // what was heard before is no longer so
		return nil
	}
	if err := c.t.sameWriter(again.version, c.t.a.run); err != nil {
		return err
	}
	c.in.State.Open = true
	c.hear(again.version, false)
	if again.code == wire.SchemaChanged {
		c.version.Schema = "" // registers again
	}
	return c.askSource(ctx)
}

// register registers the table's columns when the cloud has others. It
// ends with errAgain when it did.
func (c *cycle) register(ctx context.Context) error {
	sql := c.t.table()
	schema := sql.WireSchema()
	c.t.mu.Lock()
	reborn := c.t.reborn(c.version)
	c.t.mu.Unlock()
	if c.version.Schema == schema.Fingerprint() && len(reborn) == 0 {
		return nil
	}
	c.out.Note = "columns registered"
	if len(reborn) > 0 {
		if err := c.unregister(ctx, schema, reborn); err != nil {
			return err
		}
	}
	registered, err := c.t.a.cloud().Register(ctx, c.t.site.Dataset, schema)
	c.out.Requests++
	if err != nil {
		return err
	}
	c.t.change(func(r *state.Table) { r.Secret = registered.Secret })
	c.t.mu.Lock()
	c.t.told = columnIDs(sql)
	c.t.mu.Unlock()
	c.hear(registered.Version, false)
	if err := c.askSource(ctx); err != nil {
		return err
	}
	return errAgain
}

func (c *cycle) sender() *sender {
	schema := c.t.table().WireSchema()
	s := &sender{
		t: c.t, cloud: c.t.a.cloud(), schema: schema, version: c.version,
		epoch:  c.probe.epoch,
		writer: c.t.a.writer(),
		keys:   newKeyer(schema),
		out:    &c.out,
	}
	s.take = c.t.a.site.TakeOver && c.version.Writer.ID != "" && c.version.Writer.ID != s.writer.ID
	return s
}
