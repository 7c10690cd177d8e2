package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"time"
)

// serveKeys is the process of the baseline: an application that reads keys and
// row versions in key order by one statement, and drops them.
func serveKeys(ctx context.Context, dsn, table string, out io.Writer) (err error) {
	db, err := sql.Open("sqlserver", dsn)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := db.PingContext(ctx); err != nil {
		return err
	}
	start := time.Now()
	rows, err := db.QueryContext(ctx, "SELECT id, rv FROM "+table+" ORDER BY id")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var d drained
	var id int64
	var rv sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&id, &rv); err != nil {
			return err
		}
		d.Rows++
	}
	if err := rows.Err(); err != nil {
		return err
	}
	d.Wall = time.Since(start)
	return json.NewEncoder(out).Encode(d)
}
