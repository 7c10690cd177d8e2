package sqlserver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tidemark/internal/mssqltest/engine"
	"tidemark/internal/wire"
	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
)

// layouts are tables with the same columns, laid out in all ways that matter
// to a delta.
var layouts = []struct{ name, ddl string }{
	{"indexed", "PRIMARY KEY CLUSTERED (a, b)); CREATE INDEX ix ON {t} (rv)"},
	{"indexed, key descending", "PRIMARY KEY CLUSTERED (a DESC, b)); CREATE INDEX ix ON {t} (rv)"},
	{"indexed, heap", "PRIMARY KEY NONCLUSTERED (a, b)); CREATE INDEX ix ON {t} (rv)"},
	{"indexed, heap, key in the index", "PRIMARY KEY NONCLUSTERED (a, b)); CREATE INDEX ix ON {t} (rv, a, b)"},
	{"not indexed", "PRIMARY KEY CLUSTERED (a, b))"},
	{"not indexed, key descending", "PRIMARY KEY CLUSTERED (a, b DESC))"},
	{"unique index as key", "UNIQUE (a, b)); CREATE INDEX ix ON {t} (rv)"},
}

func makeLayout(t *testing.T, db *sqlservertest.DB, name, ddl string) {
	t.Helper()
	full := db.Schema + "." + name
	for _, statement := range strings.Split("CREATE TABLE {t} (a int NOT NULL, b int NOT NULL, v int NULL, rv rowversion NOT NULL, "+ddl, "; ") {
		db.Exec(t, strings.ReplaceAll(statement, "{t}", full))
	}
}

// A delta delivers each row of its range once, whatever the layout, the size
// of the chunks and the row versions' runs, and never claims a watermark
// above a row that it has not delivered.
func TestDelta(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	for i, layout := range layouts {
		t.Run(layout.name, func(t *testing.T) {
			name := fmt.Sprintf("d%d", i)
			makeLayout(t, db, name, layout.ddl)
			before := probe(t, s).Ceiling
			for a := range 5 {
				for b := range 8 {
					db.Exec(t, fmt.Sprintf("INSERT INTO {s}.%s (a, b, v) VALUES (%d, %d, 0)", name, a, b))
				}
			}
			middle := probe(t, s).Ceiling
			db.Exec(t, fmt.Sprintf("UPDATE {s}.%s SET v = 1 WHERE a = 3 OR b = 2", name))
			db.Exec(t, fmt.Sprintf("DELETE FROM {s}.%s WHERE a = 4 AND b > 4", name))
			after := probe(t, s).Ceiling
			db.Exec(t, fmt.Sprintf("INSERT INTO {s}.%s (a, b, v) VALUES (9, 9, 9)", name)) // above the ceiling

			table := db.Table(t, s, name)
			rows := map[uint64]string{}
			for _, line := range all(t, s.Reader(table, sqlserver.Limits{}).Load) {
				rows[version(t, line)] = line
			}
			for _, span := range [][2]uint64{{before, after}, {middle, after}, {before, middle}, {after, after}, {0, after + 1000}, {0, before}} {
				var want []string
				for v, line := range rows {
					if v > span[0] && v <= span[1] {
						want = append(want, line)
					}
				}
				slices.Sort(want)
				for _, size := range []int{1, 2, 3, 7, 1000} {
					lines, got := chunks(t, delta(s.Reader(table, sqlserver.Limits{ChunkRows: size}), span[0], span[1]))
					seen := map[uint64]bool{}
					next := 0
					for _, c := range got {
						for range c.Rows {
							seen[version(t, lines[next])] = true
							next++
						}
						if c.Rows > size {
							t.Fatalf("chunk of %d rows, limit %d", c.Rows, size)
						}
						for v := range rows {
							if v > span[0] && v <= c.Watermark && v <= span[1] && !seen[v] {
								t.Fatalf("watermark %d, but row version %d was not delivered", c.Watermark, v)
							}
						}
					}
					if last := got[len(got)-1].Watermark; last != max(span[0], span[1]) {
						t.Errorf("watermark %d at the end of (%d, %d]", last, span[0], span[1])
					}
					slices.Sort(lines)
					same(t, fmt.Sprintf("(%d, %d] in chunks of %d", span[0], span[1], size), want, lines)
				}
				rv, found, err := s.High(t.Context(), table, span[0], span[1])
				if err != nil {
					t.Fatal(err)
				}
				if found != (len(want) > 0) || found && (rv <= span[0] || rv > span[1]) {
					t.Errorf("high of (%d, %d]: %d, %v, with %d rows", span[0], span[1], rv, found, len(want))
				}
				if found && table.RowVersionIndexed {
					for v := range rows {
						if v > rv && v <= span[1] {
							t.Errorf("high of (%d, %d] is %d, but there is %d", span[0], span[1], rv, v)
						}
					}
				}
			}
		})
	}
}

