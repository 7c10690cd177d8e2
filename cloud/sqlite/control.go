package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"time"

	"tidemark/cloud"
)

//go:embed control.sql
var controlSchema string

// Documents implements cloud.Control.
func (s *Store) Documents(ctx context.Context, known int64) (revision int64, all []cloud.Document, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		all = nil
		err := tx.QueryRowContext(ctx, "SELECT revision FROM control WHERE kind = '' AND name = ''").Scan(&revision)
		if err != nil || revision == known {
			return err
		}
		rows, err := tx.QueryContext(ctx, "SELECT kind, name, revision, document FROM control WHERE kind <> '' ORDER BY kind, name")
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err has told
		for rows.Next() {
			var d cloud.Document
			if err := rows.Scan(&d.Kind, &d.Name, &d.Revision, &d.Body); err != nil {
				return err
			}
			all = append(all, d)
		}
		return rows.Err()
	})
	return revision, all, err
}

// Change implements cloud.Control.
func (s *Store) Change(ctx context.Context, c cloud.Change) (revision int64, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		var err error
		if revision, err = nextRevision(ctx, tx); err != nil {
			return err
		}
		if len(c.Documents) == 0 {
			return record(ctx, tx, c, revision, c.Subject, "", "")
		}
		for _, d := range c.Documents {
			if err := changeDocument(ctx, tx, c, d, revision); err != nil {
				return err
			}
		}
		return nil
	})
	return revision, err
}

func nextRevision(ctx context.Context, tx *sql.Tx) (revision int64, err error) {
	err = tx.QueryRowContext(ctx, "UPDATE control SET revision = revision + 1 WHERE kind = '' AND name = '' RETURNING revision").Scan(&revision)
	return revision, err
}

func changeDocument(ctx context.Context, tx *sql.Tx, c cloud.Change, d cloud.Document, revision int64) error {
	var have int64
	var before string
	err := tx.QueryRowContext(ctx, "SELECT revision, document FROM control WHERE kind = ? AND name = ?", string(d.Kind), d.Name).Scan(&have, &before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if have != d.Revision {
		return cloud.ErrChanged
	}
	if d.Body == "" {
		_, err = tx.ExecContext(ctx, "DELETE FROM control WHERE kind = ? AND name = ?", string(d.Kind), d.Name)
	} else {
		_, err = tx.ExecContext(ctx, `INSERT INTO control (kind, name, revision, document) VALUES (?, ?, ?, ?)
			ON CONFLICT (kind, name) DO UPDATE SET revision = excluded.revision, document = excluded.document`, string(d.Kind), d.Name, revision, d.Body)
	}
	if err != nil {
		return err
	}
	return record(ctx, tx, c, revision, cloud.SubjectOf(d.Kind, d.Name), before, d.Body)
}

func record(ctx context.Context, tx *sql.Tx, c cloud.Change, revision int64, subject, before, after string) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO record (revision, subject, at, who, why, action, before, after) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		revision, subject, timeText(c.At), c.Who, c.Why, c.Action, before, after)
	return err
}

// Recorded implements cloud.Control.
func (s *Store) Recorded(ctx context.Context, q cloud.RecordQuery) ([]cloud.Recorded, error) {
	most := q.Most
	if most == 0 {
		most = -1
	}
	rows, err := s.reader.QueryContext(ctx, `SELECT revision, at, who, why, action, subject, before, after FROM record
		WHERE at >= ?1 AND (?2 = '' OR at < ?2) AND (?3 = '' OR subject = ?3 OR substr(subject, 1, length(?3) + 1) = ?3 || ' ')
		ORDER BY revision DESC, subject LIMIT ?4`, timeText(q.Since), timeText(q.Until), q.Subject, most)
	if err != nil {
		return nil, available(err)
	}
	defer func() { _ = rows.Close() }() // Err has told
	var all []cloud.Recorded
	for rows.Next() {
		var r cloud.Recorded
		var at string
		if err := rows.Scan(&r.Revision, &at, &r.Who, &r.Why, &r.Action, &r.Subject, &r.Before, &r.After); err != nil {
			return nil, err
		}
		if r.At, err = textTime(at); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, available(rows.Err())
}

// DropRecorded implements cloud.Control.
func (s *Store) DropRecorded(ctx context.Context, before time.Time, most int) (int, error) {
	var n int64
	err := s.write(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "DELETE FROM record WHERE (revision, subject) IN (SELECT revision, subject FROM record WHERE at < ? ORDER BY revision LIMIT ?)",
			timeText(before), most)
		if err != nil {
			return err
		}
		n, err = r.RowsAffected()
		return err
	})
	return int(n), err
}

// Datasets implements cloud.Control.
func (s *Store) Datasets(ctx context.Context) ([]string, error) {
	return s.names(ctx, "SELECT name FROM datasets ORDER BY name")
}

func (s *Store) names(ctx context.Context, text string, args ...any) ([]string, error) {
	rows, err := s.reader.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, available(err)
	}
	defer func() { _ = rows.Close() }() // Err has told
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, available(rows.Err())
}

// Observe implements cloud.Control.
func (s *Store) Observe(ctx context.Context, instance, document string, fresh time.Duration) (all map[string]string, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		now := time.Now()
		_, err := tx.ExecContext(ctx, `INSERT INTO observed (instance, at, document) VALUES (?, ?, ?)
			ON CONFLICT (instance) DO UPDATE SET at = excluded.at, document = excluded.document`, instance, timeText(now), document)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM observed WHERE at < ?", timeText(now.Add(-time.Hour))); err != nil {
			return err
		}
		all, err = observed(ctx, tx, now.Add(-fresh))
		return err
	})
	return all, err
}

// Observed implements cloud.Control.
func (s *Store) Observed(ctx context.Context, fresh time.Duration) (all map[string]string, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		all, err = observed(ctx, tx, time.Now().Add(-fresh))
		return err
	})
	return all, err
}

func observed(ctx context.Context, tx *sql.Tx, since time.Time) (map[string]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT instance, document FROM observed WHERE at > ?", timeText(since))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err has told
	all := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		all[name] = text
	}
	return all, rows.Err()
}
