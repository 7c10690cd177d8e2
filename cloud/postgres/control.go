package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
)

// Documents implements cloud.Control. Revision and documents are of one
// moment, because they are of one statement.
func (s *Store) Documents(ctx context.Context, known int64) (revision int64, all []cloud.Document, err error) {
	return documents(ctx, s.pool, known)
}

func documents(ctx context.Context, q querier, known int64) (revision int64, all []cloud.Document, err error) {
	err = q.QueryRow(ctx, "SELECT revision FROM tidemark.control WHERE kind = '' AND name = ''").Scan(&revision)
	if err != nil || revision == known {
		return revision, nil, unavailable(err)
	}
	rows, err := q.Query(ctx, "SELECT kind, name, revision, document FROM tidemark.control ORDER BY kind, name")
	if err != nil {
		return 0, nil, unavailable(err)
	}
	var d cloud.Document
	_, err = pgx.ForEachRow(rows, []any{&d.Kind, &d.Name, &d.Revision, &d.Body}, func() error {
		if d.Kind == "" {
			revision = d.Revision
		} else {
			all = append(all, d)
		}
		return nil
	})
	return revision, all, unavailable(err)
}

// nextRevision takes the row with the revision of all, at which changes wait
// for each other.
const nextRevision = "UPDATE tidemark.control SET revision = revision + 1 WHERE kind = '' AND name = '' RETURNING revision"

// Change implements cloud.Control.
func (s *Store) Change(ctx context.Context, c cloud.Change) (revision int64, err error) {
	err = s.run(ctx, func(conn *session) error {
		err := conn.pipeline(ctx, statement{sql: begin}, statement{sql: nextRevision, scan: []any{&revision}})
		if err != nil {
			return err
		}
		if len(c.Documents) == 0 {
			err = conn.record(ctx, c, revision, c.Subject, "", "")
		}
		for _, d := range c.Documents {
			if err == nil {
				err = conn.change(ctx, c, d, revision)
			}
		}
		if err != nil {
			return err
		}
		return conn.commit(ctx)
	})
	return revision, err
}

func (c *session) change(ctx context.Context, by cloud.Change, d cloud.Document, revision int64) error {
	var have int64
	var before string
	err := c.QueryRow(ctx, "SELECT revision, document FROM tidemark.control WHERE kind = $1 AND name = $2", string(d.Kind), d.Name).Scan(&have, &before)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if have != d.Revision {
		return cloud.ErrChanged
	}
	if d.Body == "" {
		_, err = c.Exec(ctx, "DELETE FROM tidemark.control WHERE kind = $1 AND name = $2", string(d.Kind), d.Name)
	} else {
		_, err = c.Exec(ctx, `INSERT INTO tidemark.control (kind, name, revision, document) VALUES ($1, $2, $3, $4)
			ON CONFLICT (kind, name) DO UPDATE SET revision = excluded.revision, document = excluded.document`, string(d.Kind), d.Name, revision, d.Body)
	}
	if err != nil {
		return err
	}
	return c.record(ctx, by, revision, cloud.SubjectOf(d.Kind, d.Name), before, d.Body)
}

func (c *session) record(ctx context.Context, by cloud.Change, revision int64, subject, before, after string) error {
	_, err := c.Exec(ctx, "INSERT INTO tidemark.record (revision, subject, at, who, why, action, before, after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		revision, subject, by.At, by.Who, by.Why, by.Action, before, after)
	return err
}

// Recorded implements cloud.Control.
func (s *Store) Recorded(ctx context.Context, q cloud.RecordQuery) ([]cloud.Recorded, error) {
	var since, until *time.Time
	if !q.Since.IsZero() {
		since = &q.Since
	}
	if !q.Until.IsZero() {
		until = &q.Until
	}
	var most *int
	if q.Most > 0 {
		most = &q.Most
	}
	rows, err := s.pool.Query(ctx, `SELECT revision, at, who, why, action, subject, before, after FROM tidemark.record
		WHERE ($1::timestamptz IS NULL OR at >= $1) AND ($2::timestamptz IS NULL OR at < $2)
		AND ($3 = '' OR subject = $3 OR starts_with(subject, $3 || ' '))
		ORDER BY revision DESC, subject LIMIT $4`, since, until, q.Subject, most)
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r cloud.Recorded, err error) {
		err = row.Scan(&r.Revision, &r.At, &r.Who, &r.Why, &r.Action, &r.Subject, &r.Before, &r.After)
		r.At = r.At.UTC()
		return r, err
	})
	return all, unavailable(err)
}

// DropRecorded implements cloud.Control.
func (s *Store) DropRecorded(ctx context.Context, before time.Time, most int) (int, error) {
	tag, err := s.pool.Exec(ctx, `DELETE FROM tidemark.record WHERE (revision, subject) IN (
		SELECT revision, subject FROM tidemark.record WHERE at < $1 ORDER BY revision, subject LIMIT $2)`, before, most)
	return int(tag.RowsAffected()), unavailable(err)
}

// Datasets implements cloud.Control.
func (s *Store) Datasets(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, "SELECT name FROM tidemark.datasets ORDER BY name")
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return all, unavailable(err)
}

// Observe implements cloud.Control. Times are the server's, so that clocks of
// instances do not matter.
func (s *Store) Observe(ctx context.Context, instance, document string, fresh time.Duration) (all map[string]string, err error) {
	err = s.run(ctx, func(c *session) error {
		_, err := c.Exec(ctx, `INSERT INTO tidemark.observed (instance, at, document) VALUES ($1, statement_timestamp(), $2)
			ON CONFLICT (instance) DO UPDATE SET at = excluded.at, document = excluded.document`, instance, document)
		if err != nil {
			return err
		}
		if _, err := c.Exec(ctx, "DELETE FROM tidemark.observed WHERE at < statement_timestamp() - interval '1 hour'"); err != nil {
			return err
		}
		all, err = observed(ctx, c, fresh)
		return err
	})
	return all, err
}

// Observed implements cloud.Control.
func (s *Store) Observed(ctx context.Context, fresh time.Duration) (map[string]string, error) {
	all, err := observed(ctx, s.pool, fresh)
	return all, unavailable(err)
}

func observed(ctx context.Context, q querier, fresh time.Duration) (map[string]string, error) {
	rows, err := q.Query(ctx, "SELECT instance, document FROM tidemark.observed WHERE at > statement_timestamp() - make_interval(secs => $1)", fresh.Seconds())
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	var name, text string
	_, err = pgx.ForEachRow(rows, []any{&name, &text}, func() error {
		all[name] = text
		return nil
	})
	return all, err
}
