package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud/sums/upkeep"
)

// CatchUp implements cloud.Summaries.
func (s *Store) CatchUp() {
	if !s.options.WithoutSummaries {
		s.upkeep.CatchUp()
	}
}

// lackingPage is how many versions one step of a search reads, by their key.
const lackingPage = 500

// readLacking reads a page of tables behind one, and whether each lacks a
// summary as kept.check finds. Each summary is looked up by its key: a join
// would read all of them for every page.
const readLacking = `SELECT v.customer, v.name, v.loaded AND (v.summary = 0 OR v.summed <> v.seq OR s.ready IS NOT TRUE OR s.number <> v.summary)
	FROM (SELECT customer, name, loaded, summary, summed, seq FROM tidemark.versions
		WHERE (customer, name) > ($1, $2) ORDER BY customer, name LIMIT $3) v
	LEFT JOIN LATERAL (SELECT s.ready, s.number FROM tidemark.summaries s WHERE s.customer = v.customer AND s.name = v.name LIMIT 1) s ON true
	ORDER BY v.customer, v.name`

// lacking is an upkeep.Find.
func (s *Store) lacking(ctx context.Context, behind upkeep.Table) (found []upkeep.Table, last upkeep.Table, more bool, err error) {
	rows, err := s.pool.Query(ctx, readLacking, behind.Customer, behind.Name, lackingPage)
	if err != nil {
		return nil, last, false, err
	}
	read := 0
	var lacks bool
	_, err = pgx.ForEachRow(rows, []any{&last.Customer, &last.Name, &lacks}, func() error {
		read++
		if lacks {
			found = append(found, last)
		}
		return nil
	})
	return found, last, read == lackingPage, err
}
