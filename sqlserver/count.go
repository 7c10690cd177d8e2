package sqlserver

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"tidemark/internal/wire"
)

// Count counts the table's rows exactly: in one statement over the narrowest
// index; where that does not end within the statement's deadline, then and
// from then on in windows along the key, each of about Limits.QueryTime. Rows
// that come or go while windows are counted may be counted or not.
func (s *Source) Count(ctx context.Context, t *Table) (int64, error) {
	op := "count rows of " + t.String()
	r := s.Reader(t, Limits{})
	if err := r.refused(); err != nil {
		return 0, named(op, err)
	}
	if _, slow := s.slowCount.Load(t.ObjectID); !slow {
		n, err := r.count(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return n, named(op, err)
		}
		s.slowCount.Store(t.ObjectID, true)
	}
	n, err := r.countInWindows(ctx)
	return n, named(op, err)
}

func (r *Reader) count(ctx context.Context) (n int64, err error) {
	counted := false
	err = r.query(ctx, r.table.countSQL(), nil, func(rs *rows) error {
		return rs.eachRow(func(v []driver.Value) error {
			n, counted = intOf(v[0]), true
			return nil
		})
	})
	if err == nil && !counted {
		err = errShort
	}
	return n, err
}

func (r *Reader) countInWindows(ctx context.Context) (total int64, err error) {
	p := bareKeyPlan(r.table)
	terms := r.table.keyTerms()
	at := position{}
	for {
		d := int(at.number)
		n := r.windows.next()
		text := r.text("count "+string(rune('0'+d)), func() string { return p.countWindow(terms, d) })
		var out wire.Lines
		c := newCollector(p, &out, r.limits)
		c.window, c.ceiling = true, 0 // no row is delivered, the last one is seen
		start := time.Now()
		if err := r.query(ctx, text, r.args(p, n, at), c.read); err != nil {
			return 0, err
		}
		r.windows.observe(c.number, 0, time.Since(start))
		total += int64(c.number)
		switch {
		case c.number == n:
			if at, err = r.table.parse(cursor(byWindow, uint64(len(r.table.Key)), c.key()), byWindow); err != nil {
				return 0, err
			}
		case d <= 1:
			return total, nil
		default:
			at.number--
		}
	}
}
