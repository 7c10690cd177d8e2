package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"tidemark/cloud/sums"
)

// Scrub implements cloud.Summaries.
func (s *Store) Scrub(ctx context.Context, customer, table string) (wrong int, err error) {
	for parts := 0; ; {
		err = s.question(ctx, customer, table, func(tx *sql.Tx, h held, k kept) error {
			parts = max(parts, sums.Parts(h.state.Version.Rows))
			wrong = 0
			for part := range parts {
				n, err := audit(ctx, tx, customer, table, h, k, part, parts)
				if err != nil {
					return err
				}
				wrong += n
			}
			return nil
		})
		if !errors.Is(err, sums.ErrParts) {
			break
		}
		parts *= 2
	}
	if errors.Is(err, sums.ErrBlob) {
		wrong, err = 1, nil
	}
	if wrong > 0 && err == nil {
		_, err = s.Summarize(ctx, customer, table)
	}
	return wrong, err
}

func audit(ctx context.Context, tx *sql.Tx, customer, table string, h held, k kept, part, parts int) (int, error) {
	nodes, err := k.current(ctx, tx, customer, table)
	if err != nil {
		return 0, err
	}
	tail, err := k.tail(ctx, tx, customer, table)
	if err != nil {
		return 0, err
	}
	p := newPlan(h.set, h.schema)
	b, err := sums.NewBuilder(k.layout, p.keyTypes, h.secret, part, parts)
	if err != nil {
		return 0, err
	}
	if err := eachKey(ctx, tx, p, p.keysAndStamps(), []any{customer}, b.Add); err != nil {
		return 0, err
	}
	a := sums.NewAudit(b, nodes, tail)
	err = eachLeaves(ctx, tx, customer, table, func(l storedLeaves) error {
		a.Stored(l.node, l.folded, l.cells)
		return nil
	})
	return a.Wrong(), err
}
