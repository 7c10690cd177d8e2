package agent

import (
	"context"
	"errors"

	"tidemark/internal/wire"
	"tidemark/sqlserver"
)

// load sends every row of the table, in key order, whatever its version. The
// watermark at its end is the ceiling from before its first read.
func (u *upload) load(ctx context.Context, resume bool) error {
	u.start = true
	var at sqlserver.Cursor
	if c, ok := parseCursor(u.version.Cursor, false); ok && resume {
		u.start, u.ceiling, at = false, c.Ceiling, sqlserver.Cursor(c.At)
	}
	err := u.run(ctx, at, u.reader.Load, u.sendLoad)
	if errors.Is(err, sqlserver.ErrCursor) && !u.start && !u.sent {
		// Another key since: the cursor is nowhere in the table's order.
		u.start, u.ceiling = true, u.t.source.ceiling()
		err = u.run(ctx, "", u.reader.Load, u.sendLoad)
	}
	return err
}

func (u *upload) sendLoad(ctx context.Context, p part) error {
	if err := u.took(p); err != nil {
		return err
	}
	h := wire.Header{Kind: wire.Load, Start: u.start, Complete: p.chunk.Done}
	text := ""
	if p.chunk.Done {
		h.Watermark = &u.ceiling
		u.mark(&h)
	} else {
		text = cursor{Ceiling: u.ceiling, At: string(p.chunk.Next)}.String()
		if u.start {
			u.mark(&h)
		}
	}
	h.Cursor = &text
	if _, err := u.sendPacked(ctx, h, p.lines.packed, p.lines.Buf, p.lines.N); err != nil {
		return err
	}
	u.start, u.sent = false, true
	u.t.progress(0, int64(p.lines.N))
	return nil
}
