package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
)

// PutReport implements cloud.Reports. One statement, which is its own
// transaction; for the first report of a customer two.
func (s *Store) PutReport(ctx context.Context, r cloud.Report) error {
	args := []any{r.Customer, r.Received, string(r.Document)}
	tag, err := s.pool.Exec(ctx, "UPDATE tidemark.reports SET received = $2, document = $3 WHERE customer = $1", args...)
	if err != nil || tag.RowsAffected() > 0 {
		return unavailable(err)
	}
	tag, err = s.pool.Exec(ctx, `INSERT INTO tidemark.reports (customer, received, document)
		SELECT $1, $2, $3 FROM tidemark.customers WHERE id = $1
		ON CONFLICT (customer) DO UPDATE SET received = excluded.received, document = excluded.document`, args...)
	if err == nil && tag.RowsAffected() == 0 {
		return unknownCustomer(r.Customer)
	}
	return unavailable(err)
}

// Report implements cloud.Reports.
func (s *Store) Report(ctx context.Context, customer string) (cloud.Report, error) {
	return readReport(ctx, s.pool, customer)
}

func readReport(ctx context.Context, q querier, customer string) (cloud.Report, error) {
	r := cloud.Report{Customer: customer}
	err := q.QueryRow(ctx, "SELECT received, document FROM tidemark.reports WHERE customer = $1", customer).Scan(&r.Received, &r.Document)
	if errors.Is(err, pgx.ErrNoRows) {
		return cloud.Report{}, nil
	}
	r.Received = r.Received.UTC()
	return r, unavailable(err)
}

// EachReport implements cloud.Reports. It reads pages of a bounded number of
// customers, so that fn holds no connection and no snapshot.
func (s *Store) EachReport(ctx context.Context, since time.Time, fn func(cloud.Report) error) error {
	return eachReport(ctx, s.pool, since, fn)
}

func eachReport(ctx context.Context, q querier, since time.Time, fn func(cloud.Report) error) error {
	const page = 200
	for after, done := "", false; !done; {
		rows, err := q.Query(ctx, `SELECT customer, received, document FROM tidemark.reports
			WHERE customer > $1 AND received >= $2 ORDER BY customer LIMIT $3`, after, since, page)
		if err != nil {
			return unavailable(err)
		}
		all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r cloud.Report, err error) {
			err = row.Scan(&r.Customer, &r.Received, &r.Document)
			r.Received = r.Received.UTC()
			return r, err
		})
		if err != nil {
			return unavailable(err)
		}
		for _, r := range all {
			if err := fn(r); err != nil {
				return err
			}
			after = r.Customer
		}
		done = len(all) < page
	}
	return nil
}
