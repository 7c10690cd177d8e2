package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// A watch counts the sessions in a database, ten times a second, and keeps the
// most that there were.
type watch struct {
	conn      *pgx.Conn
	most, max int // max is the server's
	stop      context.CancelFunc
	done      sync.WaitGroup
	err       error
}

func watchConnections(ctx context.Context, dsn, database string) (*watch, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	w := &watch{conn: conn}
	if err := conn.QueryRow(ctx, "SELECT current_setting('max_connections')::int").Scan(&w.max); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	ctx, w.stop = context.WithCancel(ctx)
	w.done.Go(func() {
		for sleep(ctx, 100*time.Millisecond) {
			var n int
			err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'tidemark-cloud'", database).Scan(&n)
			if err != nil {
				if ctx.Err() == nil {
					w.err = err
				}
				return
			}
			w.most = max(w.most, n)
		}
	})
	return w, nil
}

// end ends the watch, and returns the most sessions and the server's limit.
func (w *watch) end(before error) (most, limit int, err error) {
	w.stop()
	w.done.Wait()
	return w.most, w.max, errors.Join(before, w.err, w.conn.Close(context.Background()))
}
