package sqlserver_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/engine"
	"tidemark/internal/mssqltest/tds"
	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
)

func TestProbe(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	db.Exec(t, "CREATE TABLE {s}.a (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	db.Exec(t, "CREATE TABLE {s}.b (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	db.Exec(t, "INSERT INTO {s}.a (id) VALUES (1), (2), (3)")
	a, b := db.Table(t, s, "a"), db.Table(t, s, "b")
	p := probe(t, s, a, b)
	if p.Rows[a.ObjectID] != 3 {
		t.Errorf("%d rows in a, want 3", p.Rows[a.ObjectID])
	}
	if n, asked := p.Rows[b.ObjectID]; n != -1 || !asked {
		t.Errorf("rows in an empty table: %d, %v; a figure of 0 tells nothing", n, asked)
	}
	if p.DBTS == 0 || p.Ceiling == 0 || !db.Real() && (p.Ceiling != p.DBTS || p.InFlight) {
		t.Errorf("at rest: %+v", p) // others may be at work in a real server
	}
	if p.Marks.Database == "" || p.Marks.Created == "" {
		t.Errorf("marks: %+v", p.Marks)
	}
	if again := probe(t, s, a, b); again.Marks != p.Marks {
		t.Errorf("marks change of themselves: %+v, %+v", p.Marks, again.Marks)
	}

	tx, err := db.SQL.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), db.Expand("INSERT INTO {s}.b (id) VALUES (7)")); err != nil {
		t.Fatal(err)
	}
	db.Exec(t, "INSERT INTO {s}.a (id) VALUES (4)")
	open := probe(t, s, a)
	if !open.InFlight || open.Ceiling < p.Ceiling || open.Ceiling >= open.DBTS || !db.Real() && open.Ceiling+2 != open.DBTS {
		t.Errorf("with an open transaction: %+v, before %+v", open, p)
	}
	for _, line := range all(t, s.Reader(a, sqlserver.Limits{}).Load) {
		if values(line) == "4" && version(t, line) <= open.Ceiling {
			t.Errorf("the ceiling %d is not below what was written after the open transaction's row: %s", open.Ceiling, line)
		}
	}
	holder, err := s.Holder(t.Context())
	if err != nil {
		t.Error(err)
	}
	if !db.Real() && !regexp.MustCompile(`^session \d+ of sa.*open for`).MatchString(holder) {
		t.Errorf("holder %q", holder)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if after := probe(t, s, a); after.Ceiling < open.Ceiling || !db.Real() && (after.InFlight || after.Ceiling != after.DBTS) {
		t.Errorf("after the commit: %+v", after)
	}
}

// A cycle over tables that are unchanged costs one statement.
func TestProbeIsOneRoundTrip(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "count the statements that reach it")
	s := db.Source(t)
	var tables []*sqlserver.Table
	for i := range 50 {
		db.Exec(t, fmt.Sprintf("CREATE TABLE {s}.t%d (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)", i))
	}
	all, err := s.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tables = append(tables, all...)
	probe(t, s, tables...)
	stand.TakeStatements()
	for range 3 {
		probe(t, s, tables...)
	}
	got := stand.TakeStatements()
	if len(got) != 3 {
		t.Fatalf("%d statements for 3 probes", len(got))
	}
	if got[0].SQL != got[2].SQL {
		t.Error("the probe's text changes")
	}
}

func TestInspect(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	server, err := s.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if server.Version == "" || server.Login == "" || server.Database == "" || len(server.Rights) == 0 {
		t.Errorf("%+v", server)
	}
	if !db.Real() && !server.Snapshot {
		t.Error("SNAPSHOT is allowed, but not seen")
	}
}

