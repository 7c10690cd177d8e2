package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
)

// Recent implements cloud.Recent.
func (s *Store) Recent(ctx context.Context, customer string) ([]cloud.Taken, error) {
	return recent(ctx, s.pool, customer)
}

func recent(ctx context.Context, q querier, customer string) ([]cloud.Taken, error) {
	rows, err := q.Query(ctx, "SELECT name, recent FROM tidemark.answers WHERE customer = $1", customer)
	if err != nil {
		return nil, unavailable(err)
	}
	var all []cloud.Taken
	var table string
	var ring []byte
	_, err = pgx.ForEachRow(rows, []any{&table, &ring}, func() error {
		all = append(all, cloud.DecodeTaken(table, ring)...)
		return nil
	})
	return all, unavailable(err)
}
