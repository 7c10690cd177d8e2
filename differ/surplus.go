package differ

import (
	"context"
	"fmt"

	"tidemark/internal/wire"
)

// surplus is the second phase: the cloud's manifest comes down, and keys that
// were not seen at the source are deleted.
func (d *diff) surplus(ctx context.Context) error {
	d.r.Waiting = d.r.NeedsApproval(d.o.Approved)
	onlySample := d.r.Waiting || d.o.DryRun
	found := int64(0)
	lines, keys := &texts{}, &texts{} // candidates: stamp and key, key alone
	var page wire.Lines
	for after, more := "", true; more && found < d.r.Surplus; {
		page.Reset()
		head, err := d.cloud.List(ctx, after, &page)
		if err != nil {
			return err
		}
		if head.Rows != page.N || head.Next == after && head.Next != "" {
			return fmt.Errorf("the cloud's list does not go on behind %d rows", page.N)
		}
		after, more = head.Next, head.Next != ""
		err = each(page, func(_ int, line []byte) error {
			if found == d.r.Surplus {
				return nil
			}
			_, key, err := d.keys.read(line)
			if err != nil || d.seen.has(key) {
				return err
			}
			found++
			if !onlySample {
				lines.add(0, line)
				keys.add(0, d.keys.json())
			} else if len(d.r.Sample) < samples {
				d.r.Sample = append(d.r.Sample, string(d.keys.json()))
			}
			return nil
		})
		if err != nil {
			return err
		}
		if onlySample && len(d.r.Sample) == samples {
			return nil
		}
		if lines.len() >= d.o.Slice {
			if err := d.delete(ctx, lines, keys); err != nil {
				return err
			}
		}
		d.o.Progress(d.r)
	}
	if onlySample {
		return nil
	}
	d.r.Hidden = d.r.Surplus - found
	return d.delete(ctx, lines, keys)
}
