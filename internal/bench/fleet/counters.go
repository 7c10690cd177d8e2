package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// counted is what Postgres counts for one database.
type counted struct {
	read, hit int64            // blocks
	commits   int64            // transactions
	schemas   map[string]int64 // blocks of tables with indexes and TOAST, by schema
	seq, idx  int64            // scans of tables of rows
}

func (c counted) blocks() int64 { return c.read + c.hit }

func (c counted) minus(o counted) counted {
	d := counted{c.read - o.read, c.hit - o.hit, c.commits - o.commits, map[string]int64{}, c.seq - o.seq, c.idx - o.idx}
	for k, n := range c.schemas {
		d.schemas[k] = n - o.schemas[k]
	}
	return d
}

// most are the schemas and tables with the most blocks.
func (c counted) most() string {
	names := slices.SortedFunc(maps.Keys(c.schemas), func(a, b string) int { return cmp.Compare(c.schemas[b], c.schemas[a]) })
	var b strings.Builder
	for _, name := range names[:min(len(names), 8)] {
		fmt.Fprintf(&b, "%s %d, ", name, c.schemas[name])
	}
	return strings.TrimSuffix(b.String(), ", ")
}

// A counter reads the counters of a database, over a connection to another.
type counter struct {
	admin    *pgx.Conn // to the database
	database string
	rows     string // schema of the tables of rows
}

// others are the sessions that have not told all yet.
const others = `FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`

// settled reads the counters once all sessions have told what they did: a
// session does so at the latest when it ends, and those that are idle are
// ended. The pool that they are of opens others.
func (c counter) settled(ctx context.Context) (counted, error) {
	for end := time.Now().Add(5 * time.Minute); ; {
		var left int
		if err := c.admin.QueryRow(ctx, "SELECT count(*) "+others).Scan(&left); err != nil {
			return counted{}, err
		}
		if left == 0 {
			break
		}
		if time.Now().After(end) {
			return counted{}, errors.New("the sessions do not come to rest")
		}
		// Between two parts of its work upkeep is idle, too, and holds a lock.
		if _, err := c.admin.Exec(ctx, "SELECT pg_terminate_backend(pid) "+others+
			" AND state = 'idle' AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = pg_stat_activity.pid AND locktype = 'advisory' AND classid::bigint = x'746d73'::int)"); err != nil {
			return counted{}, err
		}
		if !sleep(ctx, 50*time.Millisecond) {
			return counted{}, ctx.Err()
		}
	}
	if !sleep(ctx, 1200*time.Millisecond) { // a pool looks at a session that was idle for a second before it uses it
		return counted{}, ctx.Err()
	}
	return c.now(ctx)
}

// now reads the counters as they are.
func (c counter) now(ctx context.Context) (n counted, err error) {
	err = c.admin.QueryRow(ctx, "SELECT blks_read, blks_hit, xact_commit FROM pg_stat_database WHERE datname = current_database()").Scan(&n.read, &n.hit, &n.commits)
	if err != nil {
		return n, err
	}
	err = c.admin.QueryRow(ctx, "SELECT coalesce(sum(seq_scan), 0)::bigint, coalesce(sum(idx_scan), 0)::bigint FROM pg_stat_user_tables WHERE schemaname = $1", c.rows).Scan(&n.seq, &n.idx)
	if err != nil {
		return n, err
	}
	n.schemas = map[string]int64{}
	rows, err := c.admin.Query(ctx, `SELECT CASE schemaname WHEN 'tidemark' THEN schemaname || '.' || relname ELSE schemaname END, sum(coalesce(heap_blks_read + heap_blks_hit, 0) + coalesce(idx_blks_read + idx_blks_hit, 0)
		+ coalesce(toast_blks_read + toast_blks_hit, 0) + coalesce(tidx_blks_read + tidx_blks_hit, 0))::bigint FROM pg_statio_all_tables GROUP BY 1`)
	if err != nil {
		return n, err
	}
	var name string
	var blocks int64
	_, err = pgx.ForEachRow(rows, []any{&name, &blocks}, func() error { n.schemas[name] = blocks; return nil })
	return n, err
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
