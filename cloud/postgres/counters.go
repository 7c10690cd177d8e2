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
	// that has caught up on an idle server has no lag. A base backup is none.
	countServer = `SELECT clock_timestamp(), (` + logPosition + `), (SELECT sum(numbackends)::int FROM pg_stat_database), current_setting('max_connections')::int, r.replicas, r.lag
		FROM (SELECT count(*)::int AS replicas, CASE WHEN count(*) FILTER (WHERE state IS NULL) > 0 THEN -1 ELSE coalesce(extract(epoch FROM max(replay_lag)), 0) END::float8 AS lag
			FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup') r`

	// What pg_statio_user_tables and pg_stat_user_tables would tell, from the
	// functions that they call: the views look every table up in four catalogs,
	// and touched more than all requests of a quiet fleet. Catalogs are read
	// once here, by their pages. A table whose size is not known to the planner
	// yet has rows of 100 bytes.
	countDatasets = `WITH t AS MATERIALIZED (
			SELECT c.oid, c.relname, c.reltoastrelid, c.relpages, c.reltuples, c.relnamespace = to_regnamespace('data') AS data
			FROM pg_class c WHERE c.relkind IN ('r', 'm') AND c.relnamespace IN (to_regnamespace('data'), to_regnamespace('tidemark'))),
		i AS MATERIALIZED (
			SELECT indrelid, sum(pg_stat_get_blocks_fetched(indexrelid)) AS fetched, sum(pg_stat_get_blocks_hit(indexrelid)) AS hit
			FROM pg_index GROUP BY 1),
		d AS MATERIALIZED (SELECT name, identifier FROM tidemark.datasets),
		counted AS (
			SELECT coalesce(d.name, '') AS name,
				pg_stat_get_blocks_fetched(t.oid) + coalesce(i.fetched, 0) + pg_stat_get_blocks_fetched(t.reltoastrelid) + coalesce(o.fetched, 0) AS fetched,
				pg_stat_get_blocks_hit(t.oid) + coalesce(i.hit, 0) + pg_stat_get_blocks_hit(t.reltoastrelid) + coalesce(o.hit, 0) AS hit,
				pg_stat_get_tuples_inserted(t.oid) + pg_stat_get_tuples_updated(t.oid) + pg_stat_get_tuples_deleted(t.oid) AS changed,
				CASE WHEN t.reltuples > 0 THEN least(greatest(t.relpages * 8192 / t.reltuples, 32), 8192) ELSE 100 END AS width
			FROM t LEFT JOIN d ON t.data AND d.identifier = t.relname
			LEFT JOIN i ON i.indrelid = t.oid LEFT JOIN i o ON o.indrelid = t.reltoastrelid
			WHERE NOT t.data OR d.name IS NOT NULL)
		SELECT name, sum(fetched - hit)::bigint, sum(hit)::bigint, sum(changed)::bigint, avg(width)::bigint
		FROM counted GROUP BY 1 ORDER BY 2 DESC, 3 DESC, 1 LIMIT $1`
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
			statement{sql: countServer, scan: []any{&c.At, &c.Log, &c.Connections, &c.MaxConnections, &c.Replicas, &lag}},
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
