package sqlserver_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"tidemark/internal/mssqltest"
	"tidemark/internal/wire"
	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
)

const benchRows = 200_000

// benchTable is the narrow table of the first load's target.
func benchTable(b *testing.B) (*sqlservertest.DB, *mssqltest.Server) {
	b.Helper()
	db := sqlservertest.Open(b)
	stand := db.StandIn(b, "fill a table fast")
	db.Exec(b, "CREATE TABLE {s}.n (id int NOT NULL PRIMARY KEY, name nvarchar(100) NULL, price decimal(18,4) NULL, at datetime2(7) NULL, ok bit NULL, guid uniqueidentifier NULL, rv rowversion NOT NULL)")
	db.Exec(b, "CREATE INDEX ix ON {s}.n (rv)")
	at := time.Date(2026, 11, 23, 10, 0, 0, 1234567*100, time.UTC)
	if err := stand.DB().Fill(db.Schema+".n", benchRows, func(i int) []any {
		return []any{i, fmt.Sprintf("a name of some forty characters, no %06d", i), fmt.Sprintf("%d.%04d", i, i%10000), at.Add(time.Duration(i) * time.Second), i%2 == 0,
			fmt.Sprintf("0f8fad5b-d9cb-469f-a165-%012x", i)}
	}); err != nil {
		b.Fatal(err)
	}
	return db, stand
}

// BenchmarkReading gives the rows a second of the readers beside those of
// draining the same rows through the driver alone.
func BenchmarkReading(b *testing.B) {
	db, _ := benchTable(b)
	s := db.Source(b, func(c *sqlserver.Config) { c.Encrypt = sqlserver.EncryptOff })
	tables, err := s.Catalog(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var table *sqlserver.Table
	for _, t := range tables {
		if t.Schema == db.Schema {
			table = t
		}
	}
	p, err := s.Probe(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	rate := func(b *testing.B, read func() int) {
		b.ReportAllocs()
		rows := 0
		for b.Loop() {
			rows += read()
		}
		if rows != b.N*benchRows {
			b.Fatalf("%d rows of %d", rows, b.N*benchRows)
		}
		b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	}
	query := "SELECT id, name, price, at, ok, guid, rv FROM " + db.Schema + ".n"
	drain := func(each func(*sql.Rows) error) func() int {
		return func() (n int) {
			rows, err := db.SQL.QueryContext(b.Context(), query)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = rows.Close() }()
			for rows.Next() {
				if err := each(rows); err != nil {
					b.Fatal(err)
				}
				n++
			}
			if err := rows.Err(); err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Run("driver, dropped", func(b *testing.B) { rate(b, drain(func(*sql.Rows) error { return nil })) })
	b.Run("driver, raw bytes", func(b *testing.B) {
		raw := make([]sql.RawBytes, 7)
		to := make([]any, len(raw))
		for i := range raw {
			to[i] = &raw[i]
		}
		rate(b, drain(func(r *sql.Rows) error { return r.Scan(to...) }))
	})
	chunks := func(read func(ctx context.Context, after sqlserver.Cursor, out *wire.Lines) (sqlserver.Chunk, error)) func() int {
		var out wire.Lines
		return func() (n int) {
			for at := sqlserver.Cursor(""); ; {
				out.Reset()
				c, err := read(b.Context(), at, &out)
				if err != nil {
					b.Fatal(err)
				}
				n += c.Rows
				if at = c.Next; c.Done {
					return n
				}
			}
		}
	}
	r := s.Reader(table, sqlserver.Limits{})
	b.Run("load", func(b *testing.B) { rate(b, chunks(r.Load)) })
	b.Run("delta", func(b *testing.B) {
		rate(b, chunks(func(ctx context.Context, after sqlserver.Cursor, out *wire.Lines) (sqlserver.Chunk, error) {
			return r.Delta(ctx, 0, p.Ceiling, after, out)
		}))
	})
	b.Run("keys", func(b *testing.B) { rate(b, chunks(r.Keys)) })
}
