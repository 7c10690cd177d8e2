package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"strings"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/sums"
	"tidemark/internal/wire"
)

// everyEpoch is above the number of every epoch.
const everyEpoch = math.MaxInt64

// Drop implements cloud.Tables.
func (s *Store) Drop(ctx context.Context, customer, table string, d cloud.Drop) (a wire.Answer, err error) {
	var upTo int64
	err = s.write(ctx, func(tx *sql.Tx) error {
		h, err := load(ctx, tx, customer, table)
		if err != nil {
			return err
		}
		next, err := h.state.Drop(d.Writer, d.TakeOver, d.Seq, time.Now())
		if err != nil {
			return err
		}
		upTo = next.EpochNumber
		if err := forget(ctx, tx, customer, table); err != nil {
			return err
		}
		return saveState(ctx, tx, customer, table, next, sums.Mark{})
	})
	if err != nil {
		return a, err
	}
	if a.Deleted, err = s.dropRows(ctx, customer, table, upTo); err != nil {
		return a, err
	}
	t, err := s.Table(ctx, customer, table)
	a.Version = t.Version
	return a, err
}

// dropRows deletes the rows of epochs numbered up to one, step by step along
// the key, and keeps the count of the version.
func (s *Store) dropRows(ctx context.Context, customer, table string, upTo int64) (deleted int, err error) {
	var after []any // the key that the step before ended with
	for more := true; more; {
		err := s.write(ctx, func(tx *sql.Tx) error {
			h, err := load(ctx, tx, customer, table)
			if err != nil {
				return err
			}
			p := newPlan(h.set, h.schema)
			upper, err := p.stepEnd(ctx, tx, customer, after)
			if err != nil {
				return err
			}
			n, err := p.dropRange(ctx, tx, customer, after, upper, upTo)
			if err != nil {
				return err
			}
			deleted += int(n)
			if n > 0 { // a load may have come between two steps: its summary is made anew
				h.mark = sums.Mark{}
			}
			h.state.Version.Rows -= n
			after, more = upper, upper != nil
			return saveState(ctx, tx, customer, table, h.state, h.mark)
		})
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// stepEnd returns the key that a step ends with, nil for the last one.
func (p plan) stepEnd(ctx context.Context, tx *sql.Tx, customer string, after []any) ([]any, error) {
	text := "SELECT " + strings.Join(p.keyIDs(), ", ") + " FROM " + p.table + " WHERE customer_id = ?"
	if after != nil {
		text += p.beyond(">")
	}
	upper := make([]any, len(p.key))
	into := make([]any, len(p.key))
	for i := range upper {
		into[i] = &upper[i]
	}
	args := append(append([]any{customer}, after...), dropStep-1)
	err := tx.QueryRowContext(ctx, text+p.orderByKey()+" LIMIT 1 OFFSET ?", args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return upper, err
}

func (p plan) dropRange(ctx context.Context, tx *sql.Tx, customer string, after, upper []any, upTo int64) (int64, error) {
	text, args := "DELETE FROM "+p.table+" WHERE customer_id = ? AND _tm_epoch <= ?", []any{customer, upTo}
	if after != nil {
		text, args = text+p.beyond(">"), append(args, after...)
	}
	if upper != nil {
		text, args = text+p.beyond("<="), append(args, upper...)
	}
	r, err := tx.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}
