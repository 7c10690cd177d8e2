package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud/cost"
)

// KeepCosts implements cost.Store.
func (s *Store) KeepCosts(ctx context.Context, records []cost.Record) error {
	var statements []statement
	for _, r := range records {
		document, err := r.Document()
		if err != nil {
			return err
		}
		conflict := "DO UPDATE SET document = excluded.document"
		if r.Instance == "" {
			conflict = "DO NOTHING"
		}
		statements = append(statements, statement{
			sql:  "INSERT INTO tidemark.costs (span, begun, instance, document) VALUES ($1, $2, $3, $4) ON CONFLICT (span, begun, instance) " + conflict,
			args: []any{int(r.Span / time.Second), r.At, r.Instance, document},
		})
	}
	return s.run(ctx, func(c *session) error { return c.pipeline(ctx, statements...) })
}

// Costs implements cost.Store.
func (s *Store) Costs(ctx context.Context, span time.Duration, since, until time.Time, counters bool) (all []cost.Record, err error) {
	err = s.run(ctx, func(c *session) error {
		all, err = readCosts(ctx, c, span, since, until, counters)
		return err
	})
	return all, err
}

func readCosts(ctx context.Context, q querier, span time.Duration, since, until time.Time, counters bool) (all []cost.Record, err error) {
	rows, err := q.Query(ctx, "SELECT begun, instance, document FROM tidemark.costs WHERE span = $1 AND begun >= $2 AND begun < $3 AND (instance = '' OR NOT $4) ORDER BY begun, instance",
		int(span/time.Second), since, until, counters)
	if err != nil {
		return nil, err
	}
	r, document := cost.Record{Span: span}, ""
	_, err = pgx.ForEachRow(rows, []any{&r.At, &r.Instance, &document}, func() error {
		next := cost.Record{Span: span, At: r.At.UTC(), Instance: r.Instance}
		if err := next.Parse(document); err != nil {
			return err
		}
		all = append(all, next)
		return nil
	})
	return all, err
}

// DropCosts implements cost.Store.
func (s *Store) DropCosts(ctx context.Context, span time.Duration, before time.Time) error {
	return s.run(ctx, func(c *session) error {
		_, err := c.Exec(ctx, "DELETE FROM tidemark.costs WHERE span = $1 AND begun < $2", int(span/time.Second), before)
		return err
	})
}
