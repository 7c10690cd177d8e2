package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"time"

	"tidemark/cloud"
)

//go:embed reports.sql
var reportSchema string

// PutReport implements cloud.Reports.
func (s *Store) PutReport(ctx context.Context, r cloud.Report) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if err := customerExists(ctx, tx, r.Customer); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO reports (customer, received, document) VALUES (?, ?, ?)
			ON CONFLICT (customer) DO UPDATE SET received = excluded.received, document = excluded.document`,
			r.Customer, timeText(r.Received), string(r.Document))
		return err
	})
}

// Report implements cloud.Reports.
func (s *Store) Report(ctx context.Context, customer string) (cloud.Report, error) {
	r := cloud.Report{Customer: customer}
	var received string
	err := s.reader.QueryRowContext(ctx, "SELECT received, document FROM reports WHERE customer = ?", customer).Scan(&received, &r.Document)
	if errors.Is(err, sql.ErrNoRows) {
		return cloud.Report{}, nil
	}
	if err == nil {
		r.Received, err = textTime(received)
	}
	return r, available(err)
}

// EachReport implements cloud.Reports. It reads all from one state of the
// file.
func (s *Store) EachReport(ctx context.Context, since time.Time, fn func(cloud.Report) error) error {
	rows, err := s.reader.QueryContext(ctx, "SELECT customer, received, document FROM reports WHERE received >= ? ORDER BY customer", timeText(since))
	if err != nil {
		return available(err)
	}
	defer func() { _ = rows.Close() }() // Err has told
	for rows.Next() {
		var r cloud.Report
		var received string
		if err := rows.Scan(&r.Customer, &received, &r.Document); err != nil {
			return available(err)
		}
		if r.Received, err = textTime(received); err != nil {
			return err
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return available(rows.Err())
}
