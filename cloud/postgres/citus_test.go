package postgres_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/differ/summary"
	"tidemark/internal/pgtest"
	"tidemark/internal/wire"
)

// standIn has the functions of Citus that citus.sql calls, in the schema where
// Citus has them; they write down what they are asked for.
const standIn = `SET allow_system_table_mods = on;
CREATE TABLE public.cluster (relation regclass PRIMARY KEY, key text);
GRANT ALL ON public.cluster TO PUBLIC;
CREATE FUNCTION pg_catalog.create_reference_table(t regclass) RETURNS void LANGUAGE sql AS 'INSERT INTO public.cluster VALUES (t)';
CREATE FUNCTION pg_catalog.create_distributed_table(t regclass, key text, colocate_with text DEFAULT 'default') RETURNS void LANGUAGE sql AS 'INSERT INTO public.cluster VALUES (t, key)';`

// clustered returns a store whose database citus.sql was run on, with the
// functions of Citus replaced, and the key of every distributed table by its
// name.
func clustered(t *testing.T) (dsn string, conn *pgx.Conn) {
	dsn = pgtest.Start(t)
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	newSite(t, s, "globex", "dbo.before", narrow).load(narrowRows(0, 3, 1), 10)
	s.Close()
	if conn, err = pgx.Connect(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	for _, sql := range []string{standIn, script(t)} {
		if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	return dsn, conn
}

// script is citus.sql without the extension.
func script(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/citus.sql")
	if err != nil {
		t.Fatal(err)
	}
	rest := strings.Replace(string(text), "CREATE EXTENSION IF NOT EXISTS citus;", "", 1)
	if rest == string(text) {
		t.Fatal("citus.sql does not make the extension")
	}
	return rest
}

// A Citus that is too old is told before anything is changed.
func TestCitusVersion(t *testing.T) {
	for version, enough := range map[string]bool{"10.2-4": false, "11.1-1": false, "11.2-1": true, "12.1-1": true} {
		_, conn := open(t, postgres.Options{Connections: 2})
		_, err := conn.PgConn().Exec(t.Context(), "BEGIN;"+standIn+fmt.Sprintf(`
			INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion) VALUES (99999, 'citus', 10, 11, false, '%s');`, version)+
			script(t)+"ROLLBACK").ReadAll()
		if (err == nil) != enough || !enough && !strings.Contains(err.Error(), "Citus 11.2 or later") {
			t.Errorf("%s: %v", version, err)
		}
	}
}

func distributionKeys(t *testing.T, conn *pgx.Conn) map[string]string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT relnamespace::regnamespace || '.' || relname, coalesce(key, '') FROM public.cluster JOIN pg_class ON oid = relation")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	var name, key string
	if _, err := pgx.ForEachRow(rows, []any{&name, &key}, func() error {
		keys[name] = key
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return keys
}

// What Citus asks of a schema: every table is distributed or a reference
// table, every unique index and foreign key of a distributed one has the key.
func TestCitusSchema(t *testing.T) {
	dsn, conn := clustered(t)
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{Connections: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	newSite(t, s, "after", "dbo.after", narrow) // a dataset that comes later
	for sql, what := range map[string]string{
		`SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace IN ('tidemark'::regnamespace, 'data'::regnamespace)
			AND oid::regclass <> 'tidemark.migrations'::regclass AND oid NOT IN (SELECT relation FROM public.cluster)`: "is not in deploy/citus.sql",
		`SELECT i.indexrelid::regclass::text FROM pg_index i JOIN public.cluster c ON c.relation = i.indrelid AND c.key IS NOT NULL
			JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = c.key
			WHERE i.indisunique AND NOT a.attnum = ANY (i.indkey::int2[])`: "is unique without the customer",
		`SELECT k.conname::text FROM pg_constraint k JOIN public.cluster c ON c.relation = k.conrelid AND c.key IS NOT NULL
			JOIN public.cluster o ON o.relation = k.confrelid AND o.key IS NOT NULL
			JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attname = c.key
			WHERE k.contype = 'f' AND NOT a.attnum = ANY (k.conkey)`: "references another customer's rows",
		`SELECT k.conname::text FROM pg_constraint k JOIN public.cluster c ON c.relation = k.conrelid AND c.key IS NULL
			JOIN public.cluster o ON o.relation = k.confrelid AND o.key IS NOT NULL WHERE k.contype = 'f'`: "references a distributed table from a reference table",
		// Registering changes datasets behind a question to all nodes, which Citus refuses then.
		`SELECT k.conname::text FROM pg_constraint k JOIN public.cluster c ON c.relation = k.conrelid AND c.key IS NOT NULL
			JOIN public.cluster o ON o.relation = k.confrelid AND o.key IS NULL WHERE k.contype = 'f'`: "references a reference table from a distributed one",
	} {
		rows, err := conn.Query(t.Context(), sql)
		if err != nil {
			t.Fatal(err)
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			t.Errorf("%s %s", name, what)
		}
	}
	keys := distributionKeys(t, conn)
	for name, key := range keys {
		if key == "customer" && !slices.Contains(postgres.OfCustomer, strings.TrimPrefix(name, "tidemark.")) {
			t.Errorf("removing a customer leaves its rows in %s", name)
		}
	}
	for _, name := range []string{"tidemark.datasets", "tidemark.control"} { // schema and policy, on every node
		if key, known := keys[name]; !known || key != "" {
			t.Errorf("%s is no reference table: %v", name, keys)
		}
	}
	for _, name := range []string{"data.dbo_before", "data.dbo_after"} {
		if keys[name] != "customer_id" {
			t.Errorf("%s is not distributed: %v", name, keys)
		}
	}
}

// A watched is a store whose database is a cluster's, and whose every statement
// is seen, as Postgres itself has understood it.
type watched struct {
	*postgres.Store
	t    *testing.T
	conn *pgx.Conn
	tap  *tap
}

// watch opens a store behind a tap. Somebody else has its table t.
func watch(t *testing.T) *watched {
	dsn, conn := clustered(t)
	for _, setting := range []string{"session_preload_libraries = 'auto_explain'", "auto_explain.log_min_duration = 0", "auto_explain.log_verbose = on",
		"auto_explain.log_format = json", "auto_explain.log_level = notice", "client_min_messages = notice"} {
		exec(t, conn, "ALTER DATABASE "+conn.Config().Database+" SET "+setting)
	}
	other, err := postgres.Open(t.Context(), dsn, postgres.Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	newSite(t, other, "initech", "t", narrow).load(narrowRows(0, 20, 1), 10)
	other.Close()
	tap := newTap(t, fmt.Sprintf("127.0.0.1:%d", conn.Config().Port))
	s, err := postgres.Open(t.Context(), strings.Replace(dsn, fmt.Sprintf(":%d", conn.Config().Port), ":"+tap.port(), 1), postgres.Options{Connections: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &watched{s, t, conn, tap}
}

// check calls wrong for whatever the statements seen do that a cluster cannot,
// or does on more than one node. It returns the distributed tables they were on.
func (w *watched) check(wrong func(sql, what string)) map[string]bool {
	w.t.Helper()
	plans, copies := w.tap.end()
	check, seen := newShardCheck(w.t, w.conn), map[string]bool{}
	for _, text := range plans {
		var p explained
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			w.t.Fatalf("%v in %s", err, text)
		}
		for _, what := range check.statement(p) {
			wrong(p.Query, what)
		}
		for name := range check.touched {
			seen[name] = true
		}
	}
	for _, c := range copies {
		if strings.HasPrefix(c.sql, `COPY "pg_temp".`) { // the stage of the session
			continue
		}
		if !copiesFor.MatchString(c.sql) || !beginsWith.MatchString(c.first) {
			wrong(c.sql, fmt.Sprintf("copies without a customer: %q", c.first))
		}
	}
	w.t.Logf("%d plans, %d copies", len(plans), len(copies))
	return seen
}

// What is copied has the customer in its first column, as text or behind the
// head of the binary form and the length.
var (
	copiesFor  = regexp.MustCompile(`^(?i:copy) \S+ \( ?"?customer(_id)?"?, `)
	beginsWith = regexp.MustCompile(`^(\w+\t|PGCOPY\n(?s:.{14})\x00\x00\x00(?s:.)\w+)`)
)

// Every statement of the hot path reads and writes distributed tables only
// where their key is one customer.
func TestCitusHotPath(t *testing.T) {
	w := watch(t)
	acme := newSite(t, w.Store, "acme", "t", narrow) // registering is rare: see below
	w.tap.begin()
	hotPath(t, w.Store, acme)
	seen := w.check(func(sql, what string) { t.Errorf("%s: %s", what, sql) })
	for _, name := range []string{"data.t", "tidemark.versions", "tidemark.answers", "tidemark.keys", "tidemark.tokens", "tidemark.reports", "tidemark.log", "tidemark.summaries", "tidemark.leaves"} {
		if !seen[name] {
			t.Errorf("the hot path was not on %s: only on %v", name, seen)
		}
	}

	// The check sees what it is there for.
	check := newShardCheck(t, w.conn)
	for _, sql := range []string{"SELECT count(*) FROM tidemark.versions", "DELETE FROM tidemark.log WHERE name = 't'",
		"SELECT FROM tidemark.versions v JOIN tidemark.schemas s ON v.name = s.name WHERE v.customer = 'acme'",
		"INSERT INTO tidemark.log SELECT customer, name, 1, '' FROM tidemark.versions WHERE customer = 'acme' OR name = 't'",
		"SELECT FROM tidemark.versions v JOIN tidemark.schemas s ON v.name = s.name WHERE v.customer = 'acme' AND s.customer = 'initech'",
		"DELETE FROM data.t WHERE ctid = ANY (ARRAY(SELECT ctid FROM data.t WHERE customer_id = 'acme'))",
		"UPDATE tidemark.tokens SET token = gen_random_uuid() WHERE customer = 'acme'",
		"DELETE FROM tidemark.observed WHERE at < clock_timestamp()",
		"INSERT INTO tidemark.tokens VALUES ('acme') ON CONFLICT (customer) DO UPDATE SET token = gen_random_uuid()"} {
		var text string
		if err := w.conn.QueryRow(t.Context(), "EXPLAIN (VERBOSE, FORMAT JSON) "+sql).Scan(&text); err != nil {
			t.Fatal(err)
		}
		var p []explained
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		p[0].Query = sql
		if len(check.statement(p[0])) == 0 {
			t.Errorf("nothing is wrong with %s", sql)
		}
	}
}

// hotPath does what agents cause.
func hotPath(t *testing.T, s *postgres.Store, acme *site) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	acme.load(narrowRows(0, 3000, 1), 1000)
	for range 3 { // changes, of which a second batch of the same is none
		acme.apply(wire.Delta, texts(narrowRows(2990, 20, 5000))...)
	}
	b := acme.batch(wire.Delta, narrowRows(1, 2, 6000))
	for range 2 { // and one that is sent again
		b.Rows.(*lines).next = 0
		_, err := s.Apply(ctx, b)
		must(err)
	}
	acme.apply(wire.Delete, `["6000",1]`)
	_, err := s.Keys(ctx, "acme")
	must(err)
	_, err = s.Versions(ctx, "acme")
	must(err)
	_, err = s.VersionsToken(ctx, "acme")
	must(err)
	_, err = s.Table(ctx, "acme", "t")
	must(err)
	must(s.PutReport(ctx, cloud.Report{Customer: "acme", Received: time.Now(), Document: []byte("{}")}))
	_, _, err = s.Documents(ctx, -1)
	must(err)
	_, err = s.Summarize(ctx, "acme", "t") // made by now or not
	must(err)
	tree, err := s.Tree(ctx, "acme", "t")
	must(err)
	node := tree.Nodes[0].Node
	_, err = s.Leaves(ctx, "acme", "t", summary.LeavesQuestion{Layout: tree.Layout.Number, Nodes: []summary.Node{node}})
	must(err)
	question := summary.CompareQuestion{Layout: tree.Layout.Number, Width: 8, Leaves: []summary.LeafPrints{{Leaf: summary.Leaf{Node: node}}}}
	must(s.Differences(ctx, "acme", "t", question, func(summary.LeafDifference) error { return nil }))
	m := cloud.Manifest{Customer: "acme", Table: "t", Schema: acme.schema, Bytes: 1 << 16,
		Header: wire.ManifestHeader{Protocol: wire.Protocol, Mode: wire.List, Epoch: epoch, Schema: acme.schema.Fingerprint(), Limit: 100}}
	var page wire.Lines
	first, err := s.List(ctx, m, &page)
	must(err)
	m.Header.After = first.Next
	_, err = s.List(ctx, m, &page)
	must(err)
	m.Header.Mode, m.Header.After, m.Header.Rows = wire.Compare, "", 1
	m.Rows = &lines{types: acme.schema.KeyTypes(), text: [][]byte{[]byte(`["5",5]`)}}
	_, err = s.Compare(ctx, m)
	must(err)
}

func texts(rows [][]byte) []string {
	all := make([]string, len(rows))
	for i, r := range rows {
		all[i] = string(r)
	}
	return all
}
