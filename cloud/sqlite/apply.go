package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"

	"tidemark/cloud"
	"tidemark/cloud/ledger"
	"tidemark/cloud/sums"
	"tidemark/cloud/sums/upkeep"
	"tidemark/internal/wire"
)

// Apply implements cloud.Batches.
func (s *Store) Apply(ctx context.Context, b cloud.Batch) (wire.Answer, error) {
	return s.batch(ctx, b, func(p plan, next ledger.State, tx *sql.Tx, changes *keyedChanges, a *wire.Answer) error {
		texts, err := statements(ctx, tx, p.find(), p.insert(), p.update())
		if err != nil {
			return err
		}
		w := upsert{plan: p, batch: b, epoch: next.EpochNumber, find: texts[0], insert: texts[1], update: texts[2], changes: changes, answer: a}
		return each(ctx, b.Rows, w.row)
	})
}

// Delete implements cloud.Batches.
func (s *Store) Delete(ctx context.Context, b cloud.Batch) (wire.Answer, error) {
	return s.batch(ctx, b, func(p plan, next ledger.State, tx *sql.Tx, changes *keyedChanges, a *wire.Answer) error {
		texts, err := statements(ctx, tx, p.find(), p.remove())
		if err != nil {
			return err
		}
		w := removal{plan: p, batch: b, epoch: next.EpochNumber, find: texts[0], remove: texts[1], changes: changes, answer: a}
		return each(ctx, b.Rows, w.row)
	})
}

// batch does what all batches have in common around the work on their rows.
func (s *Store) batch(ctx context.Context, b cloud.Batch, work func(plan, ledger.State, *sql.Tx, *keyedChanges, *wire.Answer) error) (a wire.Answer, err error) {
	var mark sums.Mark
	err = s.write(ctx, func(tx *sql.Tx) error {
		h, err := load(ctx, tx, b.Customer, b.Table)
		if err != nil {
			return err
		}
		next, replay, err := h.state.Admit(b.Header, b.Now)
		if err != nil {
			return err
		}
		if replay {
			a, err = answered(ctx, tx, b)
			a.Version = h.state.Version // a release or a new schema may have come since
			return err
		}
		a = wire.Answer{}
		changes, err := h.beginChanges(ctx, tx, b, next)
		if err != nil {
			return err
		}
		if err := work(newPlan(h.set, h.schema), next, tx, changes, &a); err != nil {
			return err
		}
		if mark, err = h.endChanges(ctx, tx, b, next, changes); err != nil {
			return err
		}
		next.Version.Rows += int64(a.Inserted - a.Deleted)
		a.Version = next.Version
		if err := saveState(ctx, tx, b.Customer, b.Table, next, mark); err != nil {
			return err
		}
		return saveAnswer(ctx, tx, b, a)
	})
	if err == nil && !a.Replayed {
		s.upkeep.Applied(upkeep.Table{Customer: b.Customer, Name: b.Table}, mark, b.Header.Complete)
	}
	return a, err
}

func answered(ctx context.Context, tx *sql.Tx, b cloud.Batch) (a wire.Answer, err error) {
	var body []byte
	if err := tx.QueryRowContext(ctx, "SELECT body FROM answers WHERE customer = ? AND name = ?", b.Customer, b.Table).Scan(&body); err != nil {
		return a, err
	}
	err = json.Unmarshal(body, &a)
	a.Replayed = true
	return a, err
}

