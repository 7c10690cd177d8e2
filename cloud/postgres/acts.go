package postgres

import (
	"context"

	"tidemark/cloud"
)

// acts are what operators do, in a transaction that the session has begun.
type acts struct{ *session }

var _ cloud.Acts = acts{}

// act runs f in a transaction.
func (s *Store) act(ctx context.Context, f func(acts) error) error {
	return s.run(ctx, func(c *session) error {
		if _, err := c.Exec(ctx, begin); err != nil {
			return err
		}
		if err := f(acts{c}); err != nil {
			return err
		}
		return c.commit(ctx)
	})
}

// Act implements cloud.Control. The row at which changes wait for each other
// is taken last: what f waits for holds nobody else up.
func (s *Store) Act(ctx context.Context, c cloud.Change, f func(cloud.Acts) error) error {
	return s.act(ctx, func(a acts) error {
		if err := f(a); err != nil {
			return err
		}
		var revision int64
		if err := a.QueryRow(ctx, nextRevision).Scan(&revision); err != nil {
			return err
		}
		return a.record(ctx, c, revision, c.Subject, "", "")
	})
}
