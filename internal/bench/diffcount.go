package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// buffers are pages that Postgres touched, in memory or not, with indexes and
// TOAST: of the rows, and of all else that the store keeps.
type buffers struct {
	rows, heap, kept int64 // heap: of rows, those of the table itself
	byTable          map[string]int64
}

func (b buffers) total() int64 { return b.rows + b.kept }

func (b buffers) minus(c buffers) buffers {
	d := buffers{rows: b.rows - c.rows, heap: b.heap - c.heap, kept: b.kept - c.kept, byTable: map[string]int64{}}
	for name, n := range b.byTable {
		if n -= c.byTable[name]; n != 0 {
			d.byTable[name] = n
		}
	}
	return d
}

// quiet leaves counting to the agent's requests: no vacuum begins by itself.
func (s *diffSite) quiet(ctx context.Context) error {
	_, err := s.conn.Exec(ctx, `DO $$ DECLARE t regclass; toast boolean; BEGIN
		FOR t, toast IN SELECT oid::regclass, reltoastrelid <> 0 FROM pg_class WHERE relkind = 'r' AND relnamespace IN ('tidemark'::regnamespace, 'data'::regnamespace) LOOP
			EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', t);
			IF toast THEN EXECUTE format('ALTER TABLE %s SET (toast.autovacuum_enabled = off)', t); END IF;
		END LOOP; END $$`)
	return err
}

// counted waits until nothing runs and reads the counters. A session reports
// what it touched now and then, and when it ends: the idle ones are ended, and
// the API opens others.
func (s *diffSite) counted(ctx context.Context) (buffers, error) {
	const others = `FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`
	for end := time.Now().Add(10 * time.Minute); ; {
		var left int
		if err := s.conn.QueryRow(ctx, "SELECT count(*) "+others).Scan(&left); err != nil {
			return buffers{}, err
		}
		if left == 0 {
			break
		}
		if time.Now().After(end) {
			return buffers{}, errors.New("the sessions of the API do not come to rest")
		}
		// Between two parts of its work upkeep is idle, too, and holds a lock.
		if _, err := s.conn.Exec(ctx, "SELECT pg_terminate_backend(pid) "+others+
			" AND state = 'idle' AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = pg_stat_activity.pid AND locktype = 'advisory' AND classid::bigint = x'746d73'::int)"); err != nil {
			return buffers{}, err
		}
		if !sleep(ctx, 100*time.Millisecond) {
			return buffers{}, ctx.Err()
		}
	}
	if !sleep(ctx, 1200*time.Millisecond) { // the API looks at a session that was idle for a second before it uses it
		return buffers{}, ctx.Err()
	}
	rows, err := s.conn.Query(ctx, `SELECT schemaname, relname, coalesce(heap_blks_read + heap_blks_hit, 0), coalesce(idx_blks_read + idx_blks_hit, 0)
		+ coalesce(toast_blks_read + toast_blks_hit, 0) + coalesce(tidx_blks_read + tidx_blks_hit, 0)
		FROM pg_statio_user_tables WHERE schemaname IN ('tidemark', 'data')`)
	if err != nil {
		return buffers{}, err
	}
	b := buffers{byTable: map[string]int64{}}
	var schema, name string
	var heap, beside int64
	_, err = pgx.ForEachRow(rows, []any{&schema, &name, &heap, &beside}, func() error {
		b.byTable[schema+"."+name] += heap + beside
		if schema == "data" {
			b.heap += heap
			b.rows += heap + beside
		} else {
			b.kept += heap + beside
		}
		return nil
	})
	return b, err
}

// pagesOf is how many pages of the table one reads who goes through the
// leaves of these keys, each in the order of its keys, and how many leaves.
func (s *diffSite) pagesOf(ctx context.Context, p planted) (pages int64, leaves int, err error) {
	shift, err := s.shift(ctx)
	if err != nil {
		return 0, 0, err
	}
	all := map[int64]bool{}
	var ids []int64
	for _, keys := range p {
		for _, id := range keys {
			if leaf := id >> shift; !all[leaf] {
				all[leaf] = true
				ids = append(ids, leaf)
			}
		}
	}
	sql := fmt.Sprintf(`SELECT count(*) FROM unnest($1::bigint[]) leaf, LATERAL (
		SELECT page, lag(page) OVER (ORDER BY id) AS before FROM (
			SELECT id, (ctid::text::point)[0] AS page FROM %s WHERE customer_id = $2 AND id >= leaf << %d AND id < (leaf + 1) << %d) t) p
		WHERE page IS DISTINCT FROM before`, s.data, shift, shift)
	err = s.aside(ctx, func(conn *pgx.Conn) error { return conn.QueryRow(ctx, sql, ids, customer).Scan(&pages) })
	return pages, len(ids), err
}

// shift is how many low bits of a key are the same leaf's.
func (s *diffSite) shift(ctx context.Context) (n int, err error) {
	err = s.aside(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "SELECT coalesce((layout::json->>'shift')::int, 0) FROM tidemark.summaries").Scan(&n)
	})
	return n, err
}

// vacuum does what autovacuum would have done by now.
func (s *diffSite) vacuum(ctx context.Context) error {
	return s.aside(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "VACUUM (ANALYZE, INDEX_CLEANUP) "+s.data+", tidemark.versions, tidemark.summaries, tidemark.leaves, tidemark.log")
		return err
	})
}

// aside runs f with a session of its own, which has reported what it touched
// when it has ended.
func (s *diffSite) aside(ctx context.Context, f func(*pgx.Conn) error) (err error) {
	conn, err := pgx.Connect(ctx, s.database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	return f(conn)
}
