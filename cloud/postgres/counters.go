package postgres

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud/cost"
)

// Since Postgres 16 pg_stat_io counts what all backends do; before, what was
// read is in pg_stat_database, and what was written in pg_stat_bgwriter, and
// since 14 in pg_stat_wal, too. Since 18 an operation may be of several
// blocks, and those of the write-ahead log are in pg_stat_io. Each row is: operations that read
// and wrote, blocks of 8 KiB that were read, blocks found in memory.
const (
	countIO18 = `SELECT coalesce(sum(reads) FILTER (WHERE object <> 'wal'), 0)::bigint, coalesce(sum(coalesce(writes, 0) + coalesce(extends, 0)), 0)::bigint,
		(coalesce(sum(read_bytes) FILTER (WHERE object <> 'wal'), 0) / 8192)::bigint, coalesce(sum(hits), 0)::bigint FROM pg_stat_io`
	countIO16 = `SELECT coalesce(sum(reads), 0)::bigint, (coalesce(sum(coalesce(writes, 0) + coalesce(extends, 0)), 0) + (SELECT wal_write FROM pg_stat_wal))::bigint,
		(coalesce(sum(reads * op_bytes), 0) / 8192)::bigint, coalesce(sum(hits), 0)::bigint FROM pg_stat_io`
	countIO14 = `SELECT sum(blks_read)::bigint, (SELECT buffers_checkpoint + buffers_clean + buffers_backend FROM pg_stat_bgwriter) + (SELECT wal_write FROM pg_stat_wal),
		sum(blks_read)::bigint, sum(blks_hit)::bigint FROM pg_stat_database`
	// Postgres 13 does not count writes of its log: one for each of its pages.
	countIO13 = `SELECT sum(blks_read)::bigint, (SELECT buffers_checkpoint + buffers_clean + buffers_backend FROM pg_stat_bgwriter) + (` + logPosition + `) / 8192,
		sum(blks_read)::bigint, sum(blks_hit)::bigint FROM pg_stat_database`

	logPosition = `SELECT ((CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END) - '0/0'::pg_lsn)::bigint`

	// Who may not see replicas (pg_monitor) sees rows without a state. A replica
	// that has caught up on an idle server has no lag.
	countServer = `SELECT clock_timestamp(), (` + logPosition + `), (SELECT sum(numbackends)::int FROM pg_stat_database), current_setting('max_connections')::int,
		(SELECT CASE WHEN count(*) FILTER (WHERE state IS NULL) > 0 THEN -1 ELSE coalesce(extract(epoch FROM max(replay_lag)), 0) END::float8 FROM pg_stat_replication)`

	// A table whose size is not known to the planner yet has rows of 100 bytes.
	countDatasets = `SELECT coalesce(d.name, ''),
			sum(coalesce(i.heap_blks_read, 0) + coalesce(i.idx_blks_read, 0) + coalesce(i.toast_blks_read, 0) + coalesce(i.tidx_blks_read, 0))::bigint AS read,
			sum(coalesce(i.heap_blks_hit, 0) + coalesce(i.idx_blks_hit, 0) + coalesce(i.toast_blks_hit, 0) + coalesce(i.tidx_blks_hit, 0))::bigint AS hit,
			sum(u.n_tup_ins + u.n_tup_upd + u.n_tup_del)::bigint,
			avg(CASE WHEN c.reltuples > 0 THEN least(greatest(c.relpages * 8192 / c.reltuples, 32), 8192) ELSE 100 END)::bigint
		FROM pg_statio_user_tables i JOIN pg_stat_user_tables u USING (relid) JOIN pg_class c ON c.oid = i.relid
		LEFT JOIN tidemark.datasets d ON i.schemaname = 'data' AND d.identifier = i.relname
		WHERE i.schemaname = 'tidemark' OR d.name IS NOT NULL
		GROUP BY 1 ORDER BY 2 DESC, 3 DESC, 1 LIMIT $1`
)

// Counters implements cost.Source: what the server counts as a whole, and for
// the tables of each dataset. Numbers of a session get there up to a second
// after its transaction, when it is idle.
func (s *Store) Counters(ctx context.Context) (*cost.Counters, error) {
	c := new(cost.Counters)
	err := s.run(ctx, func(conn *session) error {
		*c = cost.Counters{Datasets: make(map[string]cost.Counted)}
		var lag float64
		var name string
		var d cost.Counted
		err := conn.pipeline(ctx,
			statement{sql: countServer, scan: []any{&c.At, &c.Log, &c.Connections, &c.MaxConnections, &lag}},
			statement{sql: countIO(majorVersion(conn)), scan: []any{&c.Reads, &c.Writes, &c.Read, &c.Hit}})
		if err != nil {
			return err
		}
		c.Lag = -1
		if lag >= 0 {
			c.Lag = time.Duration(lag * float64(time.Second))
		}
		rows, err := conn.Query(ctx, countDatasets, cost.MaxDatasets)
		if err != nil {
			return err
		}
		_, err = pgx.ForEachRow(rows, []any{&name, &d.Read, &d.Hit, &d.Changed, &d.RowBytes}, func() error {
			c.Datasets[name] = d
			return nil
		})
		return err
	})
	if cl := code(err); len(cl) == 5 && (cl[:2] == "42" || cl[:2] == "0A") { // no such view, function, right or feature
		return nil, errors.Join(cost.ErrNotCounted, err)
	}
	if err != nil {
		return nil, err
	}
	c.At = c.At.UTC()
	return c, nil
}

func countIO(major int) string {
	switch {
	case major >= 18:
		return countIO18
	case major >= 16:
		return countIO16
	case major >= 14:
		return countIO14
	}
	return countIO13
}

// majorVersion is 15 for a server that calls itself "15.4 (Debian 15.4-1)";
// other systems of this protocol may have any.
func majorVersion(c *session) int {
	digits := strings.FieldsFunc(c.PgConn().ParameterStatus("server_version"), func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(digits[0]) // digits; one that does not fit is none
	return n
}
