package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/microsoft/go-mssqldb/msdsn"
	"github.com/rogpeppe/go-internal/testscript"

	"tidemark/cloud"
	"tidemark/cloud/sqlite"
	"tidemark/internal/command/commandtest"
	"tidemark/sqlserver/sqlservertest"
)

// TestSites runs scripts against a whole site: a SQL Server (the stand-in, or
// a real one: see package sqlservertest) and the cloud over SQLite. In a
// script
//
//	site TABLE...     writes the configuration, with these tables
//	sql BATCH...      changes the source; {s} is the script's own schema
//	rows TABLE        prints the cloud's rows
//	invite            makes a one-time code, $CODE
//	cloud up|down     connects or disconnects the cloud
//	cloud slow        has every batch take a while
//	cloud portal      has something else answer that wants people to log in
//	double TABLE N    doubles the rows of a table (id, v) so many times
//	holds TABLE N     waits until the cloud has so many rows of it
//	holds TABLE N V   the same, of rows whose last value is V
//	equal TABLE       waits until the cloud has the rows of a table (id, v)
//	until COMMAND...  repeats a command until it ends well
//	append FILE LINE... and replace FILE OLD NEW change a file
//	small DIR         makes a directory with room for 1 MiB, where [mounts] holds
//	unzip A.zip       unpacks a bundle into A
//	hides TEXT...     says that no file that was unpacked has a text
//	get URL [HOST]    prints what answers there
//	refuses ADDRESS   says that nobody listens there
//	says RE COMMAND...  has a command say something, whatever it ends with
//	login TABLE       has the source be read by a login without rights on a table
//	transaction HOST PROGRAM BATCH  leaves a transaction open there; without any, ends it
//	secure DAYS       serves the cloud by TLS too, with a certificate that ends then
//
// and datasets have the names of their tables, without the schema.
func TestSites(t *testing.T) {
	files, err := filepath.Glob("testdata/sites/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel() // most of its time is waiting
			s := newSite(t)
			s.t = t
			testscript.Run(t, testscript.Params{
				Files: []string{file}, UpdateScripts: *update, RequireExplicitExec: true,
				Condition: func(c string) (bool, error) {
					return c == "standin" && !s.db.Real() || c == "mounts" && canMount(), nil
				},
				Setup: func(e *testscript.Env) error {
					e.Setenv("TZ", "UTC")
					e.Setenv("TIDEMARK_CONFIG", filepath.Join(e.WorkDir, "tidemark.yaml"))
					e.Setenv("CLOUD_KEY", s.key)
					e.Setenv("GOOD_KEY", s.key)
					e.Setenv("GOOD_DSN", s.db.DSN())
					e.Setenv("WRONG_DSN", wrongPassword(s.db.DSN()))
					e.Setenv("CLOUD_URL", s.server.URL)
					e.Setenv("SQL_DSN", s.db.DSN())
					server, err := msdsn.Parse(s.db.DSN())
					if err != nil {
						return err
					}
					e.Setenv("SQL_SERVER", fmt.Sprintf("%s:%d", server.Host, server.Port))
					e.Setenv("SQL_DATABASE", server.Database)
					e.Setenv("SQL_USER", server.User)
					e.Setenv("SQL_PASSWORD", server.Password)
					e.Setenv("SCHEMA", s.db.Schema)
					return ports(e)
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"exits": commandtest.Exits, "site": s.write, "sql": s.exec, "rows": s.rows, "cloud": s.connect, "until": until,
					"invite": s.invite, "double": s.double, "holds": s.holds, "equal": s.equal,
					"append": appendLine, "replace": replaceText, "unzip": unzip, "hides": hides, "small": small,
					"get": get, "refuses": refuses, "says": says, "login": s.login, "secure": s.secure, "transaction": s.transaction,
				},
			})
		})
	}
}

// A testSite is what is outside of the program.
type testSite struct {
	t      *testing.T
	db     *sqlservertest.DB
	store  *sqlite.Store
	cloud  *cloud.Server
	server *httptest.Server
	key    string
	down   atomic.Bool
	slow   atomic.Bool
	portal atomic.Bool
	open   func() error // ends the transaction that is open
}

