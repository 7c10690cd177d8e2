package sqlite

import (
	"context"

	"tidemark/cloud"
)

// Recent implements cloud.Recent.
func (s *Store) Recent(ctx context.Context, customer string) ([]cloud.Taken, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT name, recent FROM answers WHERE customer = ?", customer)
	if err != nil {
		return nil, available(err)
	}
	defer func() { _ = rows.Close() }() // Err has told
	var all []cloud.Taken
	for rows.Next() {
		var table string
		var recent []byte
		if err := rows.Scan(&table, &recent); err != nil {
			return nil, err
		}
		all = append(all, cloud.DecodeTaken(table, recent)...)
	}
	return all, available(rows.Err())
}
