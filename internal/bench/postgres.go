package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

// dataTable is the physical table of the only dataset.
func dataTable(ctx context.Context, conn *pgx.Conn) (string, error) {
	var name string
	err := conn.QueryRow(ctx, `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'data'`).Scan(&name)
	return name, err
}

// unload writes the rows that a load brought in COPY's text form into a file:
// this process stays small (see ownPeak).
func unload(ctx context.Context, conn *pgx.Conn, table, dir string) (path string, err error) {
	path = filepath.Join(dir, "rows.copy")
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	if _, err := conn.PgConn().CopyTo(ctx, w, "COPY "+table+" TO STDOUT"); err != nil {
		return "", err
	}
	return path, w.Flush()
}

// copyBaseline times what the first load is held against: COPY of the same
// rows into a table of the same shape, storage parameters and primary key,
// which it leaves as bench.baseline.
func copyBaseline(ctx context.Context, conn *pgx.Conn, table, rows string) (took time.Duration, err error) {
	var with string
	err = conn.QueryRow(ctx, `SELECT coalesce('WITH (' || array_to_string(reloptions, ', ') || ')', '') FROM pg_class WHERE oid = $1::text::regclass`, table).Scan(&with)
	if err != nil {
		return 0, err
	}
	setup := `CREATE SCHEMA bench; CREATE TABLE bench.baseline (LIKE ` + table + ` INCLUDING ALL) ` + with + `; CHECKPOINT`
	if _, err := conn.PgConn().Exec(ctx, setup).ReadAll(); err != nil {
		return 0, err
	}
	f, err := os.Open(rows)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(rows)) }()
	if _, err := io.Copy(io.Discard, f); err != nil { // in memory, as the agent's rows are
		return 0, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	start := time.Now()
	_, err = conn.PgConn().CopyFrom(ctx, f, "COPY bench.baseline FROM STDIN")
	return time.Since(start), err
}

// stage fills a staging table with the rows that differ between the table and
// the baseline, which are the delta.
func stage(ctx context.Context, conn *pgx.Conn, table string) (rows int64, err error) {
	tag, err := conn.Exec(ctx, `CREATE TEMP TABLE stage AS SELECT * FROM `+table+` EXCEPT SELECT * FROM bench.baseline`)
	if err != nil {
		return 0, err
	}
	_, err = conn.Exec(ctx, "ANALYZE stage")
	return tag.RowsAffected(), err
}

// upsertBaseline times what the delta is held against: one INSERT ... ON
// CONFLICT DO UPDATE from the staging table that is full already, into the
// table that copyBaseline left.
func upsertBaseline(ctx context.Context, conn *pgx.Conn) (time.Duration, error) {
	var key, set string
	err := conn.QueryRow(ctx, `SELECT string_agg(quote_ident(attname), ', ' ORDER BY array_position(i.indkey::int2[], attnum))
		FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
		WHERE i.indrelid = 'bench.baseline'::regclass AND i.indisprimary`).Scan(&key)
	if err != nil {
		return 0, err
	}
	err = conn.QueryRow(ctx, `SELECT string_agg(format('%1$I = excluded.%1$I', attname), ', ') FROM pg_attribute a
		WHERE attrelid = 'bench.baseline'::regclass AND attnum > 0 AND NOT attisdropped AND NOT EXISTS (
			SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey))`).Scan(&set)
	if err != nil {
		return 0, err
	}
	if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil {
		return 0, err
	}
	start := time.Now()
	_, err = conn.Exec(ctx, fmt.Sprintf("INSERT INTO bench.baseline SELECT * FROM stage ON CONFLICT (%s) DO UPDATE SET %s", key, set))
	return time.Since(start), err
}