// Rows of one statement can share a row version: bulk loads do that, and
// compatible servers. The stand-in does it on request.
func TestDeltaOfEqualRowVersions(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "repeat row versions on request")
	s := db.Source(t)
	stand.DB().SetOptions(engine.DatabaseOptions{AllowSnapshot: true, EqualRowVersions: engine.PerStatement})
	for i, layout := range layouts {
		t.Run(layout.name, func(t *testing.T) {
			name := fmt.Sprintf("e%d", i)
			makeLayout(t, db, name, layout.ddl)
			from := probe(t, s).Ceiling
			var want []string
			for part := range 3 {
				var values []string
				for n := range 20 {
					values = append(values, fmt.Sprintf("(%d, %d, %d)", part, n, n))
					want = append(want, fmt.Sprintf("%d,%d,%d", part, n, n))
				}
				db.Exec(t, fmt.Sprintf("INSERT INTO {s}.%s (a, b, v) VALUES %s", name, strings.Join(values, ", ")))
			}
			to := probe(t, s).Ceiling
			table := db.Table(t, s, name)
			versions := map[uint64]int{}
			for _, line := range all(t, s.Reader(table, sqlserver.Limits{}).Load) {
				versions[version(t, line)]++
			}
			if len(versions) != 3 {
				t.Fatalf("%d row versions, want 3: the test proves nothing", len(versions))
			}
			slices.Sort(want)
			for _, size := range []int{1, 7, 20, 21, 1000} {
				lines, got := chunks(t, delta(s.Reader(table, sqlserver.Limits{ChunkRows: size}), from, to))
				seen := map[uint64]int{}
				next := 0
				for _, c := range got {
					for range c.Rows {
						seen[version(t, lines[next])]++
						next++
					}
					for v, n := range versions {
						if v <= c.Watermark && seen[v] != n {
							t.Fatalf("watermark %d with %d of %d rows of version %d", c.Watermark, seen[v], n, v)
						}
					}
				}
				for i := range lines {
					lines[i] = values(lines[i])
				}
				slices.Sort(lines)
				same(t, fmt.Sprintf("chunks of %d", size), want, lines)
			}
		})
	}
}

// Where nothing matches, windows move on all the same, and reading can stop
// and go on between any two.
func TestDeltaOfNothing(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	db.Exec(t, "CREATE TABLE {s}.w (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	var rows []string
	for i := range 900 {
		rows = append(rows, fmt.Sprintf("(%d)", i))
	}
	db.Exec(t, "INSERT INTO {s}.w (id) VALUES "+strings.Join(rows, ", "))
	table := db.Table(t, s, "w")
	from := probe(t, s).Ceiling
	db.Exec(t, "CREATE TABLE {s}.x (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	db.Exec(t, "INSERT INTO {s}.x (id) VALUES (1)")
	lines, _ := chunks(t, delta(s.Reader(table, sqlserver.Limits{}), from, probe(t, s).Ceiling))
	if len(lines) != 0 {
		t.Errorf("%d rows, want none", len(lines))
	}
}

func TestDeltaRefusals(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	db.Exec(t, "CREATE TABLE {s}.plain (id int NOT NULL PRIMARY KEY)")
	db.Exec(t, "CREATE TABLE {s}.keyless (id int NOT NULL, rv rowversion NOT NULL)")
	db.Exec(t, "CREATE TABLE {s}.good (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL); CREATE INDEX ix ON {s}.good (rv)")
	var out wire.Lines
	if _, err := s.Reader(db.Table(t, s, "plain"), sqlserver.Limits{}).Delta(t.Context(), 0, 1, "", &out); !errors.Is(err, sqlserver.ErrNoDelta) {
		t.Errorf("without a rowversion column: %v", err)
	}
	keyless := db.Table(t, s, "keyless")
	if keyless.Refused == "" {
		t.Error("a table without a key is not refused")
	}
	for _, read := range []chunkFunc{s.Reader(keyless, sqlserver.Limits{}).Load, s.Reader(keyless, sqlserver.Limits{}).Keys, delta(s.Reader(keyless, sqlserver.Limits{}), 0, 1)} {
		if _, err := read(t.Context(), "", &out); err == nil || !strings.Contains(err.Error(), "cannot be synced") {
			t.Errorf("without a key: %v", err)
		}
	}
	good := s.Reader(db.Table(t, s, "good"), sqlserver.Limits{})
	for _, at := range []sqlserver.Cursor{"k[1]", "w1[1]", "v5", "nonsense"} {
		if _, err := good.Delta(t.Context(), 1, 2, at, &out); !errors.Is(err, sqlserver.ErrCursor) {
			t.Errorf("cursor %q: %v", at, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := good.Delta(ctx, 1, 2, "", &out)
	if class, _ := sqlserver.Classify(err); class != sqlserver.ClassCancelled {
		t.Errorf("cancelled: %s: %v", class, err)
	}
}

func version(t *testing.T, line string) uint64 {
	t.Helper()
	v, err := strconv.ParseUint(strings.Trim(line[1:strings.IndexByte(line, ',')], `"`), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