func TestCatalogOfAliasTypesAndIndexes(t *testing.T) {
	db := sqlservertest.Open(t)
	s := db.Source(t)
	db.Exec(t, "CREATE TYPE {s}.phone FROM varchar(20) NOT NULL")
	db.Exec(t, `CREATE TABLE {s}.[odd ]] name] (
 a int IDENTITY(1,1) NOT NULL, code {s}.phone NOT NULL, [sel.ect] nvarchar(10) NULL, version rowversion NOT NULL,
 CONSTRAINT [pk odd] PRIMARY KEY NONCLUSTERED (a DESC))`)
	db.Exec(t, "CREATE UNIQUE CLUSTERED INDEX [cx odd] ON {s}.[odd ]] name] (code)")
	db.Exec(t, "CREATE INDEX [ix odd] ON {s}.[odd ]] name] (version) INCLUDE ([sel.ect])")
	db.Exec(t, "INSERT INTO {s}.[odd ]] name] (code, [sel.ect]) VALUES ('1', N'x'), ('2', NULL)")
	table := db.Table(t, s, "odd ] name")
	if table.Refused != "" || table.RowVersion != "version" || !table.RowVersionIndexed || table.KeyClustered {
		t.Errorf("%+v", table)
	}
	if len(table.Key) != 1 || !table.Key[0].Desc || table.Columns[table.Key[0].Index].Name != "a" || !table.Columns[table.Key[0].Index].Identity {
		t.Errorf("key %+v of %+v", table.Key, table.Columns)
	}
	if c := table.Columns[1]; c.Type.String() != "varchar(20)" || c.Declared != "phone" || c.Collation == "" || c.Nullable {
		t.Errorf("alias type: %+v", c)
	}
	want := []string{`2,"2",null`, `1,"1","x"`}
	for i, line := range all(t, s.Reader(table, sqlserver.Limits{ChunkRows: 1}).Load) {
		if values(line) != want[i] {
			t.Errorf("got %s, want %s", line, want[i])
		}
	}
	// What the advice says is what the catalog then finds.
	db.Exec(t, "CREATE TABLE {s}.bare (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	db.Exec(t, sqlserver.IndexAdvice(db.Table(t, s, "bare")))
	if bare := db.Table(t, s, "bare"); !bare.RowVersionIndexed {
		t.Error("the index advised serves no delta")
	}
}

// A login sees and reads what it was granted, and is told what it lacks.
func TestPermissions(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "make logins")
	db.Exec(t, "CREATE TABLE {s}.mine (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	db.Exec(t, "CREATE TABLE {s}.other (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	login := stand.AddLogin(&engine.Login{Name: "sync", Password: "x", ViewDefinition: true})
	login.Grant(db.Schema + ".mine")
	s := db.Source(t, func(c *sqlserver.Config) { c.User, c.Password = "sync", "x" })
	if err := s.Try(t.Context(), db.Table(t, s, "mine")); err != nil {
		t.Error(err)
	}
	other := db.Table(t, s, "other")
	err := s.Try(t.Context(), other)
	if class, hint := sqlserver.Classify(err); class != sqlserver.ClassPermission || hint == "" {
		t.Errorf("%s: %v", class, err)
	}
	holder, err := s.Holder(t.Context())
	if holder != "" || err != nil {
		t.Errorf("holder without the right to see it: %q, %v", holder, err)
	}
	login.Grant(db.Schema + ".other")
	if err := s.Try(t.Context(), other); err != nil {
		t.Errorf("after the grant: %v", err)
	}
	wrong := db.Source(t, func(c *sqlserver.Config) { c.Password = "wrong" })
	_, err = wrong.Probe(t.Context(), nil)
	if class, hint := sqlserver.Classify(err); class != sqlserver.ClassLogin || hint == "" || strings.Contains(err.Error(), "wrong") {
		t.Errorf("%s: %v", class, err)
	}
	stand.DB().SetState("RESTORING")
	defer stand.DB().SetState("ONLINE")
	_, err = db.Source(t).Probe(t.Context(), nil)
	if class, _ := sqlserver.Classify(err); class != sqlserver.ClassDatabase {
		t.Errorf("%s: %v", class, err)
	}
}

// Under SNAPSHOT nothing waits for a writer; under READ COMMITTED the wait for
// its lock ends with the lock time-out.
func TestIsolation(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "turn SNAPSHOT isolation off and on")
	db.Exec(t, "CREATE TABLE {s}.a (id int NOT NULL PRIMARY KEY, v int NOT NULL, rv rowversion NOT NULL)")
	db.Exec(t, "INSERT INTO {s}.a (id, v) VALUES (1, 1), (2, 2)")
	tx, err := stand.DB().Begin(t.Context(), tds.ReadCommitted)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Exec(t.Context(), db.Expand("UPDATE {s}.a SET v = 3 WHERE id = 1")); err != nil {
		t.Fatal(err)
	}
	limits := sqlserver.Limits{LockTimeout: 50 * time.Millisecond}
	s := db.Source(t)
	table := db.Table(t, s, "a")
	r := s.Reader(table, limits)
	want := []string{"1,1", "2,2"}
	check := func(what string) {
		t.Helper()
		var got []string
		for _, line := range all(t, r.Load) {
			got = append(got, values(line))
		}
		if !slices.Equal(want, got) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	check("under SNAPSHOT")
	stand.DB().SetOptions(engine.DatabaseOptions{})
	var out lines
	_, err = r.Load(t.Context(), "", &out.Lines)
	if class, _ := sqlserver.Classify(err); class != sqlserver.ClassLocked || out.N != 0 || len(out.Buf) != 0 {
		t.Errorf("SNAPSHOT was turned off: %s: %v", class, err)
	}
	stand.DB().SetOptions(engine.DatabaseOptions{ReadCommittedSnapshot: true})
	check("under READ COMMITTED with row versions")
	stand.DB().SetOptions(engine.DatabaseOptions{AllowSnapshot: true})
	probe(t, s)
	stand.TakeStatements()
	check("under SNAPSHOT again")
	for _, st := range stand.TakeStatements() {
		if !strings.Contains(st.SQL, "ISOLATION LEVEL SNAPSHOT") || !strings.Contains(st.SQL, "LOCK_TIMEOUT 50;") {
			t.Errorf("statement %s", st.SQL)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	want[0] = "1,3"
	check("after the commit")
}

func TestUnreachable(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "be shut down")
	s := db.Source(t)
	probe(t, s)
	stand.Network().DropConnections(true)
	_, err := db.Source(t).Probe(t.Context(), nil)
	if class, hint := sqlserver.Classify(err); class != sqlserver.ClassUnreached || hint == "" {
		t.Errorf("%s: %v", class, err)
	}
	stand.Network().DropConnections(false)
	_, err = db.Source(t, func(c *sqlserver.Config) { c.TrustServerCertificate = false }).Probe(t.Context(), nil)
	if class, hint := sqlserver.Classify(err); class != sqlserver.ClassTLS || hint == "" {
		t.Errorf("%s: %v", class, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	defer stand.Inject(mssqltest.Fault{Delay: time.Minute})()
	_, err = s.Probe(ctx, nil)
	if class, hint := sqlserver.Classify(err); class != sqlserver.ClassTimeout || hint == "" {
		t.Errorf("%s: %v", class, err)
	}
}
