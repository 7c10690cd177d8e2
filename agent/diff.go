package agent

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"time"

	"tidemark/agent/journal"
	"tidemark/agent/state"
	"tidemark/differ"
	"tidemark/internal/wire"
	"tidemark/scheduler"
	"tidemark/sqlserver"
)

// listRows is how many keys of the cloud come with one page.
const listRows = 50_000

// lookupKeys is how many differences are read again, and then sent, at a time:
// what they bring is bounded by a chunk's bytes and time all the same.
const lookupKeys = 2_000

// doDiff compares the table with its copy and repairs it.
func (c *cycle) doDiff(ctx context.Context, d scheduler.Decision) error {
	if err := c.place(ctx); err != nil {
		return err
	}
	if err := c.register(ctx); err != nil {
		return err
	}
	c.save(c.in, d, scheduler.Begun)
	if err := c.t.a.flush(); err != nil {
		return err
	}
	began := time.Now()
	r, err := c.compare(ctx, false)
	c.out.Duration = time.Since(began)
	c.t.rest(c.report.QueryTime) // not by the time that the cloud was away
	c.report.Duration = c.out.Duration
	if c.version.Schema != "" {
		c.hear(c.version, false)
	}
	if err != nil { // a conflict, perhaps: then it is not compared yet
		return err
	}
	c.in.Diffed = true
	c.settle(r.Report)
	return nil
}

// dryRun compares and does nothing.
func (c *cycle) dryRun(ctx context.Context) (journal.Entry, error) {
	if err := c.place(ctx); err != nil {
		return journal.Entry{}, err
	}
	v := c.t.record().Cloud
	if !c.t.knows() {
		var err error
		if v, err = c.askVersion(ctx); err != nil {
			return journal.Entry{}, err
		}
	}
	c.hear(v, c.t.knows())
	switch {
	case v.Epoch == "" || !v.Loaded:
		return journal.Entry{}, fmt.Errorf("table %s: %w", c.t.site.Dataset, errNotLoaded)
	case v.Epoch != c.probe.epoch || v.Schema != c.t.table().WireSchema().Fingerprint():
		return journal.Entry{}, fmt.Errorf("table %s: %w", c.t.site.Dataset, errOtherEpoch)
	}
	began := time.Now()
	_, err := c.compare(ctx, true)
	c.t.rest(c.report.QueryTime)
	c.report.Duration = time.Since(began)
	return journal.Entry{}, err
}

func (c *cycle) compare(ctx context.Context, dryRun bool) (differ.TreeReport, error) {
	sql := c.t.table()
	r := c.repairer()
	o := differ.Options{
		Types: sql.KeyTypes(), Watermark: c.version.Watermark, Rows: c.probe.rows(c.t),
		DryRun: dryRun, FilterBytes: c.t.a.filterBytes(), Lookup: lookupKeys,
	}
	if c.in.Content {
		o.Watermark = math.MaxUint64
	}
	if a := c.t.record().Approval; a != nil && a.Granted {
		o.Approved = a.Deletes
	}
	c.t.begin("diff", o.Rows)
	o.Progress = func(p differ.Report) { c.t.compared(p) }
	report, err := c.byTree(ctx, o, r)
	c.out.Rows += report.Compared
	c.version = r.version
	c.report = c.reported(report, dryRun)
	c.report.Bytes, c.report.QueryTime = r.messages, r.queries
	return report, err
}

// settle books what a diff that went through has taught.
func (c *cycle) settle(r differ.Report) {
	c.t.change(func(t *state.Table) {
		t.Refused = r.Absent
		switch {
		case r.Waiting && t.Approval != nil && t.Approval.Granted && t.Approval.Deletes >= r.Surplus:
			// given while this diff ran: the next one uses it
		case r.Waiting:
			t.Approval = &state.Approval{Deletes: r.Surplus, Limit: differ.ApprovalLimit(r.Cloud), Since: c.t.a.now(), Sample: r.Sample}
		case r.Hidden == 0:
			t.Approval = nil
		}
	})
	c.in.Gap = r.Absent
	if r.Hidden > 0 {
		c.out.Note = fmt.Sprintf("left to the next diff: %d deletes", r.Hidden)
	}
	if r.Waiting {
		c.out.Note = fmt.Sprintf("%d deletes wait for an approval", r.Surplus)
		c.report.Approval = approvalOf(c.t.record().Approval)
	}
}

