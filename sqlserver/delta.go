package sqlserver

import (
	"context"
	"errors"
	"fmt"

	"tidemark/internal/wire"
)

// Delta reads the rows whose version is in (from, ceiling].
//
// Where an index leads with the row version, rows come in the order (row
// version, key) and Chunk.Watermark moves with every chunk. Elsewhere they
// come in key order, a chunk may have no rows and still move on, and the
// watermark stays at from until Done.
//
// A delta is continued with the from and ceiling that it began with.
func (r *Reader) Delta(ctx context.Context, from, ceiling uint64, after Cursor, out *wire.Lines) (Chunk, error) {
	op := "read changes of " + r.table.String()
	if err := r.refused(); err != nil {
		return Chunk{}, named(op, err)
	}
	if r.table.RowVersion == "" {
		return Chunk{}, named(op, ErrNoDelta)
	}
	if from >= ceiling {
		return Chunk{Next: after, Done: true, Watermark: from}, nil
	}
	read := r.inKeyWindows
	if r.table.RowVersionIndexed {
		read = r.byVersion
	}
	chunk, err := read(ctx, from, ceiling, after, out)
	return chunk, named(op, err)
}

// byVersion reads along the index that leads with the row version.
func (r *Reader) byVersion(ctx context.Context, from, ceiling uint64, after Cursor, out *wire.Lines) (Chunk, error) {
	at, err := r.table.parse(after, byVersion)
	if err != nil {
		return Chunk{}, err
	}
	if after == "" {
		at.number = from
	}
	if at.number < from || at.number > ceiling {
		return Chunk{}, fmt.Errorf("%w %s: it is outside of the delta", ErrCursor, r.table)
	}
	n := r.delta.next()
	end, last := ceiling, true // of this chunk, and whether that is the delta's
	if !r.table.rvOrder {
		if end, last, err = r.bound(ctx, at.number, ceiling, n); err != nil {
			return Chunk{}, err
		}
	}
	terms := r.table.versionTerms
	args := r.args(r.rows, n, at)
	args = append(args, param("ceiling", rvArg(end)))
	var text string
	if at.key == nil {
		text = r.text("delta first", func() string { return r.rows.firstPage(terms(), r.table.deltaRange()) })
		args = append(args, param("from", rvArg(at.number)))
	} else {
		text = r.text("delta next", func() string { return r.rows.nextPage(terms(), r.table.deltaEnd()) })
		args = append(args, param("rv", rvArg(at.number)))
	}
	c := newCollector(r.rows, out, r.limits)
	whole, run := at.number, at.number // versions up to whole are delivered; rows of run may follow
	if at.key != nil {
		whole-- // more rows of the same version may
	}
	c.each = func() error {
		switch {
		case c.version < run || c.version > ceiling:
			return errors.New("row versions came out of order: the answer cannot be trusted")
		case c.version > run:
			whole, run = run, c.version
		}
		return nil
	}
	took, err := r.run(ctx, text, args, &r.delta, c)
	if err != nil {
		return Chunk{}, err
	}
	chunk := c.chunk(took)
	complete := !c.cut && c.rows < n
	switch {
	case complete && last:
		chunk.Done, chunk.Watermark, chunk.Next = true, ceiling, cursor(byVersion, ceiling, nil)
	case complete:
		chunk.Watermark, chunk.Next = end, cursor(byVersion, end, nil)
	default:
		chunk.Watermark, chunk.Next = whole, cursor(byVersion, run, c.key())
	}
	return chunk, nil
}

// bound cuts a chunk of a delta short of its ceiling, where the index's order
// within a row version is not the key's: what is between must be sorted, so
// it is first found out how far the next n rows go. last tells that nothing
// is left to bound.
func (r *Reader) bound(ctx context.Context, from, ceiling uint64, n int) (end uint64, last bool, err error) {
	text := r.text("bound", r.table.boundSQL)
	found := false
	err = r.query(ctx, text, append(r.deltaArgs(from, ceiling), param("n", int64(n))), func(rs *rows) error {
		found, end, err = readVersion(rs)
		return err
	})
	if !found {
		return from, true, err
	}
	return end, false, err
}

// inKeyWindows reads along the key, in windows that are filtered by version.
func (r *Reader) inKeyWindows(ctx context.Context, from, ceiling uint64, after Cursor, out *wire.Lines) (Chunk, error) {
	at, err := r.table.parse(after, byWindow)
	if err != nil {
		return Chunk{}, err
	}
	terms := r.table.keyTerms
	total := Chunk{Next: after, Watermark: from}
	startLen := len(out.Buf)
	for {
		d := int(at.number)
		text := r.text(fmt.Sprintf("window %d", d), func() string { return r.rows.window(terms(), d) })
		n := r.windows.next()
		c := newCollector(r.rows, out, r.limits)
		c.limits.ChunkRows -= total.Rows + len(total.Oversize)
		c.limits.ChunkBytes -= len(out.Buf) - startLen
		c.window, c.from, c.ceiling = true, from, ceiling
		args := append(r.args(r.rows, n, at), r.deltaArgs(from, ceiling)...)
		took, err := r.run(ctx, text, args, &r.windows, c)
		if err != nil {
			// What the windows before brought is good.
			if total.Rows > 0 && ctx.Err() == nil {
				return total, nil
			}
			return Chunk{}, err
		}
		total.Rows += c.out.N - c.startN
		total.Oversize = append(total.Oversize, c.oversize...)
		total.Elapsed += took
		switch full := c.rows > 0 && c.number == n; {
		case c.cut || full:
			total.Next = cursor(byWindow, uint64(len(r.table.Key)), c.key())
		case d <= 1: // the last level, or all of the table
			total.Done, total.Watermark = true, ceiling
			return total, nil
		default:
			total.Next = cursor(byWindow, uint64(d-1), total.Next.key())
		}
		if c.cut || total.Elapsed > r.limits.QueryTime/2 || total.Rows+len(total.Oversize) >= r.limits.ChunkRows/2 ||
			len(out.Buf)-startLen >= r.limits.ChunkBytes/2 {
			return total, nil
		}
		if at, err = r.table.parse(total.Next, byWindow); err != nil {
			return Chunk{}, err
		}
	}
}
