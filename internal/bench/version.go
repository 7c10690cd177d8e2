package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// reads is how often the versions are asked for.
const reads = 50

// version counts the pages that a read of the versions touches in Postgres,
// by the server's own counters of the table of versions and its index. That
// the plan itself touches no more is a test of the store.
func (b *bench) version(ctx context.Context) error {
	for _, rows := range []int{b.rows / 100, b.rows} {
		n, err := b.versionAt(ctx, rows)
		if err != nil {
			return err
		}
		b.report.lines = append(b.report.lines, line{
			what: fmt.Sprintf("version read at %d rows: buffers", rows), figure: fmt.Sprintf("%.1f", n), goal: "at most 5", met: n > 0 && n <= 5,
		})
	}
	return nil
}

func (b *bench) versionAt(ctx context.Context, rows int) (touched float64, err error) {
	note("versions at %d rows", rows)
	const table = "dbo.versioned"
	if err := b.source.create(table, rows); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.source.exec("DROP TABLE "+table)) }()
	s, err := b.newSite(ctx, []string{table})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	if _, err := b.programs.once(ctx, s.config, nil); err != nil {
		return 0, err
	}
	conn, err := pgx.Connect(ctx, s.database)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	before, err := settledTouches(ctx, conn)
	if err != nil {
		return 0, err
	}
	for range reads {
		if err := s.api.get(ctx, "/v1/customers/"+customer+"/versions"); err != nil {
			return 0, err
		}
		if !sleep(ctx, 20*time.Millisecond) { // the API keeps an answer for a moment
			return 0, ctx.Err()
		}
	}
	after, err := settledTouches(ctx, conn)
	if after.scans == before.scans {
		return 0, errors.Join(err, errors.New("the versions were not read"))
	}
	return float64(after.pages-before.pages) / float64(after.scans-before.scans), err
}

// touches are counters of the table of versions.
type touches struct {
	pages, scans int64
}

// settledTouches reads the counters once they stand still: a backend reports
// within a second, and only when it is idle or has more to do.
func settledTouches(ctx context.Context, conn *pgx.Conn) (touches, error) {
	last, same := touches{}, 0
	for range 100 {
		var n touches
		err := conn.QueryRow(ctx, `SELECT heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit, seq_scan + idx_scan
			FROM pg_statio_user_tables JOIN pg_stat_user_tables USING (relid) WHERE relid = 'tidemark.versions'::regclass`).Scan(&n.pages, &n.scans)
		if err != nil {
			return n, err
		}
		if n != last {
			last, same = n, 0
		} else if same++; same == 10 {
			return n, nil
		}
		if !sleep(ctx, 250*time.Millisecond) {
			return n, ctx.Err()
		}
	}
	return last, errors.New("the counters of Postgres do not come to rest")
}
