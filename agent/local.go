package agent

import (
	"context"
	"time"

	"tidemark/agent/state"
	"tidemark/scheduler"
)

// look returns the highest row version that is known to be at or below the
// ceiling. Only where rows may lie between what was looked at before and the
// ceiling does that cost a statement.
func (c *cycle) look(ctx context.Context) (uint64, error) {
	t, p := c.t, c.probe
	sql := t.table()
	if sql.RowVersion == "" {
		return 0, nil
	}
	rec := t.record()
	if rec.Cloud.Epoch != p.epoch || !rec.Cloud.Loaded {
		return rec.High, nil // a load does not ask where changes are
	}
	base := rec.Cloud.Watermark
	from := base
	if rec.Scan.Epoch == p.epoch && rec.Scan.From == base {
		from = max(from, rec.Scan.To)
	}
	high := rec.High
	if p.Ceiling > from {
		if err := c.place(ctx); err != nil {
			return 0, err
		}
		began := time.Now()
		rv, found, err := t.source.sql.High(ctx, sql, from, p.Ceiling)
		if err != nil {
			return 0, err
		}
		if !sql.RowVersionIndexed { // it may have read the whole table
			c.turn.Rest(scheduler.Rest(time.Since(began)))
		}
		if found {
			high = rv
		} else {
			t.change(func(r *state.Table) { r.Scan = state.Scan{Epoch: p.epoch, From: base, To: p.Ceiling} })
		}
	}
	if high == 0 {
		high = base
	}
	t.change(func(r *state.Table) {
		r.High = high
		if high > base && r.Behind.IsZero() {
			r.Behind = t.a.now()
		}
	})
	return high, nil
}

// rest lets no scan of the table begin for a multiple of the time that the
// last one took. Small tables need none.
func (t *table) rest(took time.Duration) {
	if took < time.Second {
		return
	}
	t.change(func(r *state.Table) { r.Rest = t.a.now().Add(scheduler.Rest(took)) })
}
