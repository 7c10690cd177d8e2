package sqlserver_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tidemark/internal/fault"
	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/engine"
	"tidemark/internal/mssqltest/tds"
	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
)

// What a server lacks is noted and done without: it is read all the same, and
// what the rest of the catalog tells is still known.
func TestLackingServers(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "lack views and functions on request")
	db.Exec(t, "CREATE TABLE {s}.a (k varchar(10) NOT NULL, id int NOT NULL, v nvarchar(20) NULL, rv rowversion NOT NULL, PRIMARY KEY (k, id DESC))")
	db.Exec(t, "CREATE INDEX ix ON {s}.a (rv)")
	db.Exec(t, "INSERT INTO {s}.a (k, id, v) VALUES ('é', 1, N'x'), ('é', 2, NULL), ('z', 1, N'y')")
	want := []string{`"é",2,null`, `"é",1,"x"`, `"z",1,"y"`}
	none := func(sqlserver.Probe, *sqlserver.Table) string { return "" }
	tests := []struct {
		lacks []string
		note  string // part of one that must be there
		check func(sqlserver.Probe, *sqlserver.Table) string
	}{
		{nil, "", func(p sqlserver.Probe, table *sqlserver.Table) string {
			if !p.Snapshot || p.Marks.Fork == "" || p.Marks.Created == "" || p.Marks.Server == "" || p.Rows[table.ObjectID] != 3 || !table.RowVersionIndexed {
				return "something of a whole server is missing"
			}
			return ""
		}},
		{[]string{"sys.partitions"}, "row counts", func(p sqlserver.Probe, table *sqlserver.Table) string {
			if p.Rows[table.ObjectID] != -1 {
				return "rows are known"
			}
			return ""
		}},
		{[]string{"sys.partitions.rows"}, "row counts", none},
		{[]string{"rows of sys.partitions"}, "", func(p sqlserver.Probe, table *sqlserver.Table) string {
			if p.Rows[table.ObjectID] != -1 {
				return "rows are known"
			}
			return ""
		}},
		{[]string{"sys.database_recovery_status"}, "recovery fork", func(p sqlserver.Probe, _ *sqlserver.Table) string {
			if p.Marks.Fork != "" || p.Marks.Created == "" {
				return "marks"
			}
			return ""
		}},
		{[]string{"sys.databases"}, "READ COMMITTED", func(p sqlserver.Probe, _ *sqlserver.Table) string {
			if p.Snapshot || p.Marks.Created != "" || p.Marks.Database == "" {
				return "marks"
			}
			return ""
		}},
		{[]string{"sys.databases.is_read_committed_snapshot_on"}, "options", func(p sqlserver.Probe, _ *sqlserver.Table) string {
			if !p.Snapshot || p.Marks.Created == "" {
				return "what the view still tells is not known"
			}
			return ""
		}},
		{[]string{"sys.databases.create_date"}, "options", func(p sqlserver.Probe, _ *sqlserver.Table) string {
			if !p.Snapshot || p.Marks.Created != "" {
				return "what the view still tells is not known"
			}
			return ""
		}},
		{[]string{"SERVERPROPERTY"}, "server's name", func(p sqlserver.Probe, _ *sqlserver.Table) string {
			if p.Marks.Server == "" || p.Marks.Database == "" {
				return "names"
			}
			return ""
		}},
		{[]string{"SERVERPROPERTY", "@@SERVERNAME", "SUSER_SNAME"}, "server's name", none},
		{[]string{"HAS_PERMS_BY_NAME"}, "rights", none},
		{[]string{"sys.dm_tran_database_transactions", "sys.dm_exec_sessions"}, "", none},
		{[]string{"SET LOCK_TIMEOUT"}, "LOCK_TIMEOUT", none},
		{[]string{"SET DEADLOCK_PRIORITY", "SET TEXTSIZE"}, "DEADLOCK_PRIORITY", none},
		{[]string{"SET TRANSACTION ISOLATION LEVEL", "SET NOCOUNT"}, "ISOLATION LEVEL", none},
		{[]string{"SET TRANSACTION ISOLATION LEVEL SNAPSHOT"}, "SNAPSHOT", func(p sqlserver.Probe, _ *sqlserver.Table) string {
			if p.Snapshot {
				return "SNAPSHOT"
			}
			return ""
		}},
		{[]string{"OPTION"}, "hints", none},
		{[]string{"OPTION LOOP JOIN"}, "hints", none},
		{[]string{"sys.columns.is_identity"}, "INFORMATION_SCHEMA", none},
		{[]string{"sys.types"}, "INFORMATION_SCHEMA", none},
		{[]string{"sys.indexes.has_filter"}, "primary keys", func(_ sqlserver.Probe, table *sqlserver.Table) string {
			if table.RowVersionIndexed {
				return "an index of which little is known is used"
			}
			return ""
		}},
		{[]string{"sys.index_columns"}, "primary keys", none},
		{[]string{"rows of sys.index_columns"}, "", none},
		{[]string{"sys.computed_columns", "sys.columns.encryption_type", "sys.columns.is_masked", "sys.columns.is_column_set"}, "", none},
	}
	defer stand.DB().SetOptions(engine.DatabaseOptions{AllowSnapshot: true})
	for _, tt := range tests {
		t.Run(strings.Join(tt.lacks, ", "), func(t *testing.T) {
			stand.DB().SetOptions(engine.DatabaseOptions{AllowSnapshot: true, Lacks: tt.lacks})
			s := db.Source(t)
			table := db.Table(t, s, "a")
			if table.Refused != "" || table.RowVersion != "rv" || len(table.Columns) != 3 || table.Columns[0].Collation == "" {
				t.Fatalf("%+v", table)
			}
			p := probe(t, s, table)
			if wrong := tt.check(p, table); wrong != "" || p.Ceiling == 0 {
				t.Errorf("%s: %+v, %+v", wrong, p, table)
			}
			server, err := s.Inspect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(server.Notes, "; "), tt.note) {
				t.Errorf("notes %q, want one of %q", server.Notes, tt.note)
			}
			if holder, err := s.Holder(t.Context()); holder != "" || err != nil {
				t.Errorf("holder %q, %v", holder, err)
			}
			if err := s.Try(t.Context(), table); err != nil {
				t.Error(err)
			}
			if n, err := s.Count(t.Context(), table); n != 3 || err != nil {
				t.Errorf("count %d, %v", n, err)
			}
			r := s.Reader(table, sqlserver.Limits{ChunkRows: 2})
			var keys [][]byte
			for what, read := range map[string]chunkFunc{"load": r.Load, "keys": r.Keys, "delta": delta(r, 0, p.Ceiling)} {
				got := all(t, read)
				if what == "keys" {
					for _, line := range got {
						keys = append(keys, []byte("["+values(line)+"]"))
					}
				}
				for i := range got {
					got[i] = values(got[i])
				}
				// The direction of a key may not be known.
				slices.Sort(got)
				expected := slices.Clone(want)
				if what == "keys" {
					for i := range expected {
						expected[i] = expected[i][:strings.LastIndexByte(expected[i], ',')]
					}
				}
				slices.Sort(expected)
				same(t, what, expected, got)
			}
			var out lines
			if f, err := r.Lookup(t.Context(), keys, &out.Lines); err != nil || f.Asked < 2 || out.N != f.Asked {
				t.Errorf("lookup: %+v, %v", f, err)
			}
		})
	}
}

