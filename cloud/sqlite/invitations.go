package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"time"

	"tidemark/cloud"
)

//go:embed invitations.sql
var invitationSchema string

// Invite implements cloud.Invitations.
func (s *Store) Invite(ctx context.Context, i cloud.Invitation) error {
	return s.write(ctx, func(tx *sql.Tx) error { return acts{tx}.Invite(ctx, i) })
}

// Invite implements cloud.Acts.
func (a acts) Invite(ctx context.Context, i cloud.Invitation) error {
	if err := customerExists(ctx, a.tx, i.Customer); err != nil {
		return err
	}
	if _, err := a.tx.ExecContext(ctx, "DELETE FROM invitations WHERE customer = ? AND expires <= ?", i.Customer, timeText(i.Created)); err != nil {
		return err
	}
	_, err := a.tx.ExecContext(ctx, "INSERT INTO invitations (customer, hash, created, expires) VALUES (?, ?, ?, ?)",
		i.Customer, i.Hash[:], timeText(i.Created), timeText(i.Expires))
	return err
}

// Invitations implements cloud.Invitations.
func (s *Store) Invitations(ctx context.Context, customer string) ([]cloud.Invitation, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT hash, created, expires FROM invitations WHERE customer = ? ORDER BY created, hash", customer)
	if err != nil {
		return nil, available(err)
	}
	defer func() { _ = rows.Close() }() // Err has told
	var all []cloud.Invitation
	for rows.Next() {
		i := cloud.Invitation{Customer: customer}
		var hash []byte
		var created, expires string
		if err := rows.Scan(&hash, &created, &expires); err != nil {
			return nil, err
		}
		copy(i.Hash[:], hash)
		var err1, err2 error
		i.Created, err1 = textTime(created)
		i.Expires, err2 = textTime(expires)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		all = append(all, i)
	}
	return all, available(rows.Err())
}

// Redeem implements cloud.Invitations.
func (s *Store) Redeem(ctx context.Context, customer string, hash [32]byte, key cloud.Key, now time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "DELETE FROM invitations WHERE customer = ? AND hash = ? AND expires > ?", customer, hash[:], timeText(now))
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, cloud.ErrNoInvitation)
		}
		return addKey(ctx, tx, customer, key)
	})
}
