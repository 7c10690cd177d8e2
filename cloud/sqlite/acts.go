package sqlite

import (
	"context"
	"database/sql"

	"tidemark/cloud"
)

// acts are what operators do, in a transaction.
type acts struct{ tx *sql.Tx }

var _ cloud.Acts = acts{}

// Act implements cloud.Control.
func (s *Store) Act(ctx context.Context, c cloud.Change, f func(cloud.Acts) error) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if err := f(acts{tx}); err != nil {
			return err
		}
		revision, err := nextRevision(ctx, tx)
		if err != nil {
			return err
		}
		return record(ctx, tx, c, revision, c.Subject, "", "")
	})
}
