package agent

import (
	"context"
	"errors"

	"tidemark/internal/wire"
	"tidemark/sqlserver"
)

// delta sends the rows in (watermark, ceiling]. Where an index leads with the
// row version, the watermark moves with every batch; else rows come in key
// order, a cursor moves with every batch, and the watermark at the end. High
// is the row version that must be below the watermark afterwards.
func (u *upload) delta(ctx context.Context, high uint64) error {
	u.from = u.version.Watermark
	var at sqlserver.Cursor
	if c, ok := parseCursor(u.version.Cursor, true); ok && c.From == u.from && !u.ordered() {
		u.ceiling, at = c.Ceiling, sqlserver.Cursor(c.At)
	}
	err := u.run(ctx, at, u.readDelta, u.sendDelta)
	if errors.Is(err, sqlserver.ErrCursor) && at != "" && !u.sent {
		u.ceiling = u.t.source.ceiling()
		err = u.run(ctx, "", u.readDelta, u.sendDelta)
	}
	if err != nil || u.version.Watermark >= high {
		return err
	}
	// The rows that were seen have moved above the ceiling since: say that
	// there is nothing left below it.
	h := wire.Header{Kind: wire.Delta, Watermark: &u.ceiling}
	u.mark(&h)
	_, err = u.send(ctx, h, nil, 0)
	return err
}

func (u *upload) ordered() bool { return u.t.table().RowVersionIndexed }

func (u *upload) readDelta(ctx context.Context, at sqlserver.Cursor, out *wire.Lines) (sqlserver.Chunk, error) {
	return u.reader.Delta(ctx, u.from, u.ceiling, at, out)
}

func (u *upload) sendDelta(ctx context.Context, p part) error {
	if err := u.took(p); err != nil {
		return err
	}
	h := wire.Header{Kind: wire.Delta}
	switch {
	case p.chunk.Done && (p.lines.N > 0 || u.sent || len(p.chunk.Oversize) > 0):
		h.Watermark = &u.ceiling
		if u.version.Cursor != "" {
			h.Cursor = new(string)
		}
		u.mark(&h)
	case p.lines.N == 0:
		return nil // nothing to say yet, or nothing was there
	case u.ordered():
		h.Watermark = &p.chunk.Watermark
		u.mark(&h)
	default:
		text := cursor{From: u.from, Ceiling: u.ceiling, At: string(p.chunk.Next), Delta: true}.String()
		h.Cursor = &text
	}
	if _, err := u.sendPacked(ctx, h, p.lines.packed, p.lines.Buf, p.lines.N); err != nil {
		return err
	}
	u.sent = true
	u.t.progress(0, int64(p.lines.N))
	return nil
}
