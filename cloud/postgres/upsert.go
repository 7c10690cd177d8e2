package postgres

import (
	"context"
	"fmt"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// A way is how rows get into the table. Each is tried when the one before
// has failed.
type way uint8

const (
	direct    way = iota // copied into the table itself: when all rows are new
	inlineWay            // carried by the statement that merges them: when they are few
	staged               // copied into the stage, and merged from there
	careful              // the same, with the stage filled bit by bit
)

// firstWay is the one that a batch begins with.
func (s *Store) firstWay(b cloud.Batch) way {
	switch {
	case b.Header.Kind == wire.Load: // unless the table holds rows
		return direct
	case fits(b) && !s.stages:
		return inlineWay
	}
	return staged
}

// errOtherWay ends an attempt; the next one goes the next way.
var errOtherWay = fmt.Errorf("%w: or its rows are not all new and readable", errStale)

// upsert applies the rows of a batch.
func (a *application) upsert(ctx context.Context) ([]refused, error) {
	switch {
	case a.way == inlineWay:
		return a.upsertInline(ctx)
	case a.way == direct && (a.before.Version.Rows == 0 || a.before.pristine):
		return a.copyDirect(ctx)
	case a.way == direct:
		a.way = staged
	}
	f := &feed{rows: a.b.Rows, columns: a.p.columns, keyAt: a.p.keyAt, layout: intoStage, keys: a.sum.begin(a.p)}
	bad := map[int]string{}
	if err := a.fillStage(ctx, f, list(a.p.columns, "%", ", "), bad); err != nil {
		return nil, err
	}
	if err := a.merge(ctx, 0, a.b.Header.Rows, bad); err != nil {
		return nil, err
	}
	more, err := collect(a.b.Rows, bad, a.p.keyAt)
	rows := append(f.refused, more...)
	a.answer.Unchanged = a.b.Header.Rows - len(rows) - a.answer.Inserted - a.answer.Updated
	return rows, err
}

// copyDirect copies the rows into the table itself: a first load's way.
func (a *application) copyDirect(ctx context.Context) ([]refused, error) {
	f := &feed{rows: a.b.Rows, columns: a.p.columns, keyAt: a.p.keyAt, layout: intoTarget, keys: a.sum.begin(a.p)}
	f.prefix = append(appendEscaped(nil, []byte(a.b.Customer)), '\t')
	f.suffix = fmt.Appendf(nil, "\t%d\n", a.next.EpochNumber)
	n, err := a.c.copyIn(ctx, f, fmt.Sprintf("COPY %s (customer_id, %s, _tm_rv, _tm_epoch) FROM STDIN", a.p.target(), list(a.p.columns, "%", ", ")))
	if isRowError(err) {
		a.way = staged
		return nil, errOtherWay
	}
	if err != nil {
		return nil, err
	}
	a.answer.Inserted = int(n)
	return f.refused, a.sum.insertedAll()
}
