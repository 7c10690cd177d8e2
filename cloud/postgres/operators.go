package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
)

const addOperatorKey = "INSERT INTO tidemark.operators (hash, name, created, expires) VALUES ($1, $2, $3, $4)"

// operatorsAlone makes changes of operators wait for each other: they are rare,
// and have no row that they could lock.
const operatorsAlone = "LOCK TABLE tidemark.operators IN SHARE ROW EXCLUSIVE MODE"

// AddOperator implements cloud.Operators.
func (s *Store) AddOperator(ctx context.Context, first cloud.OperatorKey) error {
	return s.act(ctx, func(a acts) error { return a.AddOperator(ctx, first) })
}

// AddOperator implements cloud.Acts.
func (a acts) AddOperator(ctx context.Context, first cloud.OperatorKey) error {
	n, err := a.operatorKeys(ctx, first.Name)
	if err != nil {
		return err
	}
	if n > 0 {
		return cloud.ErrExists
	}
	_, err = a.Exec(ctx, addOperatorKey, keyArgs(first.Name, first.Key)...)
	return err
}

// operatorKeys counts the keys of an operator and keeps others from changing
// them.
func (a acts) operatorKeys(ctx context.Context, name string) (n int, err error) {
	if _, err := a.Exec(ctx, operatorsAlone); err != nil {
		return 0, err
	}
	err = a.QueryRow(ctx, "SELECT count(*) FROM tidemark.operators WHERE name = $1", name).Scan(&n)
	return n, err
}

// OperatorKeys implements cloud.Operators.
func (s *Store) OperatorKeys(ctx context.Context) ([]cloud.OperatorKey, error) {
	rows, err := s.pool.Query(ctx, "SELECT name, hash, created, expires FROM tidemark.operators ORDER BY name, created, hash")
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (k cloud.OperatorKey, err error) {
		var hash []byte
		var expires *time.Time
		err = row.Scan(&k.Name, &hash, &k.Created, &expires)
		copy(k.Hash[:], hash)
		k.Created = k.Created.UTC()
		if expires != nil {
			k.Expires = expires.UTC()
		}
		return k, err
	})
	return all, unavailable(err)
}

// RotateOperator implements cloud.Operators.
func (s *Store) RotateOperator(ctx context.Context, next cloud.OperatorKey, now, until time.Time) error {
	return s.act(ctx, func(a acts) error { return a.RotateOperator(ctx, next, now, until) })
}

// RotateOperator implements cloud.Acts.
func (a acts) RotateOperator(ctx context.Context, next cloud.OperatorKey, now, until time.Time) error {
	n, err := a.operatorKeys(ctx, next.Name)
	if err != nil {
		return err
	}
	if n == 0 {
		return unknownOperator(next.Name)
	}
	if _, err := a.Exec(ctx, "DELETE FROM tidemark.operators WHERE name = $1 AND expires < $2", next.Name, now); err != nil {
		return err
	}
	if _, err := a.Exec(ctx, "UPDATE tidemark.operators SET expires = $2 WHERE name = $1 AND (expires IS NULL OR expires > $2)", next.Name, until); err != nil {
		return err
	}
	_, err = a.Exec(ctx, addOperatorKey, keyArgs(next.Name, next.Key)...)
	return err
}

// RemoveOperator implements cloud.Operators.
func (s *Store) RemoveOperator(ctx context.Context, name string) error {
	return s.act(ctx, func(a acts) error { return a.RemoveOperator(ctx, name) })
}

// RemoveOperator implements cloud.Acts.
func (a acts) RemoveOperator(ctx context.Context, name string) error {
	tag, err := a.Exec(ctx, "DELETE FROM tidemark.operators WHERE name = $1", name)
	if err == nil && tag.RowsAffected() == 0 {
		return unknownOperator(name)
	}
	return err
}

func unknownOperator(name string) error {
	return notFound(fmt.Sprintf("there is no operator %q", name), "List the operators.")
}