func (c *cycle) reported(r differ.TreeReport, dryRun bool) *DiffReport {
	d := &DiffReport{
		Table: c.t.site.Dataset, DryRun: dryRun,
		Compared: r.Compared, Missing: r.Missing, Stale: r.Stale, Surplus: r.Surplus, Hidden: r.Hidden,
		Repaired: r.Inserted + r.Updated, Deleted: r.Deleted, Unneeded: r.Unneeded,
		Equal: r.Matched, Requests: c.out.Requests, Remaining: r.Hidden > 0 || r.Waiting || r.Absent+r.Held > 0,
		Manifest: r.Manifest,
	}
	if r.Manifest == "" {
		d.Before, d.After, d.Nodes, d.Leaves, d.Passes = r.Before.String(), r.After.String(), r.Nodes, r.Leaves, r.Passes
		d.Same = r.Source == r.After
	}
	return d
}

// compared shows how far a diff is.
func (t *table) compared(r differ.Report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.prog != nil {
		t.prog.Rows, t.prog.Sent = r.Compared, r.Inserted+r.Updated+r.Deleted
	}
}

// A repairer is both sides of a diff: the table, and its copy in the cloud.
type repairer struct {
	*sender
	reader  *sqlserver.Reader
	yield   func(context.Context) error
	content bool

	question bytes.Buffer
	messages int64         // bytes of messages and manifests, before compression
	queries  time.Duration // that the source took
}

// Keys implements differ.Source. Between two chunks nothing is open at the
// source: a place among the tables that are worked on is made free.
func (r *repairer) Keys(ctx context.Context, after string, out *wire.Lines) (string, bool, error) {
	if r.t.stopping() {
		return "", false, errStopped
	}
	if after != "" {
		if !pause(ctx, r.t.site.Pause) {
			return "", false, ctx.Err()
		}
		if err := r.yield(ctx); err != nil {
			return "", false, err
		}
	}
	chunk, err := r.reader.Keys(ctx, sqlserver.Cursor(after), out)
	r.queries += chunk.Elapsed
	return string(chunk.Next), chunk.Done, err
}

func (c *cycle) repairer() *repairer {
	return &repairer{sender: c.sender(), reader: c.t.reader(), yield: c.slot.Yield, content: c.in.Content}
}

// Lookup implements differ.Source.
func (r *repairer) Lookup(ctx context.Context, keys [][]byte, out *wire.Lines) ([]differ.Found, error) {
	f, err := r.reader.Lookup(ctx, keys, out)
	if err != nil {
		return nil, err
	}
	r.queries += f.Elapsed
	found := make([]differ.Found, f.Asked)
	for i, is := range f.There {
		if is {
			found[i] = differ.Unusable // unless a line of it is there
		}
	}
	for _, i := range f.Lines {
		found[i] = differ.There
	}
	return found, r.t.oversize(f.Oversize, r.out)
}

// Compare implements differ.Cloud.
func (r *repairer) Compare(ctx context.Context, lines wire.Lines) (wire.Comparison, error) {
	r.out.Requests++
	r.out.Bytes += int64(len(lines.Buf))
	r.messages += int64(len(lines.Buf))
	c, err := r.cloud.Compare(ctx, r.t.site.Dataset, r.manifest(wire.Compare, lines.N), lines.Buf)
	return c, r.failed(err)
}

// List implements differ.Cloud.
func (r *repairer) List(ctx context.Context, after string, out *wire.Lines) (wire.ListHeader, error) {
	h := r.manifest(wire.List, 0)
	h.After, h.Limit = after, listRows
	r.out.Requests++
	before := len(out.Buf)
	page, err := r.cloud.List(ctx, r.t.site.Dataset, h, out)
	r.messages += int64(len(out.Buf) - before)
	return page, r.failed(err)
}

func (r *repairer) manifest(mode wire.ManifestMode, rows int) wire.ManifestHeader {
	return wire.ManifestHeader{Protocol: wire.Protocol, Mode: mode, Epoch: r.epoch, Schema: r.version.Schema, Rows: rows}
}

// Repair implements differ.Cloud.
func (r *repairer) Repair(ctx context.Context, lines wire.Lines) (differ.Repaired, error) {
	answer, err := r.send(ctx, wire.Header{Kind: wire.Repair}, lines.Buf, lines.N)
	done := differ.Repaired{Inserted: answer.Inserted, Updated: answer.Updated + answer.Unchanged}
	for _, refusal := range answer.Refused {
		if refusal.Present {
			done.Held++
		} else {
			done.Absent++
		}
	}
	return done, err
}

// Delete implements differ.Cloud.
func (r *repairer) Delete(ctx context.Context, lines wire.Lines) (int, error) {
	answer, err := r.send(ctx, wire.Header{Kind: wire.Delete}, lines.Buf, lines.N)
	return answer.Deleted, err
}
