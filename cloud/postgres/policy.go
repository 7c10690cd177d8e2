package postgres

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"tidemark/internal/wire"
)

// Policy implements cloud.Policies.
func (s *Store) Policy(ctx context.Context, customer string) (wire.Policy, error) {
	var p wire.Policy
	var document []byte
	err := s.pool.QueryRow(ctx, "SELECT document FROM tidemark.policies WHERE customer = $1", customer).Scan(&document)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return p, nil
	case err != nil:
		return p, unavailable(err)
	}
	return p, json.Unmarshal(document, &p)
}

// SetPolicy implements cloud.Policies.
func (s *Store) SetPolicy(ctx context.Context, customer string, p wire.Policy) error {
	document, err := json.Marshal(p)
	if err != nil {
		return err
	}
	tag, err := s.pool.Exec(ctx, `INSERT INTO tidemark.policies (customer, document)
		SELECT $1, $2 WHERE $1 = '' OR EXISTS (SELECT FROM tidemark.customers WHERE id = $1)
		ON CONFLICT (customer) DO UPDATE SET document = excluded.document`, customer, string(document))
	if err == nil && tag.RowsAffected() == 0 {
		return unknownCustomer(customer)
	}
	return unavailable(err)
}
