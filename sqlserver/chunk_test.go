package sqlserver_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"tidemark/internal/mssqltest"
	"tidemark/internal/wire"
	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
)

func fill(t *testing.T, db *sqlservertest.DB, table, columns string, n int, row func(i int) string) {
	t.Helper()
	var rows []string
	for i := range n {
		rows = append(rows, "("+row(i)+")")
		if len(rows) == 500 || i == n-1 {
			db.Exec(t, fmt.Sprintf("INSERT INTO {s}.%s (%s) VALUES %s", table, columns, strings.Join(rows, ", ")))
			rows = rows[:0]
		}
	}
}

// A row over the limit is named and not transferred; a chunk is bounded in
// bytes; neither loses a row.
func TestLargeRows(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	db.Exec(t, "CREATE TABLE {s}.d (id int NOT NULL PRIMARY KEY, a nvarchar(max) NULL, b varbinary(max) NULL, rv rowversion NOT NULL); CREATE INDEX ix ON {s}.d (rv)")
	db.Exec(t, "CREATE TABLE {s}.e (id int NOT NULL PRIMARY KEY, a nvarchar(max) NULL, b varbinary(max) NULL, rv rowversion NOT NULL)")
	for _, name := range []string{"d", "e"} {
		from := probe(t, s).Ceiling
		for i := range 9 {
			size := 100
			if i == 3 || i == 8 {
				size = 6000
			}
			db.Exec(t, fmt.Sprintf("INSERT INTO {s}.%s (id, a, b) VALUES (%d, REPLICATE(CONVERT(nvarchar(max), N'x'), %d), 0x)", name, i, size))
		}
		table := db.Table(t, s, name)
		r := s.Reader(table, sqlserver.Limits{RowBytes: 8000, ChunkBytes: 300})
		for what, read := range map[string]chunkFunc{"load": r.Load, "delta": delta(r, from, probe(t, s).Ceiling)} {
			got, chunks := chunks(t, read)
			var over []string
			for _, c := range chunks {
				for _, o := range c.Oversize {
					over = append(over, string(o.Key))
					if o.Bytes != 12000 || o.Version <= from {
						t.Errorf("%s %s: %+v", name, what, o)
					}
				}
			}
			if len(got) != 7 || strings.Join(over, " ") != "[3] [8]" {
				t.Errorf("%s %s: %d rows, oversize %v", name, what, len(got), over)
			}
			if len(chunks) < 2 {
				t.Errorf("%s %s: %d rows of 100 bytes in one chunk of 300", name, what, len(got))
			}
		}
		var out lines
		f, err := r.Lookup(t.Context(), [][]byte{[]byte("[1]"), []byte("[3]"), []byte("[77]")}, &out.Lines)
		if err != nil || len(f.There) != 3 || !f.There[0] || !f.There[1] || f.There[2] || out.N != 1 || len(f.Oversize) != 1 || f.Lines[0] != 0 {
			t.Errorf("lookup: %+v, %d lines, %v", f, out.N, err)
		}
		if lines := all(t, r.Keys); len(lines) != 9 {
			t.Errorf("%d keys, want 9: a row over the limit has one", len(lines))
		}
	}
}

