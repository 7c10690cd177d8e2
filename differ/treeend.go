package differ

import "context"

// end deletes what only the cloud has, if that needs no approval, and looks
// at what both sides are now.
func (t *tree) end(ctx context.Context) error {
	r := &t.r
	if r.Surplus > 0 {
		r.Waiting = r.NeedsApproval(t.o.Approved)
	}
	switch {
	case t.o.DryRun || r.Waiting:
		r.Sample = t.surplus.sample
	case r.Surplus > 0:
		r.Hidden = r.Surplus - int64(t.surplus.lines.len())
		if err := t.delete(ctx, &t.surplus.lines, &t.surplus.keys); err != nil {
			return err
		}
	}
	if r.Inserted+r.Updated+r.Deleted == 0 {
		return nil
	}
	after, err := t.cloud.Tree(ctx, 0)
	if err != nil {
		return err
	}
	r.After = after.Root
	return nil
}

// surplus holds candidates for deletes until their number is known.
type surplus struct {
	lines, keys texts // stamp and key, key alone
	sample      []string
	bound       int
}

func (s *surplus) add(line, key []byte) {
	if len(s.sample) < samples {
		s.sample = append(s.sample, string(key))
	}
	if len(s.lines.buf)+len(s.keys.buf) < s.bound {
		s.lines.add(0, line)
		s.keys.add(0, key)
	}
}
