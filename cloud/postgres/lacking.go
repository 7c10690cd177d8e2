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

// readMarks reads a page of versions behind one, with the numbers of the
// layouts that their summaries have to be of; 0: whatever there is, it lacks
// batches. It is the one statement of upkeep that is not about one customer.
const readMarks = `SELECT customer, name, loaded, CASE WHEN summed = seq THEN summary ELSE 0 END
	FROM tidemark.versions WHERE (customer, name) > ($1, $2) ORDER BY customer, name LIMIT $3`

// readMade reads which layouts the summaries of a customer's tables are of,
// between two names.
const readMade = "SELECT name, number FROM tidemark.summaries WHERE customer = $1 AND name BETWEEN $2 AND $3 AND ready"

// A marked is a table that a search has come to.
type marked struct {
	upkeep.Table
	loaded bool
	number int64
}

// lacking is an upkeep.Find: a table that is loaded lacks its summary as
// kept.check finds. Summaries are read for one customer after the other; a join
// with the page of versions reads all there are, and is none that a cluster can
// do.
func (s *Store) lacking(ctx context.Context, behind upkeep.Table) (found []upkeep.Table, last upkeep.Table, more bool, err error) {
	page, err := s.marks(ctx, behind)
	if err != nil || len(page) == 0 {
		return nil, behind, false, err
	}
	for from, to := 0, 0; from < len(page); from = to {
		for to = from + 1; to < len(page) && page[to].Customer == page[from].Customer; {
			to++
		}
		made, err := s.made(ctx, page[from:to])
		if err != nil {
			return nil, last, false, err
		}
		for _, t := range page[from:to] {
			if t.loaded && (t.number == 0 || made[t.Name] != t.number) {
				found = append(found, t.Table)
			}
		}
	}
	return found, page[len(page)-1].Table, len(page) == lackingPage, nil
}

func (s *Store) marks(ctx context.Context, behind upkeep.Table) (page []marked, err error) {
	rows, err := s.pool.Query(ctx, readMarks, behind.Customer, behind.Name, lackingPage)
	if err != nil {
		return nil, err
	}
	var t marked
	_, err = pgx.ForEachRow(rows, []any{&t.Customer, &t.Name, &t.loaded, &t.number}, func() error {
		page = append(page, t)
		return nil
	})
	return page, err
}

// made returns the numbers of the layouts that are ready, of tables of one
// customer in the order of their names.
func (s *Store) made(ctx context.Context, tables []marked) (map[string]int64, error) {
	rows, err := s.pool.Query(ctx, readMade, tables[0].Customer, tables[0].Name, tables[len(tables)-1].Name)
	if err != nil {
		return nil, err
	}
	all := make(map[string]int64, len(tables))
	var name string
	var number int64
	_, err = pgx.ForEachRow(rows, []any{&name, &number}, func() error {
		all[name] = number
		return nil
	})
	return all, err
}