// Lookups find a key byte for byte, whatever the collation makes equal, and
// as many as are asked for.
func TestLookup(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	db.Exec(t, "CREATE TABLE {s}.k (a varchar(20) NOT NULL, b int NOT NULL, v nvarchar(200) NULL, rv rowversion NOT NULL, PRIMARY KEY (a, b))")
	fill(t, db, "k", "a, b, v", 300, func(i int) string { return fmt.Sprintf("'Key%d', %d, N'%s'", i, i, strings.Repeat("v", 150)) })
	table := db.Table(t, s, "k")
	var keys [][]byte
	for i := range 400 {
		a := fmt.Sprintf("Key%d", i)
		switch i % 4 {
		case 1:
			a = strings.ToUpper(a)
		case 2:
			a += " "
		}
		keys = append(keys, fmt.Appendf(nil, `["%s",%d]`, a, i))
	}
	for _, limits := range []sqlserver.Limits{{}, {ChunkRows: 5}, {ChunkBytes: 1000}} {
		r := s.Reader(table, limits)
		asked := 0
		for asked < len(keys) {
			var out lines
			f, err := r.Lookup(t.Context(), keys[asked:], &out.Lines)
			if err != nil {
				t.Fatal(err)
			}
			if f.Asked == 0 || len(f.There) != f.Asked || len(f.Lines) != out.N {
				t.Fatalf("asked %d, answers %d, %d lines for %d rows", f.Asked, len(f.There), len(f.Lines), out.N)
			}
			next := 0
			for i, there := range f.There {
				n := asked + i
				if want := n < 300 && n%4 != 1 && n%4 != 2; there != want {
					t.Fatalf("key %s: there %v, want %v", keys[n], there, want)
				}
				if there {
					if f.Lines[next] != i || !strings.HasPrefix(values(out.list()[next]), strings.Trim(string(keys[n]), "[]")) {
						t.Fatalf("line %d, %s, for key %s", f.Lines[next], out.list()[next], keys[n])
					}
					next++
				}
			}
			asked += f.Asked
		}
	}
	for _, bad := range []string{"", "[]", `["a"]`, `["a","b"]`, `["a",1,2]`, `["a",null]`, `{"a":1}`} {
		var out lines
		if _, err := s.Reader(table, sqlserver.Limits{}).Lookup(t.Context(), [][]byte{[]byte(bad)}, &out.Lines); err == nil {
			t.Errorf("key %q was taken", bad)
		}
	}
}

func TestSentinels(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	db.Exec(t, "CREATE TABLE {s}.a (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)")
	fill(t, db, "a", "id", 100, func(i int) string { return fmt.Sprint(i) })
	table := db.Table(t, s, "a")
	var remembered []sqlserver.Sentinel
	for _, line := range all(t, s.Reader(table, sqlserver.Limits{}).Keys) {
		remembered = append(remembered, sqlserver.Sentinel{Key: []byte("[" + values(line) + "]"), Version: version(t, line)})
	}
	db.Exec(t, "DELETE FROM {s}.a WHERE id = 1; UPDATE {s}.a SET v = 1 WHERE id = 2")
	remembered[3].Version += 1000 // as if the source had gone back since
	states, err := s.Sentinels(t.Context(), table, remembered)
	if err != nil || len(states) != 100 {
		t.Fatalf("%d states, %v", len(states), err)
	}
	for i, want := range map[int]sqlserver.SentinelState{0: sqlserver.SentinelOK, 1: sqlserver.SentinelGone, 2: sqlserver.SentinelNewer, 3: sqlserver.SentinelOlder, 99: sqlserver.SentinelOK} {
		if states[i] != want {
			t.Errorf("row %d: state %d, want %d", i, states[i], want)
		}
	}
}

// A count that does not end in time is done in windows, then and from then on.
func TestCount(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	db.Exec(t, "CREATE TABLE {s}.a (a int NOT NULL, b varchar(10) NOT NULL, PRIMARY KEY (a, b))")
	fill(t, db, "a", "a, b", 5000, func(i int) string { return fmt.Sprintf("%d, '%d'", i/7, i) })
	table := db.Table(t, s, "a")
	if n, err := s.Count(t.Context(), table); n != 5000 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	t.Run("slow", func(t *testing.T) {
		stand := db.StandIn(t, "be slow")
		s := db.Source(t, func(c *sqlserver.Config) { c.Limits.StatementTimeout = 2 * time.Second })
		defer stand.Inject(mssqltest.Fault{Match: regexp.MustCompile("COUNT_BIG"), Delay: time.Minute})()
		for range 2 {
			stand.TakeStatements()
			if n, err := s.Count(t.Context(), table); n != 5000 || err != nil {
				t.Errorf("in windows: %d, %v", n, err)
			}
		}
		for _, st := range stand.TakeStatements() {
			if strings.Contains(st.SQL, "COUNT_BIG") {
				t.Error("a count that is known to be slow was tried again")
			}
		}
	})
}