// A collation that the server lists and then refuses takes the key with it:
// in which code page its text is compared is not known.
func TestUnknownCollation(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "lack collations on request")
	db.Exec(t, "CREATE TABLE {s}.a (k varchar(10) COLLATE Latin1_General_CS_AS NOT NULL PRIMARY KEY, n varchar(10) NOT NULL UNIQUE)")
	db.Exec(t, "CREATE TABLE {s}.b (k varchar(10) COLLATE Latin1_General_CS_AS NOT NULL PRIMARY KEY)")
	stand.DB().SetOptions(engine.DatabaseOptions{Lacks: []string{"COLLATE Latin1_General_CS_AS"}})
	s := db.Source(t)
	if table := db.Table(t, s, "a"); table.Refused != "" || table.Columns[table.Key[0].Index].Name != "n" {
		t.Errorf("a unique index of a known collation is not used: %+v", table)
	}
	if table := db.Table(t, s, "b"); !strings.Contains(table.Refused, "Latin1_General_CS_AS") {
		t.Errorf("refused: %q", table.Refused)
	}
}

// Without a ceiling nothing is read: there is no safe second best.
func TestNoCeiling(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "lack functions on request")
	for _, lack := range []string{"MIN_ACTIVE_ROWVERSION", "@@DBTS"} {
		stand.DB().SetOptions(engine.DatabaseOptions{Lacks: []string{lack}})
		s := db.Source(t)
		_, err := s.Probe(t.Context(), nil)
		if !errors.Is(err, sqlserver.ErrNoCeiling) || !strings.Contains(fault.Hint(err), "MIN_ACTIVE_ROWVERSION") {
			t.Errorf("%s: %v, hint %q", lack, err, fault.Hint(err))
		}
		if _, err := s.Catalog(t.Context()); !errors.Is(err, sqlserver.ErrNoCeiling) {
			t.Errorf("%s: catalog: %v", lack, err)
		}
	}
}

