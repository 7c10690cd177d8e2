package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
)

// Recent implements cloud.Recent.
func (s *Store) Recent(ctx context.Context, customer string) ([]cloud.Taken, error) {
	rows, err := s.pool.Query(ctx, "SELECT name, recent FROM tidemark.answers WHERE customer = $1", customer)
	if err != nil {
		return nil, unavailable(err)
	}
	var all []cloud.Taken
	var table string
	var recent []byte
	_, err = pgx.ForEachRow(rows, []any{&table, &recent}, func() error {
		all = append(all, cloud.DecodeTaken(table, recent)...)
		return nil
	})
	return all, unavailable(err)
}