// A table without a rowversion column: the version is a hash of the content,
// the same for the same content and another for another.
func TestContentVersions(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	db.Exec(t, "CREATE TABLE {s}.c (id int NOT NULL PRIMARY KEY, v nvarchar(20) NULL, big varbinary(max) NULL)")
	db.Exec(t, "INSERT INTO {s}.c (id, v, big) VALUES (1, N'a', 0x01), (2, N'a', 0x01), (3, NULL, NULL)")
	table := db.Table(t, s, "c")
	if table.WireSchema().Versioning != wire.ByContent {
		t.Errorf("versioning %s", table.WireSchema().Versioning)
	}
	r := s.Reader(table, sqlserver.Limits{ChunkRows: 2})
	before := all(t, r.Load)
	keys := all(t, r.Keys)
	for i := range before {
		if version(t, before[i]) != version(t, keys[i]) {
			t.Errorf("load %s, keys %s", before[i], keys[i])
		}
		if values(keys[i]) != fmt.Sprint(i+1) {
			t.Errorf("key line %s", keys[i])
		}
	}
	if want := `1,"a","AQ=="`; values(before[0]) != want {
		t.Errorf("got %s, want %s", before[0], want)
	}
	// The cloud keeps these: another hash would mean that every row had changed.
	if got := version(t, before[0]); got != 1810778869091927665 {
		t.Errorf("the version of a known content has changed to %d", got)
	}
	db.Exec(t, "UPDATE {s}.c SET v = N'b' WHERE id = 2")
	after := all(t, r.Keys)
	if after[0] != keys[0] || after[1] == keys[1] || after[2] != keys[2] {
		t.Errorf("before %v, after %v", keys, after)
	}
	var out lines
	f, err := r.Lookup(t.Context(), [][]byte{[]byte("[2]")}, &out.Lines)
	if err != nil || !f.There[0] || version(t, out.list()[0]) != version(t, after[1]) {
		t.Errorf("%+v, %v, %v", f, out.list(), err)
	}
}

