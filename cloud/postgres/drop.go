package postgres

import (
	"context"
	"fmt"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/sums"
	"tidemark/internal/wire"
)

// dropStep is how many rows one transaction deletes.
const dropStep = 10_000

// Drop implements cloud.Tables.
func (s *Store) Drop(ctx context.Context, customer, table string, d cloud.Drop) (wire.Answer, error) {
	var last int64 // epoch whose rows go, with all before it
	err := s.runOn(ctx, table, 0, func(c *session) error {
		st, err := c.begin(ctx, "BEGIN", lockState, customer, table)
		if err != nil {
			return err
		}
		if st.State, err = st.State.Drop(d.Writer, d.TakeOver, d.Seq, time.Now()); err != nil {
			return err
		}
		st.pristine, st.mark = false, sums.Mark{}
		last = st.EpochNumber
		if err := c.pipeline(ctx, forget(customer, table)...); err != nil {
			return err
		}
		return c.pipeline(ctx, st.write(customer, table),
			statement{sql: "DELETE FROM tidemark.answers WHERE customer = $1 AND name = $2", args: []any{customer, table}},
			statement{sql: "COMMIT"})
	})
	if err != nil {
		return wire.Answer{}, err
	}
	return s.empty(ctx, customer, table, last)
}

// empty deletes the rows of all epochs up to last, in transactions of
// dropStep rows. The answer counts them and has the version after it. The
// customer is named beside the places of its rows: in a cluster each shard has
// rows of others in the same places.
func (s *Store) empty(ctx context.Context, customer, table string, last int64) (wire.Answer, error) {
	var answer wire.Answer
	for {
		deleted := 0
		err := s.runOn(ctx, table, 0, func(c *session) error {
			st, err := c.begin(ctx, "BEGIN", lockState, customer, table)
			if err != nil {
				return err
			}
			d, err := c.readDataset(ctx, table, "")
			if err != nil {
				return err
			}
			tag, err := c.Exec(ctx, fmt.Sprintf(`DELETE FROM %[1]s WHERE customer_id = $1 AND ctid = ANY (ARRAY(
				SELECT ctid FROM %[1]s WHERE customer_id = $1 AND _tm_epoch <= $2 LIMIT %[2]d))`, d.target(), dropStep), customer, last)
			if err != nil {
				return err
			}
			if deleted = int(tag.RowsAffected()); deleted > 0 { // a load may have come between two steps: its summary is made anew
				st.mark = sums.Mark{}
			}
			st.Version.Rows -= int64(deleted)
			answer.Version = st.Version
			return c.pipeline(ctx, st.write(customer, table), statement{sql: "COMMIT"})
		})
		if err != nil {
			return answer, err
		}
		answer.Deleted += deleted
		if deleted < dropStep {
			return answer, nil
		}
	}
}
