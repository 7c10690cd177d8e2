package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
)

// drained is what reading the rows and dropping them took.
type drained struct {
	Rows int           `json:"rows"`
	Wall time.Duration `json:"wall"`
	CPU  time.Duration `json:"cpu"`
}

// drain reads a table in a process of its own, as an application does that
// does nothing with the rows.
func drain(ctx context.Context, role, dsn, table string) (drained, error) {
	self, err := os.Executable()
	if err != nil {
		return drained{}, err
	}
	cmd := exec.CommandContext(ctx, self, role, dsn, table)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return drained{}, fmt.Errorf("drain: %w", err)
	}
	var d drained
	if err := json.Unmarshal(out, &d); err != nil {
		return d, err
	}
	d.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return d, nil
}

// serveDrain is that process: every value is scanned into the type that an
// application would take.
func serveDrain(ctx context.Context, dsn, table string, out io.Writer) error {
	var (
		id     int64
		name   sql.NullString
		amount sql.RawBytes
		at     time.Time
		flag   bool
		guid   mssql.UniqueIdentifier
		rv     sql.RawBytes
	)
	return serveReading(ctx, dsn, "SELECT id, name, amount, at, flag, guid, rv FROM "+table, out, &id, &name, &amount, &at, &flag, &guid, &rv)
}

// serveKeys is the same for comparisons: keys and row versions in key order.
func serveKeys(ctx context.Context, dsn, table string, out io.Writer) error {
	var id int64
	var rv sql.RawBytes
	return serveReading(ctx, dsn, "SELECT id, rv FROM "+table+" ORDER BY id", out, &id, &rv)
}

// serveReading scans all rows of one statement by database/sql into the same
// places, and tells what that took.
func serveReading(ctx context.Context, dsn, query string, out io.Writer, places ...any) (err error) {
	db, err := sql.Open("sqlserver", dsn)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := db.PingContext(ctx); err != nil {
		return err
	}
	start := time.Now()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var d drained
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
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
