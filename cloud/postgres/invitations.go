package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
)

// Invite implements cloud.Invitations.
func (s *Store) Invite(ctx context.Context, i cloud.Invitation) error {
	return s.act(ctx, func(a acts) error { return a.Invite(ctx, i) })
}

// Invite implements cloud.Acts.
func (a acts) Invite(ctx context.Context, i cloud.Invitation) error {
	tag, err := a.Exec(ctx, "SELECT FROM tidemark.customers WHERE id = $1 FOR SHARE", i.Customer)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return unknownCustomer(i.Customer)
	}
	if _, err := a.Exec(ctx, "DELETE FROM tidemark.invitations WHERE customer = $1 AND expires <= $2", i.Customer, i.Created); err != nil {
		return err
	}
	_, err = a.Exec(ctx, "INSERT INTO tidemark.invitations (hash, customer, created, expires) VALUES ($1, $2, $3, $4)",
		i.Hash[:], i.Customer, i.Created, i.Expires)
	return err
}

// Invitations implements cloud.Invitations.
func (s *Store) Invitations(ctx context.Context, customer string) ([]cloud.Invitation, error) {
	rows, err := s.pool.Query(ctx, "SELECT hash, created, expires FROM tidemark.invitations WHERE customer = $1 ORDER BY created, hash", customer)
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (cloud.Invitation, error) {
		i := cloud.Invitation{Customer: customer}
		var hash []byte
		err := row.Scan(&hash, &i.Created, &i.Expires)
		copy(i.Hash[:], hash)
		i.Created, i.Expires = i.Created.UTC(), i.Expires.UTC()
		return i, err
	})
	return all, unavailable(err)
}

// Redeem implements cloud.Invitations.
func (s *Store) Redeem(ctx context.Context, customer string, hash [32]byte, key cloud.Key, now time.Time) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "DELETE FROM tidemark.invitations WHERE hash = $1 AND customer = $2 AND expires > $3", hash[:], customer, now)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return cloud.ErrNoInvitation
		}
		_, err = tx.Exec(ctx, addKey, keyArgs(customer, key)...)
		return err
	})
	return unavailable(err)
}
