package differ

import (
	"context"
	"fmt"

	"tidemark/internal/wire"
)

// repairs confirms differences at the source, and sends what is left of them.
// What became of them is booked in r.
type repairs struct {
	o     Options
	src   Source
	cloud repairer
	r     *Report
	lines wire.Lines // of Lookup, reused
}

// repairer is the part of a Cloud that changes it.
type repairer interface {
	Repair(ctx context.Context, lines wire.Lines) (Repaired, error)
	Delete(ctx context.Context, lines wire.Lines) (deleted int, err error)
}

// repair reads the keys again and sends the rows that are there.
func (p *repairs) repair(ctx context.Context, keys *texts) error {
	defer keys.reset()
	if p.o.DryRun {
		return nil
	}
	return p.lookup(ctx, keys, func(rows wire.Lines, first int, found []Found) error {
		for i, f := range found {
			switch {
			case f == Gone: // since: the next comparison finds it as surplus
				p.r.Unneeded++
			case f == Unusable && keys.at(first + i)[0] == isMissing:
				p.r.Absent++
			case f == Unusable:
				p.r.Held++
			}
		}
		if rows.N == 0 {
			return nil
		}
		done, err := p.cloud.Repair(ctx, rows)
		p.r.Inserted += int64(done.Inserted)
		p.r.Updated += int64(done.Updated)
		p.r.Absent += int64(done.Absent)
		p.r.Held += int64(done.Held)
		p.o.Progress(*p.r)
		return err
	})
}

// lookup reads keys again, some at a time, and hands fn the rows that are
// there, the index of the first key, and what was found for each. A key has
// one byte in front that is its owner's.
func (p *repairs) lookup(ctx context.Context, keys *texts, fn func(rows wire.Lines, first int, found []Found) error) error {
	part := make([][]byte, 0, p.o.Lookup)
	for first := 0; first < keys.len(); {
		part = part[:0]
		for i := first; i < keys.len() && len(part) < p.o.Lookup; i++ {
			part = append(part, keys.at(i)[1:])
		}
		p.lines.Reset()
		found, err := p.src.Lookup(ctx, part, &p.lines)
		if err != nil {
			return err
		}
		if len(found) == 0 || len(found) > len(part) {
			return fmt.Errorf("%d keys looked up, %d answered", len(part), len(found))
		}
		if err := fn(p.lines, first, found); err != nil {
			return err
		}
		first += len(found)
	}
	return nil
}

// delete sends deletes of the candidates that are still not at the source.
func (p *repairs) delete(ctx context.Context, lines, keys *texts) error {
	defer lines.reset()
	defer keys.reset()
	var out wire.Lines
	return p.lookup(ctx, keys, func(_ wire.Lines, first int, found []Found) error {
		out.Reset()
		for i, f := range found {
			if f != Gone {
				p.r.Unneeded++
				continue
			}
			out.Buf = append(append(out.Buf, lines.at(first + i)[1:]...), '\n')
			out.N++
		}
		if out.N == 0 {
			return nil
		}
		n, err := p.cloud.Delete(ctx, out)
		p.r.Deleted += int64(n)
		p.o.Progress(*p.r)
		return err
	})
}
