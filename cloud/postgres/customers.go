package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
)

const addKey = "INSERT INTO tidemark.keys (hash, customer, created, expires) VALUES ($1, $2, $3, $4)"

func keyArgs(customer string, k cloud.Key) []any {
	var expires *time.Time
	if !k.Expires.IsZero() {
		expires = &k.Expires
	}
	return []any{k.Hash[:], customer, k.Created, expires}
}

// AddCustomer implements cloud.Customers.
func (s *Store) AddCustomer(ctx context.Context, c cloud.Customer, first cloud.Key) error {
	return s.act(ctx, func(a acts) error { return a.AddCustomer(ctx, c, first) })
}

// AddCustomer implements cloud.Acts.
func (a acts) AddCustomer(ctx context.Context, c cloud.Customer, first cloud.Key) error {
	tag, err := a.Exec(ctx, "INSERT INTO tidemark.customers (id, name, created) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", c.ID, c.Name, c.Created)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return cloud.ErrExists
	}
	_, err = a.Exec(ctx, addKey, keyArgs(c.ID, first)...)
	return err
}

// ListCustomers implements cloud.Customers.
func (s *Store) ListCustomers(ctx context.Context) ([]cloud.Customer, error) {
	return listCustomers(ctx, s.pool)
}

func listCustomers(ctx context.Context, q querier) ([]cloud.Customer, error) {
	rows, err := q.Query(ctx, "SELECT id, name, created FROM tidemark.customers ORDER BY id")
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c cloud.Customer, err error) {
		err = row.Scan(&c.ID, &c.Name, &c.Created)
		c.Created = c.Created.UTC()
		return c, err
	})
	return all, unavailable(err)
}

// Keys implements cloud.Customers.
func (s *Store) Keys(ctx context.Context, customer string) ([]cloud.Key, error) {
	rows, err := s.pool.Query(ctx, "SELECT hash, created, expires FROM tidemark.keys WHERE customer = $1 ORDER BY created, hash", customer)
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (k cloud.Key, err error) {
		var hash []byte
		var expires *time.Time
		err = row.Scan(&hash, &k.Created, &expires)
		copy(k.Hash[:], hash)
		k.Created = k.Created.UTC()
		if expires != nil {
			k.Expires = expires.UTC()
		}
		return k, err
	})
	return all, unavailable(err)
}

// RotateKey implements cloud.Customers.
func (s *Store) RotateKey(ctx context.Context, customer string, next cloud.Key, now, until time.Time) error {
	return s.act(ctx, func(a acts) error { return a.RotateKey(ctx, customer, next, now, until) })
}

// RotateKey implements cloud.Acts.
func (a acts) RotateKey(ctx context.Context, customer string, next cloud.Key, now, until time.Time) error {
	tag, err := a.Exec(ctx, "SELECT FROM tidemark.customers WHERE id = $1 FOR UPDATE", customer)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return unknownCustomer(customer)
	}
	if _, err := a.Exec(ctx, "DELETE FROM tidemark.keys WHERE customer = $1 AND expires < $2", customer, now); err != nil {
		return err
	}
	if _, err := a.Exec(ctx, "UPDATE tidemark.keys SET expires = $2 WHERE customer = $1 AND (expires IS NULL OR expires > $2)", customer, until); err != nil {
		return err
	}
	_, err = a.Exec(ctx, addKey, keyArgs(customer, next)...)
	return err
}

func unknownCustomer(id string) error {
	return notFound("there is no customer "+id, "The operator has removed it, or never added it.")
}
