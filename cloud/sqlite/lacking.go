package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"tidemark/cloud/sums/upkeep"
)

// CatchUp implements cloud.Summaries.
func (s *Store) CatchUp() { s.upkeep.CatchUp() }

// lackingPage is how many tables one step of a search looks at.
const lackingPage = 100

// lacking is an upkeep.Find.
func (s *Store) lacking(ctx context.Context, behind upkeep.Table) (found []upkeep.Table, last upkeep.Table, more bool, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		page, err := tablesBehind(ctx, tx, behind)
		if err != nil || len(page) == 0 {
			return err
		}
		last, more = page[len(page)-1], len(page) == lackingPage
		for _, t := range page {
			_, _, err := readSummary(ctx, tx, t.Customer, t.Name)
			var none *errNone
			switch {
			case errors.As(err, &none) && none.wanted:
				found = append(found, t)
			case err != nil && none == nil:
				return err
			}
		}
		return nil
	})
	return found, last, more, err
}

func tablesBehind(ctx context.Context, tx *sql.Tx, behind upkeep.Table) (page []upkeep.Table, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT customer, name FROM tables WHERE (customer, name) > (?, ?) ORDER BY customer, name LIMIT ?",
		behind.Customer, behind.Name, lackingPage)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err has told
	for rows.Next() {
		var t upkeep.Table
		if err := rows.Scan(&t.Customer, &t.Name); err != nil {
			return nil, err
		}
		page = append(page, t)
	}
	return page, rows.Err()
}
