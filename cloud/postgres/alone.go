package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// summaryLocks is the class of the advisory locks of tables whose summaries
// are made or folded.
const summaryLocks = 0x74_6d_73 // "tms"

// errBusy says that another session makes or folds the table's summary.
var errBusy = errors.New("the summary is being worked on elsewhere")

// alone runs f in the one session, in all processes, that makes or folds the
// summary of a table. The lock is the session's: it ends with the connection,
// so that work that died is taken over by whoever comes next. Without wait it
// is errBusy when there is another.
func (s *Store) alone(ctx context.Context, customer, table string, wait bool, f func(c *session) error) error {
	for pause := firstWait; ; {
		err := s.run(ctx, func(c *session) error {
			var got bool
			err := c.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, hashtext($2))", int32(summaryLocks), customer+"/"+table).Scan(&got)
			if err != nil {
				return err
			}
			if !got {
				return errBusy
			}
			defer c.unlock(ctx, customer, table)
			return f(c)
		})
		if !errors.Is(err, errBusy) || !wait {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(pause)):
			pause = min(2*pause, time.Second)
		}
	}
}

// unlock must work though ctx has ended; where it does not, the connection
// ends.
func (c *session) unlock(ctx context.Context, customer, table string) {
	if c.IsClosed() {
		return
	}
	if c.PgConn().TxStatus() != 'I' {
		c.rollback(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	var was bool
	err := c.QueryRow(ctx, "SELECT pg_advisory_unlock($1, hashtext($2))", int32(summaryLocks), customer+"/"+table).Scan(&was)
	if err != nil || !was {
		_ = c.Close(ctx) // and the lock with it
	}
}