func newSite(t *testing.T) *testSite {
	t.Helper()
	s := &testSite{db: sqlservertest.Open(t)}
	var err error
	if s.store, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "cloud.db")); err != nil {
		t.Fatal(err)
	}
	secret, key := cloud.NewKey("acme", time.Now())
	if err := s.store.AddCustomer(t.Context(), cloud.Customer{ID: "acme", Created: time.Now()}, key); err != nil {
		t.Fatal(err)
	}
	s.key = secret
	s.cloud = cloud.New(cloud.Config{Store: s.store})
	s.server = httptest.NewServer(s)
	t.Cleanup(func() {
		s.server.Close()
		if err := s.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *testSite) write(ts *testscript.TestScript, neg bool, tables []string) {
	if neg || len(tables) == 0 {
		ts.Fatalf("usage: site TABLE...")
	}
	var b strings.Builder
	b.WriteString(`customer: acme
cloud: {url: "` + s.server.URL + `", key: "${env:CLOUD_KEY}"}
state_dir: state
log: {level: warn}
defaults: {interval: 1s, limits: {batch_rows: 128}}
source:
  dsn: ${env:SQL_DSN}
  tables:
`)
	for _, t := range tables {
		fmt.Fprintf(&b, "    - {name: %s.%s, dataset: %s}\n", s.db.Schema, t, t)
	}
	ts.Check(os.WriteFile(ts.MkAbs("tidemark.yaml"), []byte(b.String()), 0o600))
}

func (s *testSite) exec(ts *testscript.TestScript, neg bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, batch := range args {
		_, err := s.db.SQL.ExecContext(ctx, s.db.Expand(batch))
		ts.Check(err)
	}
}

func (s *testSite) invite(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: invite")
	}
	code, i := cloud.NewInvitation("acme", time.Now(), time.Hour)
	ts.Check(s.store.Invite(context.Background(), i))
	ts.Setenv("CODE", code)
}

// rows prints what the cloud has of a table, a line for each row.
func (s *testSite) rows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: rows TABLE")
	}
	err := s.store.Rows(context.Background(), "acme", args[0], func(r cloud.Row) error {
		var values []string
		for _, v := range r.Values {
			values = append(values, string(v))
		}
		_, err := fmt.Fprintln(ts.Stdout(), strings.Join(values, " "))
		return err
	})
	ts.Check(err)
}

// table returns the cloud's rows of a table, as lines; none when it has none.
func (s *testSite) table(name string) (lines []string) {
	_ = s.store.Rows(context.Background(), "acme", name, func(r cloud.Row) error {
		lines = append(lines, string(bytes.Join(r.Values, []byte(" "))))
		return nil
	})
	return lines
}

func (s *testSite) double(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: double TABLE N")
	}
	times, err := strconv.Atoi(args[1])
	ts.Check(err)
	for i := range times {
		s.exec(ts, false, []string{fmt.Sprintf("INSERT INTO {s}.%[1]s (id, v) SELECT id + %[2]d, v FROM {s}.%[1]s", args[0], 1<<i)})
	}
}

func (s *testSite) holds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: holds TABLE N [VALUE]")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	wait(ts, strings.Join(args, " "), func() bool {
		lines := s.table(args[0])
		if len(args) == 3 {
			lines = slices.DeleteFunc(lines, func(l string) bool { return !strings.HasSuffix(l, " "+args[2]) })
		}
		return len(lines) >= n
	})
}

func (s *testSite) equal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: equal TABLE")
	}
	wait(ts, "equal "+args[0], func() bool {
		here, err := s.source(args[0])
		ts.Check(err)
		there := s.table(args[0])
		slices.Sort(there)
		return slices.Equal(here, there)
	})
}

// source returns the rows of a table (id, v) as lines, sorted.
func (s *testSite) source(name string) (lines []string, err error) {
	rows, err := s.db.SQL.QueryContext(context.Background(), s.db.Expand("SELECT id, v FROM {s}."+name))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, v int
		if err := rows.Scan(&id, &v); err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprint(id, " ", v))
	}
	slices.Sort(lines)
	return lines, rows.Err()
}

// wait waits for what a running service does.
func wait(ts *testscript.TestScript, what string, holds func() bool) {
	for end := time.Now().Add(scriptPatience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("waited in vain: %s", what)
		}
	}
}

// scriptPatience is how long a script waits. Only one that fails waits for all of it.
const scriptPatience = 5 * time.Minute

func (s *testSite) connect(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: cloud up|down|slow|portal")
	}
	s.down.Store(args[0] == "down")
	s.slow.Store(args[0] == "slow")
	s.portal.Store(args[0] == "portal")
}

// ServeHTTP is the cloud as the network lets it through.
func (s *testSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.down.Load() {
		panic(http.ErrAbortHandler) // the connection breaks
	}
	if s.slow.Load() && strings.HasSuffix(r.URL.Path, "/rows") {
		time.Sleep(50 * time.Millisecond)
	}
	if s.portal.Load() {
		http.Error(w, "<html>Please log in", http.StatusForbidden)
		return
	}
	s.cloud.ServeHTTP(w, r)
}

// until is for what takes the running service a moment.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: until COMMAND...")
	}
	for end := time.Now().Add(scriptPatience); ; {
		began := time.Now()
		if args[0] == "says" && said(ts, args[1:]) || args[0] != "says" && ts.Exec(args[0], args[1:]...) == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("in vain: %v", args)
		}
		time.Sleep(max(50*time.Millisecond, time.Since(began))) // trying takes half of a processor at most
	}
}