func saveAnswer(ctx context.Context, tx *sql.Tx, b cloud.Batch, a wire.Answer) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO answers (customer, name, body, recent) VALUES (?, ?, ?, ?) ON CONFLICT (customer, name) DO UPDATE
		SET body = excluded.body, recent = substr(CAST(excluded.recent || answers.recent AS BLOB), 1, ?)`,
		b.Customer, b.Table, string(body), b.Taken(a).Encode(), cloud.RecentBytes)
	return err
}

// each calls f for every row. Statements of f need no context of their own,
// which would cost a goroutine each: each looks at ctx now and then.
func each(ctx context.Context, rows cloud.RowSource, f func(context.Context, cloud.Row) error) error {
	quiet := context.WithoutCancel(ctx)
	for n := 0; ; n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(quiet, row); err != nil {
			return err
		}
	}
}

// upsert works on the rows of a batch. Row and removal.row are where it is
// known what a batch changes, with the row version and epoch that it had.
type upsert struct {
	plan                 plan
	batch                cloud.Batch
	epoch                int64
	find, insert, update *sql.Stmt
	changes              *keyedChanges // nil: no summary is kept
	answer               *wire.Answer
	key                  [][]byte

	rowArgs, keyArgs, updateArgs []any
}

func (w *upsert) row(ctx context.Context, row cloud.Row) (err error) {
	if row.Refusal != nil {
		return refuse(ctx, w.plan, w.batch.Customer, w.find, row, w.answer)
	}
	if w.rowArgs, err = w.plan.rowArgs(w.rowArgs[:0], w.batch.Customer, row.Version, w.epoch, row.Values); err != nil {
		return err
	}
	w.key = w.key[:0]
	for _, at := range w.plan.key {
		w.key = append(w.key, row.Values[at])
	}
	if w.batch.Header.Kind == wire.Load { // the row is most likely new
		if inserted, err := w.try(ctx, row.Version); inserted || err != nil {
			return err
		}
	}
	if w.keyArgs, err = w.plan.keyArgs(w.keyArgs[:0], w.batch.Customer, w.key); err != nil {
		return err
	}
	version, epoch, found, err := lookup(ctx, w.find, w.keyArgs)
	switch {
	case err != nil:
		return err
	case !found:
		_, err := w.try(ctx, row.Version)
		return err
	case epoch == w.epoch && (version == row.Version || version > row.Version && w.plan.schema.Versioning == wire.ByRowVersion):
		w.answer.Unchanged++
		return nil
	}
	w.updateArgs = w.plan.updateArgs(w.updateArgs[:0], w.rowArgs, w.keyArgs)
	if _, err := w.update.ExecContext(ctx, w.updateArgs...); err != nil {
		return err
	}
	w.answer.Updated++
	return w.changes.update(w.key, row.Version, version, epoch)
}

// try inserts the row unless its key is there.
func (w *upsert) try(ctx context.Context, version uint64) (bool, error) {
	r, err := w.insert.ExecContext(ctx, w.rowArgs...)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	if n == 0 || err != nil {
		return false, err
	}
	w.answer.Inserted++
	return true, w.changes.insert(w.key, version)
}

// removal works on the keys of a batch of deletes.
type removal struct {
	plan         plan
	batch        cloud.Batch
	epoch        int64
	find, remove *sql.Stmt
	changes      *keyedChanges // nil: no summary is kept
	answer       *wire.Answer
	keyArgs      []any
}

func (w *removal) row(ctx context.Context, row cloud.Row) (err error) {
	if row.Refusal != nil {
		return refuse(ctx, w.plan, w.batch.Customer, w.find, row, w.answer)
	}
	if w.keyArgs, err = w.plan.keyArgs(w.keyArgs[:0], w.batch.Customer, row.Values); err != nil {
		return err
	}
	version, epoch, found, err := lookup(ctx, w.find, w.keyArgs)
	if err != nil {
		return err
	}
	if !found || !sameStamp(row, version, epoch, w.epoch) {
		w.answer.Guarded++
		return nil
	}
	if _, err := w.remove.ExecContext(ctx, w.keyArgs...); err != nil {
		return err
	}
	w.answer.Deleted++
	return w.changes.delete(row.Values, version, epoch)
}

// sameStamp compares the stamp of a line with the state of a row.
func sameStamp(line cloud.Row, version uint64, epoch, current int64) bool {
	named := line.Epoch
	if named == 0 {
		named = current
	}
	return line.Version == version && named == epoch
}

// refuse names a refused row in the answer.
func refuse(ctx context.Context, p plan, customer string, find *sql.Stmt, row cloud.Row, a *wire.Answer) error {
	r := *row.Refusal
	if row.Key != nil {
		args, err := p.keyArgs(nil, customer, row.Key)
		if err != nil {
			return err
		}
		if _, _, r.Present, err = lookup(ctx, find, args); err != nil {
			return err
		}
	}
	a.Refused = append(a.Refused, r)
	return nil
}

// lookup returns the row version and the epoch's number of a row.
func lookup(ctx context.Context, find *sql.Stmt, key []any) (version uint64, epoch int64, found bool, err error) {
	var bits int64
	err = find.QueryRowContext(ctx, key...).Scan(&bits, &epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, false, nil
	}
	return uint64(bits), epoch, err == nil, err
}
