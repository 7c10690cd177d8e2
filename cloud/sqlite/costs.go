package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"time"

	"tidemark/cloud/cost"
)

//go:embed costs.sql
var costSchema string

// KeepCosts implements cost.Store.
func (s *Store) KeepCosts(ctx context.Context, records []cost.Record) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, r := range records {
			document, err := r.Document()
			if err != nil {
				return err
			}
			conflict := "DO UPDATE SET document = excluded.document"
			if r.Instance == "" {
				conflict = "DO NOTHING"
			}
			_, err = tx.ExecContext(ctx, "INSERT INTO costs (span, begun, instance, document) VALUES (?, ?, ?, ?) ON CONFLICT (span, begun, instance) "+conflict,
				int(r.Span/time.Second), r.At.Unix(), r.Instance, document)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Costs implements cost.Store.
func (s *Store) Costs(ctx context.Context, span time.Duration, since, until time.Time, counters bool) ([]cost.Record, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT begun, instance, document FROM costs WHERE span = ? AND begun >= ? AND begun < ? AND (instance = '' OR NOT ?) ORDER BY begun, instance",
		int(span/time.Second), ceilUnix(since), ceilUnix(until), counters)
	if err != nil {
		return nil, available(err)
	}
	defer func() { _ = rows.Close() }() // Err has told
	var all []cost.Record
	for rows.Next() {
		r := cost.Record{Span: span}
		var begun int64
		var document string
		if err := rows.Scan(&begun, &r.Instance, &document); err != nil {
			return nil, err
		}
		r.At = time.Unix(begun, 0).UTC()
		if err := r.Parse(document); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, available(rows.Err())
}

// DropCosts implements cost.Store.
func (s *Store) DropCosts(ctx context.Context, span time.Duration, before time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM costs WHERE span = ? AND begun < ?", int(span/time.Second), ceilUnix(before))
		return err
	})
}

// ceilUnix is the first whole second that is not before t.
func ceilUnix(t time.Time) int64 { return t.Add(time.Second - 1).Unix() }
