package postgres

import (
	"context"
	"errors"

	"tidemark/cloud/sums"
)

// Scrub implements cloud.Summaries. What it compares is of one moment, so that
// batches and folds may go on.
func (s *Store) Scrub(ctx context.Context, customer, table string) (wrong int, err error) {
	for parts := 0; ; {
		err = s.question(ctx, customer, table, func(c *session, k kept) error {
			parts = max(parts, sums.Parts(k.st.Version.Rows))
			wrong = 0
			for part := range parts {
				n, err := s.audit(ctx, c, customer, table, k, part, parts)
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

// audit holds one part of the leaves against the rows.
func (s *Store) audit(ctx context.Context, c *session, customer, table string, k kept, part, parts int) (int, error) {
	nodes, err := k.current(ctx, c, customer, table)
	if err != nil {
		return 0, err
	}
	tail, err := k.tail(ctx, c, customer, table)
	if err != nil {
		return 0, err
	}
	keys, err := s.keysOf(ctx, c, customer, table)
	if err != nil {
		return 0, err
	}
	b, err := sums.NewBuilder(k.layout, keys.types, k.st.secret, part, parts)
	if err != nil {
		return 0, err
	}
	if err := keys.each(ctx, "", b.Add); err != nil {
		return 0, err
	}
	a := sums.NewAudit(b, nodes, tail)
	err = k.eachLeaves(ctx, c, customer, table, func(l storedLeaves) error {
		a.Stored(l.node, l.folded, l.cells)
		return nil
	})
	return a.Wrong(), err
}
