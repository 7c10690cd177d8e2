package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// ofCustomer are the tables with rows of a customer, beside those of datasets,
// in an order in which they can be emptied.
var ofCustomer = []string{"invitations", "keys", "answers", "summaries", "leaves", "log", "tables", "reports", "tokens"}

// errStillWritten says that rows came while a customer was removed.
var errStillWritten = errors.New("rows of the customer still arrive")

// RemoveCustomer implements cloud.Customers. Servers let a customer in for some
// seconds after its keys are gone: the end, which forgets the tables, deletes
// what has arrived since, or goes back to the beginning when that is too much.
func (s *Store) RemoveCustomer(ctx context.Context, customer string) error {
	for {
		err := s.removePass(ctx, customer)
		if !errors.Is(err, errStillWritten) {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func (s *Store) removePass(ctx context.Context, customer string) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if err := customerExists(ctx, tx, customer); err != nil {
			return err
		}
		for _, table := range []string{"invitations", "keys"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE customer = ?", customer); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	tables, err := s.names(ctx, "SELECT name FROM tables WHERE customer = ?", customer)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if _, err := s.dropRows(ctx, customer, table, everyEpoch); err != nil {
			return err
		}
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		if err := dropLast(ctx, tx, customer); err != nil {
			return err
		}
		for _, table := range ofCustomer {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE customer = ?", customer); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM customers WHERE id = ?", customer)
		return err
	})
}

// dropLast deletes what has arrived since the steps, when one step can.
func dropLast(ctx context.Context, tx *sql.Tx, customer string) error {
	var rows int64
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(sum(state ->> '$.Version.rows'), 0) FROM tables WHERE customer = ?", customer).Scan(&rows); err != nil || rows == 0 {
		return err
	}
	if rows > dropStep {
		return errStillWritten
	}
	var name string
	for after := ""; ; after = name {
		err := tx.QueryRowContext(ctx, "SELECT name FROM tables WHERE customer = ? AND name > ? ORDER BY name LIMIT 1", customer, after).Scan(&name)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		h, err := load(ctx, tx, customer, name)
		if err != nil {
			return err
		}
		if _, err := newPlan(h.set, h.schema).dropRange(ctx, tx, customer, nil, nil, everyEpoch); err != nil {
			return err
		}
	}
}
