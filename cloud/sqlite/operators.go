package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"time"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

//go:embed fleet.sql
var fleetSchema string

// AddOperator implements cloud.Operators.
func (s *Store) AddOperator(ctx context.Context, first cloud.OperatorKey) error {
	return s.write(ctx, func(tx *sql.Tx) error { return acts{tx}.AddOperator(ctx, first) })
}

// AddOperator implements cloud.Acts.
func (a acts) AddOperator(ctx context.Context, first cloud.OperatorKey) error {
	var n int
	if err := a.tx.QueryRowContext(ctx, "SELECT count(*) FROM operators WHERE name = ?", first.Name).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return cloud.ErrExists
	}
	return addOperatorKey(ctx, a.tx, first)
}

func addOperatorKey(ctx context.Context, tx *sql.Tx, k cloud.OperatorKey) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO operators (name, hash, created, expires) VALUES (?, ?, ?, ?)",
		k.Name, k.Hash[:], timeText(k.Created), timeText(k.Expires))
	return err
}

// OperatorKeys implements cloud.Operators.
func (s *Store) OperatorKeys(ctx context.Context) ([]cloud.OperatorKey, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT name, hash, created, expires FROM operators ORDER BY name, created, hash")
	if err != nil {
		return nil, available(err)
	}
	defer func() { _ = rows.Close() }() // Err has told
	var all []cloud.OperatorKey
	for rows.Next() {
		var k cloud.OperatorKey
		var hash []byte
		var created, expires string
		if err := rows.Scan(&k.Name, &hash, &created, &expires); err != nil {
			return nil, err
		}
		copy(k.Hash[:], hash)
		var err1, err2 error
		k.Created, err1 = textTime(created)
		k.Expires, err2 = textTime(expires)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, available(rows.Err())
}

// RotateOperator implements cloud.Operators.
func (s *Store) RotateOperator(ctx context.Context, next cloud.OperatorKey, now, until time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error { return acts{tx}.RotateOperator(ctx, next, now, until) })
}

// RotateOperator implements cloud.Acts.
func (a acts) RotateOperator(ctx context.Context, next cloud.OperatorKey, now, until time.Time) error {
	r, err := a.tx.ExecContext(ctx, "UPDATE operators SET expires = iif(expires = '' OR expires > ?1, ?1, expires) WHERE name = ?2", timeText(until), next.Name)
	if err := knownOperator(r, err, next.Name); err != nil {
		return err
	}
	if _, err := a.tx.ExecContext(ctx, "DELETE FROM operators WHERE name = ? AND expires <= ?", next.Name, timeText(now)); err != nil {
		return err
	}
	return addOperatorKey(ctx, a.tx, next)
}

// RemoveOperator implements cloud.Operators.
func (s *Store) RemoveOperator(ctx context.Context, name string) error {
	return s.write(ctx, func(tx *sql.Tx) error { return acts{tx}.RemoveOperator(ctx, name) })
}

// RemoveOperator implements cloud.Acts.
func (a acts) RemoveOperator(ctx context.Context, name string) error {
	r, err := a.tx.ExecContext(ctx, "DELETE FROM operators WHERE name = ?", name)
	return knownOperator(r, err, name)
}

func knownOperator(r sql.Result, err error, name string) error {
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return wire.NewProblem(wire.NotFound, "no operator "+name, "")
}
