package agent

import (
	"context"
	"fmt"

	"tidemark/agent/journal"
	"tidemark/differ"
	"tidemark/internal/wire"
	"tidemark/sqlserver"
	"tidemark/uploader/quarantine"
)

// retryRows is how many rows of the quarantine are tried again in one cycle.
const retryRows = 1_000

// oversize takes rows into the quarantine that are over the row limit.
func (t *table) oversize(rows []sqlserver.Oversize, out *journal.Outcome) error {
	for _, o := range rows {
		err := t.a.held.Add(t.a.now(), quarantine.Row{
			Table: t.site.Dataset, Key: string(o.Key), Version: o.Version, Bytes: o.Bytes,
			Reason: fmt.Sprintf("the row has %d bytes, more than limits.row_bytes allows", o.Bytes),
		})
		if err != nil {
			return err
		}
		out.Quarantined++
	}
	return nil
}

// refused takes the rows of a batch that the cloud refused into the
// quarantine, and those out that it took.
func (t *table) refused(lines []byte, refusals []wire.Refusal, k *keyer, out *journal.Outcome) error {
	held := t.a.held.Size(t.site.Dataset).Rows > 0
	if len(refusals) == 0 && !held {
		return nil
	}
	var arrived []string
	err := eachLine(lines, func(i int, line []byte) error {
		bad := len(refusals) > 0 && refusals[0].Row == i
		if !bad && !held {
			return nil
		}
		key, err := k.key(line)
		if err != nil {
			return err
		}
		if !bad {
			if t.a.held.Holds(t.site.Dataset, string(key)) {
				arrived = append(arrived, string(key))
			}
			return nil
		}
		r := refusals[0]
		refusals = refusals[1:]
		return t.hold(line, key, reasonOf(r), r.Present, out)
	})
	if err != nil || len(arrived) == 0 {
		return err
	}
	_, err = t.a.held.Drop(t.site.Dataset, arrived...)
	return err
}

func reasonOf(r wire.Refusal) string {
	if r.Column == "" {
		return r.Reason
	}
	return "column " + r.Column + ": " + r.Reason
}

// unsendable takes the one row of lines into the quarantine.
func (t *table) unsendable(line []byte, k *keyer, reason string, out *journal.Outcome) error {
	key, err := k.key(line)
	if err != nil {
		return err
	}
	return t.hold(line, key, reason, false, out)
}

func (t *table) hold(line, key []byte, reason string, present bool, out *journal.Outcome) error {
	rv, _ := rowVersion(line)
	out.Quarantined++
	return t.a.held.Add(t.a.now(), quarantine.Row{
		Table: t.site.Dataset, Key: string(key), Version: rv, Bytes: int64(len(line)), Reason: reason, Present: present,
	})
}

// retry reads the rows again for which a person asked for another try, and
// sends those that are still there.
func (c *cycle) retry(ctx context.Context) error {
	due := c.t.a.held.Due(c.t.site.Dataset, retryRows)
	if len(due) == 0 || !c.heard || !c.version.Loaded || c.version.Epoch != c.probe.epoch {
		return nil
	}
	r := c.repairer()
	err := c.reread(ctx, r, due, func(there wire.Lines) error {
		_, err := r.Repair(ctx, there)
		return err
	})
	c.version = r.version
	return err
}

// sift takes rows out of the quarantine that are gone at the source, as a
// comparison finds rows gone that are not held: nothing else would.
func (c *cycle) sift(ctx context.Context) error {
	r := c.repairer()
	return c.reread(ctx, r, c.t.a.held.List(c.t.site.Dataset), func(wire.Lines) error { return nil })
}

// reread reads rows of the quarantine again, takes those out that are gone, and
// has do see the others, some at a time.
func (c *cycle) reread(ctx context.Context, r *repairer, rows []quarantine.Row, do func(there wire.Lines) error) error {
	keys := make([][]byte, len(rows))
	for i, row := range rows {
		keys[i] = []byte(row.Key)
	}
	var gone []string
	for len(keys) > 0 {
		var out wire.Lines
		found, err := r.Lookup(ctx, keys, &out)
		if err != nil {
			return err
		}
		for i, f := range found {
			if f == differ.Gone {
				gone = append(gone, string(keys[i]))
			}
		}
		if out.N > 0 {
			if err := do(out); err != nil {
				return err
			}
		}
		keys = keys[len(found):]
	}
	if len(gone) == 0 {
		return nil
	}
	_, err := c.t.a.held.Drop(c.t.site.Dataset, gone...)
	return err
}
