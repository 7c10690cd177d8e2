package sqlserver_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"tidemark/internal/mssqltest"
	"tidemark/internal/wire"
	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
)

// A page costs its rows, not the table: no matter where in it, also where one
// value of the leading column has all of the rows.
func TestPagesCostTheirRows(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "count the rows that a statement examines")
	s := db.Source(t)
	db.Exec(t, "CREATE TABLE {s}.g (company int NOT NULL, code varchar(20) NOT NULL, v nvarchar(50) NULL, rv rowversion NOT NULL, PRIMARY KEY (company, code))")
	db.Exec(t, "CREATE INDEX ix ON {s}.g (rv)")
	const rows, page = 20_000, 100
	fill(t, db, "g", "company, code", rows, func(i int) string { return fmt.Sprintf("1, 'code %05d'", i) })
	table := db.Table(t, s, "g")
	ceiling := probe(t, s).Ceiling
	r := s.Reader(table, sqlserver.Limits{ChunkRows: page})
	stats := func(read func() error) int64 {
		t.Helper()
		stand.DB().ResetStats()
		if err := read(); err != nil {
			t.Fatal(err)
		}
		return stand.DB().Stats()[db.Schema+".g"].Examined
	}
	for what, read := range map[string]chunkFunc{"load": r.Load, "keys": r.Keys, "delta": delta(r, 0, ceiling)} {
		var at sqlserver.Cursor
		for n := 0; ; n++ {
			var out wire.Lines
			var c sqlserver.Chunk
			examined := stats(func() (err error) {
				c, err = read(t.Context(), at, &out)
				return err
			})
			if n > 0 && examined > 3*page {
				t.Fatalf("%s: page %d examined %d rows for %d", what, n, examined, c.Rows)
			}
			if at = c.Next; c.Done {
				break
			}
		}
	}
	if n := stats(func() error {
		_, _, err := s.High(t.Context(), table, 0, ceiling)
		return err
	}); n > 2 {
		t.Errorf("the highest row version examined %d rows", n)
	}
	var keys [][]byte
	for i := range 64 {
		keys = append(keys, fmt.Appendf(nil, `[1,"code %05d"]`, i*300))
	}
	lookups := s.Reader(table, sqlserver.Limits{})
	if n := stats(func() error {
		var out wire.Lines
		f, err := lookups.Lookup(t.Context(), keys, &out)
		if f.Asked != 64 || out.N != 64 {
			t.Errorf("asked %d, found %d", f.Asked, out.N)
		}
		return err
	}); n > 3*64 {
		t.Errorf("a lookup of 64 keys examined %d rows", n)
	}
}

// The customer's plan cache holds one plan for each kind of statement,
// whatever the values and their lengths.
func TestConstantStatements(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "show the statements that reach it")
	s := db.Source(t)
	db.Exec(t, "CREATE TABLE {s}.c (a nvarchar(100) NOT NULL, b varbinary(50) NOT NULL, d decimal(20,5) NOT NULL, f float NOT NULL, o datetimeoffset(3) NOT NULL, rv rowversion NOT NULL, PRIMARY KEY (a, b, d, f, o))")
	db.Exec(t, "CREATE INDEX ix ON {s}.c (rv)")
	fill(t, db, "c", "a, b, d, f, o", 60, func(i int) string {
		return fmt.Sprintf("N'%s', 0x%s, %d.5, %d, '2026-11-23 10:00:00 +02:00'", strings.Repeat("x", i), strings.Repeat("0f", i%50), i*i*i, i)
	})
	table := db.Table(t, s, "c")
	ceiling := probe(t, s).Ceiling
	r := s.Reader(table, sqlserver.Limits{ChunkRows: 3})
	stand.TakeStatements()
	all(t, r.Load)
	all(t, r.Keys)
	all(t, delta(r, 0, ceiling))
	all(t, delta(r, 10, ceiling))
	var ask [][]byte
	for _, line := range all(t, r.Keys) {
		ask = append(ask, []byte("["+values(line)+"]"))
	}
	for n := 1; n <= len(ask); n += 7 {
		var out wire.Lines
		if _, err := s.Reader(table, sqlserver.Limits{}).Lookup(t.Context(), ask[:n], &out); err != nil {
			t.Fatal(err)
		}
	}
	declared := map[string]string{}
	for _, st := range stand.TakeStatements() {
		if st.Kind != mssqltest.Batch {
			t.Errorf("a request for a transaction: %s", st.Kind)
		}
		if len(st.Params) == 0 {
			continue // the witness of a chunk that was cut
		}
		var types []string
		for _, p := range st.Params {
			types = append(types, p.Name+" "+p.Type.String())
			switch p.Type.String() {
			case "bigint", "float", "varbinary(8)", "datetimeoffset(7)", "nvarchar(max)":
			default:
				t.Errorf("parameter %s is declared as %s", p.Name, p.Type)
			}
		}
		if was, known := declared[st.SQL]; known && was != strings.Join(types, ", ") {
			t.Errorf("one text with parameters %s and %s", was, types)
		}
		declared[st.SQL] = strings.Join(types, ", ")
		for _, word := range []string{"NOLOCK", "READ UNCOMMITTED", "BEGIN TRAN"} {
			if strings.Contains(st.SQL, word) {
				t.Errorf("%s in %s", word, st.SQL)
			}
		}
	}
	if len(declared) > 8 {
		t.Errorf("%d different statements for 8 kinds", len(declared))
	}
}

// With writers at work, a reader that goes from ceiling to ceiling sees every
// change, also of transactions that commit out of order.
func TestNothingIsLostBetweenCeilings(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	db.Exec(t, "CREATE TABLE {s}.w (id int NOT NULL PRIMARY KEY, v int NOT NULL, rv rowversion NOT NULL)")
	db.Exec(t, "CREATE INDEX ix ON {s}.w (rv)")
	table := db.Table(t, s, "w")
	const writers, each = 4, 40
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	failed := make(chan error, writers)
	for w := range writers {
		go func() {
			failed <- func() error {
				for i := range each {
					tx, err := db.SQL.BeginTx(ctx, nil)
					if err != nil {
						return err
					}
					for n := range 1 + (w+i)%3 {
						if _, err := tx.ExecContext(ctx, db.Expand("INSERT INTO {s}.w (id, v) VALUES (@p1, @p2)"), w*1_000_000+i*10+n, i); err != nil {
							return err
						}
					}
					if i%5 == 4 {
						err = tx.Rollback()
					} else {
						err = tx.Commit()
					}
					if err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	seen := map[string]string{}
	r := s.Reader(table, sqlserver.Limits{ChunkRows: 7})
	from := uint64(0)
	look := func() {
		to := probe(t, s).Ceiling
		for _, line := range all(t, delta(r, from, to)) {
			seen[values(line)] = line
		}
		from = max(from, to)
	}
	for running := writers; running > 0; {
		select {
		case err := <-failed:
			if err != nil {
				t.Fatal(err)
			}
			running--
		default:
			look()
		}
	}
	look()
	for _, line := range all(t, r.Load) {
		if seen[values(line)] != line {
			t.Errorf("%s was not seen: %q", line, seen[values(line)])
		}
		delete(seen, values(line))
	}
	if len(seen) > 0 {
		t.Errorf("%d rows that are not there, as %v", len(seen), seen)
	}
}
