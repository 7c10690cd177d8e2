package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5/pgconn"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// fillStage copies a feed into the staging table, all at once. Where Postgres
// cannot read a row the attempt ends, and the next one goes bit by bit: the
// lines that it cannot read go into bad, with the reason.
func (a *application) fillStage(ctx context.Context, f *feed, columns string, bad map[int]string) error {
	leading := "_tm_line, _tm_rv"
	if f.layout == intoKeys {
		leading += ", _tm_epoch"
	}
	sql := fmt.Sprintf("COPY %s (%s, %s) FROM STDIN", a.p.staging(), leading, columns)
	if a.way == careful {
		return a.c.fillBitByBit(ctx, f, sql, bad)
	}
	_, err := a.c.copyIn(ctx, f, sql)
	if isRowError(err) {
		a.way = careful
		return errOtherWay
	}
	return err
}

// copyIn runs the COPY of a feed and returns the number of rows copied.
func (c *session) copyIn(ctx context.Context, f *feed, sql string) (int64, error) {
	tag, err := c.PgConn().CopyFrom(ctx, f, sql)
	if source := f.stop(); source != nil {
		return 0, source
	}
	return tag.RowsAffected(), err
}

// A bit is what is copied at once when one of the rows is known to be bad.
const (
	bitRows  = 256
	bitBytes = 1 << 20
)

// fillBitByBit reads the feed once, in bits. The rows of a bit that fails are
// copied one by one.
func (c *session) fillBitByBit(ctx context.Context, f *feed, sql string, bad map[int]string) error {
	var ends, lines []int
	for more := true; more; {
		f.buf, ends, lines = f.buf[:0], ends[:0], lines[:0]
		for more && len(ends) < bitRows && len(f.buf) < bitBytes {
			start := len(f.buf)
			err := f.next()
			if more = err == nil; !more && !errors.Is(err, io.EOF) {
				return err
			}
			if len(f.buf) > start {
				ends, lines = append(ends, len(f.buf)), append(lines, f.line)
			}
		}
		err := c.trySavepoint(ctx, func() error { return c.copyText(ctx, f.buf, sql) })
		if err == nil {
			continue
		}
		if !isRowError(err) {
			return err
		}
		start := 0
		for i, end := range ends {
			err := c.trySavepoint(ctx, func() error { return c.copyText(ctx, f.buf[start:end], sql) })
			if isRowError(err) {
				bad[lines[i]] = reason(err)
			} else if err != nil {
				return err
			}
			start = end
		}
	}
	return nil
}

func (c *session) copyText(ctx context.Context, rows []byte, sql string) error {
	_, err := c.PgConn().CopyFrom(ctx, bytes.NewReader(rows), sql)
	return err
}

// trySavepoint runs f under a savepoint and goes back to it when Postgres
// refused a row.
func (c *session) trySavepoint(ctx context.Context, f func() error) error {
	if _, err := c.Exec(ctx, "SAVEPOINT tm"); err != nil {
		return err
	}
	err := f()
	switch {
	case err == nil:
		_, err = c.Exec(ctx, "RELEASE tm")
	case isRowError(err):
		if back := c.pipeline(ctx, statement{sql: "ROLLBACK TO tm"}, statement{sql: "RELEASE tm"}); back != nil {
			return back
		}
	}
	return err
}

// reason is what Postgres said, for people.
func reason(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return "Postgres: " + pg.Message
	}
	return err.Error()
}

// collect reads the source again for the keys of the bad lines. KeyAt are the
// positions of the key's values; nil when the values are the key.
func collect(rows cloud.RowSource, bad map[int]string, keyAt []int) ([]refused, error) {
	if len(bad) == 0 {
		return nil, nil
	}
	if err := rows.Rewind(); err != nil {
		return nil, err
	}
	var all []refused
	for len(all) < len(bad) {
		row, err := rows.Next()
		if err != nil {
			return nil, err
		}
		why, ok := bad[row.Index]
		if !ok {
			continue
		}
		all = append(all, keepRefused(wire.Refusal{Row: row.Index, Reason: why}, keyOf(row, keyAt)))
	}
	return all, nil
}