// A table that is altered under a reader gives an error that says so, and no
// row of the chunk.
func TestSchemaDrift(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	for i, alter := range []string{
		"ALTER TABLE {t} DROP COLUMN w",
		"ALTER TABLE {t} ALTER COLUMN v varchar(40) NULL", // converted when read: the witness sees it
		"ALTER TABLE {t} ALTER COLUMN w bigint NULL",
		"ALTER TABLE {t} ALTER COLUMN n decimal(9,3) NULL",
		"ALTER TABLE {t} ALTER COLUMN x nvarchar(20) NULL",
		"EXEC sp_rename '{t}.w', 'renamed', 'COLUMN'",
		"DROP TABLE {t}",
	} {
		t.Run(alter, func(t *testing.T) {
			name := fmt.Sprintf("a%d", i)
			full := db.Schema + "." + name
			db.Exec(t, "CREATE TABLE "+full+" (id int NOT NULL PRIMARY KEY, v varchar(20) NULL, w int NULL, n decimal(9,2) NULL, x nvarchar(10) NULL, rv rowversion NOT NULL)")
			db.Exec(t, "CREATE INDEX ix ON "+full+" (rv)")
			fill(t, db, name, "id, v, w, n, x", 10, func(i int) string { return fmt.Sprintf("%d, 'v', 1, 1.5, N'x'", i) })
			table := db.Table(t, s, name)
			r := s.Reader(table, sqlserver.Limits{ChunkRows: 2})
			var out lines
			first, err := r.Load(t.Context(), "", &out.Lines)
			if err != nil {
				t.Fatal(err)
			}
			db.Exec(t, strings.ReplaceAll(alter, "{t}", full))
			n := out.N
			_, err = r.Load(t.Context(), first.Next, &out.Lines)
			if class, hint := sqlserver.Classify(err); !errors.Is(err, sqlserver.ErrSchemaChanged) || class != sqlserver.ClassSchema || hint == "" {
				t.Errorf("%s: %v", class, err)
			}
			if out.N != n || len(out.list()) != n {
				t.Errorf("%d lines after the error, %d before", len(out.list()), n)
			}
			if alter == "DROP TABLE {t}" {
				return
			}
			// With the catalog read again, reading goes on.
			if _, err := s.Reader(db.Table(t, s, name), sqlserver.Limits{ChunkRows: 2}).Load(t.Context(), first.Next, &out.Lines); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("a column may be null now", func(t *testing.T) {
		db.Exec(t, "CREATE TABLE {s}.n (id int NOT NULL PRIMARY KEY, v int NOT NULL, rv rowversion NOT NULL)")
		table := db.Table(t, s, "n")
		db.Exec(t, "ALTER TABLE {s}.n ALTER COLUMN v int NULL")
		db.Exec(t, "INSERT INTO {s}.n (id, v) VALUES (1, NULL)")
		var out lines
		if _, err := s.Reader(table, sqlserver.Limits{}).Load(t.Context(), "", &out.Lines); !errors.Is(err, sqlserver.ErrSchemaChanged) {
			t.Errorf("%v", err)
		}
	})
	t.Run("a new column changes nothing until the catalog is read", func(t *testing.T) {
		db.Exec(t, "CREATE TABLE {s}.p (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
		table := db.Table(t, s, "p")
		db.Exec(t, "ALTER TABLE {s}.p ADD extra int NULL")
		db.Exec(t, "INSERT INTO {s}.p (id, extra) VALUES (1, 2)")
		if got := all(t, s.Reader(table, sqlserver.Limits{}).Load); len(got) != 1 || values(got[0]) != "1" {
			t.Error(got)
		}
		if got := all(t, s.Reader(db.Table(t, s, "p"), sqlserver.Limits{}).Load); values(got[0]) != "1,2" {
			t.Error(got)
		}
	})
}

// Rows that come, go and change their keys under a load: what stays is read
// once, and a table that is emptied just ends.
func TestLoadUnderChanges(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	db.Exec(t, "CREATE TABLE {s}.a (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)")
	fill(t, db, "a", "id, v", 100, func(i int) string { return fmt.Sprintf("%d, 0", i*10) })
	r := s.Reader(db.Table(t, s, "a"), sqlserver.Limits{ChunkRows: 10})
	seen := map[string]int{}
	var at sqlserver.Cursor
	read := func() (done bool) {
		t.Helper()
		var out lines
		c, err := r.Load(t.Context(), at, &out.Lines)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range out.list() {
			seen[strings.SplitN(values(line), ",", 2)[0]]++
		}
		at = c.Next
		return c.Done
	}
	read()
	// The row of the cursor goes, others come on both sides of it.
	db.Exec(t, "DELETE FROM {s}.a WHERE id = 90; INSERT INTO {s}.a (id, v) VALUES (85, 1), (95, 1); UPDATE {s}.a SET id = 96 WHERE id = 0; UPDATE {s}.a SET v = 2 WHERE id = 200")
	read()
	if seen["85"] != 0 || seen["95"] != 1 || seen["96"] != 1 || seen["100"] != 1 {
		t.Errorf("seen %v", seen)
	}
	for n := 0; !read(); n++ {
		if n == 3 {
			db.Exec(t, "DELETE FROM {s}.a")
		}
		if n > 5 {
			t.Fatal("no end of an empty table")
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("row %s was read %d times", id, n)
		}
	}
}

// Chunks take about the time that they are given, on a server of any speed.
func TestChunksAreTimeBoxed(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "be slow row by row")
	db.Exec(t, "CREATE TABLE {s}.a (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)")
	fill(t, db, "a", "id, v", 3000, func(i int) string { return fmt.Sprintf("%d, 0", i) })
	s := db.Source(t)
	table := db.Table(t, s, "a")
	stand.Network().DelayRows(10, 2*time.Millisecond) // at least 200 µs a row
	defer stand.Network().Clear()
	got, read := chunks(t, s.Reader(table, sqlserver.Limits{QueryTime: 40 * time.Millisecond}).Load)
	if len(got) != 3000 {
		t.Errorf("%d rows", len(got))
	}
	for i, c := range read[2:] { // the first two learn
		if c.Rows > 250 {
			t.Errorf("chunk %d of %d rows: 40 ms are at most 200 of them", i+2, c.Rows)
		}
	}
}