// Views go away and come back under a running source.
func TestViewsGoAway(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "lack views on request")
	db.Exec(t, "CREATE TABLE {s}.a (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	db.Exec(t, "INSERT INTO {s}.a (id) VALUES (1)")
	s := db.Source(t)
	table := db.Table(t, s, "a")
	rows := func() int64 { t.Helper(); return probe(t, s, table).Rows[table.ObjectID] }
	if n := rows(); n != 1 {
		t.Errorf("rows %d", n)
	}
	// An error of the moment is one, and says nothing about the server.
	remove := stand.Inject(mssqltest.Fault{Match: regexp.MustCompile(`sys\.partitions`), Err: mssqltest.LockTimeout})
	if _, err := s.Probe(t.Context(), []*sqlserver.Table{table}); err == nil {
		t.Error("a lock time-out is taken for an answer")
	}
	remove()
	if n := rows(); n != 1 {
		t.Errorf("rows %d after a lock time-out", n)
	}
	stand.DB().SetOptions(engine.DatabaseOptions{AllowSnapshot: true, Lacks: []string{"sys.partitions"}})
	if n := rows(); n != -1 {
		t.Errorf("rows %d", n)
	}
	stand.DB().SetOptions(engine.DatabaseOptions{AllowSnapshot: true})
	if _, err := s.Inspect(t.Context()); err != nil { // looks anew
		t.Fatal(err)
	}
	if n := rows(); n != 1 {
		t.Errorf("rows %d", n)
	}
	// Figures that are 0 are none.
	stand.DB().SetOptions(engine.DatabaseOptions{AllowSnapshot: true, NoRowCounts: true})
	if n := rows(); n != -1 {
		t.Errorf("rows %d", n)
	}
	if n, err := s.Count(t.Context(), table); n != 1 || err != nil {
		t.Errorf("count %d, %v", n, err)
	}
}

// A server that refuses SNAPSHOT with a number of its own, and only when a
// table is read, is read under READ COMMITTED.
func TestSnapshotRefusedAtTheTable(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "refuse SNAPSHOT with another number")
	db.Exec(t, "CREATE TABLE {s}.a (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	db.Exec(t, "INSERT INTO {s}.a (id) VALUES (1), (2)")
	s := db.Source(t)
	table := db.Table(t, s, "a")
	r := s.Reader(table, sqlserver.Limits{ChunkRows: 1})
	defer stand.Inject(mssqltest.Fault{Match: regexp.MustCompile(`(?s)ISOLATION LEVEL SNAPSHOT.*\[a\]`),
		Err: &tds.Error{Number: 33557097, State: 1, Class: 16, Message: "SNAPSHOT is not supported for this table"}})()
	stand.TakeStatements()
	if got := all(t, r.Load); len(got) != 2 {
		t.Errorf("%d rows", len(got))
	}
	refused := 0
	for _, st := range stand.TakeStatements() {
		if st.Err != nil {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("refused %d times; once is enough", refused)
	}
}
