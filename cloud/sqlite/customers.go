package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// AddCustomer implements cloud.Customers.
func (s *Store) AddCustomer(ctx context.Context, c cloud.Customer, first cloud.Key) error {
	return s.write(ctx, func(tx *sql.Tx) error { return acts{tx}.AddCustomer(ctx, c, first) })
}

// AddCustomer implements cloud.Acts.
func (a acts) AddCustomer(ctx context.Context, c cloud.Customer, first cloud.Key) error {
	r, err := a.tx.ExecContext(ctx, "INSERT INTO customers (id, name, created) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", c.ID, c.Name, timeText(c.Created))
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, cloud.ErrExists)
	}
	return addKey(ctx, a.tx, c.ID, first)
}

func addKey(ctx context.Context, tx *sql.Tx, customer string, k cloud.Key) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO keys (customer, hash, created, expires) VALUES (?, ?, ?, ?)",
		customer, k.Hash[:], timeText(k.Created), timeText(k.Expires))
	return err
}

// ListCustomers implements cloud.Customers.
func (s *Store) ListCustomers(ctx context.Context) ([]cloud.Customer, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT id, name, created FROM customers ORDER BY id")
	if err != nil {
		return nil, available(err)
	}
	defer func() { _ = rows.Close() }() // Err has told
	var all []cloud.Customer
	for rows.Next() {
		var c cloud.Customer
		var created string
		if err := rows.Scan(&c.ID, &c.Name, &created); err != nil {
			return nil, err
		}
		if c.Created, err = textTime(created); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, available(rows.Err())
}

// Keys implements cloud.Customers.
func (s *Store) Keys(ctx context.Context, customer string) ([]cloud.Key, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT hash, created, expires FROM keys WHERE customer = ? ORDER BY created, hash", customer)
	if err != nil {
		return nil, available(err)
	}
	defer func() { _ = rows.Close() }() // Err has told
	var all []cloud.Key
	for rows.Next() {
		var k cloud.Key
		var hash []byte
		var created, expires string
		if err := rows.Scan(&hash, &created, &expires); err != nil {
			return nil, err
		}
		copy(k.Hash[:], hash)
		if k.Created, err = textTime(created); err != nil {
			return nil, err
		}
		if k.Expires, err = textTime(expires); err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, available(rows.Err())
}

// RotateKey implements cloud.Customers.
func (s *Store) RotateKey(ctx context.Context, customer string, next cloud.Key, now, until time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error { return acts{tx}.RotateKey(ctx, customer, next, now, until) })
}

// RotateKey implements cloud.Acts.
func (a acts) RotateKey(ctx context.Context, customer string, next cloud.Key, now, until time.Time) error {
	if err := customerExists(ctx, a.tx, customer); err != nil {
		return err
	}
	if _, err := a.tx.ExecContext(ctx, "DELETE FROM keys WHERE customer = ? AND expires <> '' AND expires <= ?", customer, timeText(now)); err != nil {
		return err
	}
	if _, err := a.tx.ExecContext(ctx, "UPDATE keys SET expires = ?1 WHERE customer = ?2 AND (expires = '' OR expires > ?1)", timeText(until), customer); err != nil {
		return err
	}
	return addKey(ctx, a.tx, customer, next)
}

// customerExists returns a problem NotFound for a customer that does not.
func customerExists(ctx context.Context, tx *sql.Tx, customer string) error {
	var one int
	err := tx.QueryRowContext(ctx, "SELECT 1 FROM customers WHERE id = ?", customer).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return wire.NewProblem(wire.NotFound, "there is no customer "+customer, "The operator has removed it, or never added it.")
	}
	return err
}

// timeLayout sorts as text: all digits, always UTC.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeLayout)
}

func textTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(timeLayout, s)
}
