package postgres_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
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
	text, err := os.ReadFile("../../deploy/citus.sql")
	if err != nil {
		t.Fatal(err)
	}
	script := strings.Replace(string(text), "CREATE EXTENSION IF NOT EXISTS citus;", "", 1)
	if script == string(text) {
		t.Fatal("citus.sql does not make the extension")
	}
	for _, sql := range []string{standIn, script} {
		if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	return dsn, conn
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
	for _, name := range []string{"data.dbo_before", "data.dbo_after"} {
		if keys[name] != "customer_id" {
			t.Errorf("%s is not distributed: %v", name, keys)
		}
	}
}

// Every statement of the hot path, as Postgres itself has understood it, reads
// and writes distributed tables only where their key is one customer.
func TestCitusHotPath(t *testing.T) {
	dsn, conn := clustered(t)
	for _, setting := range []string{"session_preload_libraries = 'auto_explain'", "auto_explain.log_min_duration = 0", "auto_explain.log_verbose = on",
		"auto_explain.log_format = json", "auto_explain.log_level = notice", "client_min_messages = notice"} {
		exec(t, conn, "ALTER DATABASE "+conn.Config().Database+" SET "+setting)
	}
	other, err := postgres.Open(t.Context(), dsn, postgres.Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	newSite(t, other, "initech", "t", narrow).load(narrowRows(0, 20, 1), 10) // somebody else has the table
	other.Close()
	tap := newTap(t, fmt.Sprintf("127.0.0.1:%d", conn.Config().Port))
	s, err := postgres.Open(t.Context(), strings.Replace(dsn, fmt.Sprintf(":%d", conn.Config().Port), ":"+tap.port(), 1), postgres.Options{Connections: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	acme := newSite(t, s, "acme", "t", narrow) // registering is rare, and asks whether others have the table
	tap.begin()
	hotPath(t, s, acme)
	plans, copies := tap.end()
	keys := distributionKeys(t, conn)
	position := map[string]int{} // of the key in a row
	for name, key := range keys {
		if key != "" {
			var at int
			if err := conn.QueryRow(t.Context(), "SELECT attnum - 1 FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace::regnamespace || '.' || relname = $1 AND attname = $2", name, key).Scan(&at); err != nil {
				t.Fatal(err)
			}
			position[name] = at
		}
	}
	check := shardCheck{keys: keys, position: position, customer: "acme"}
	seen := map[string]bool{}
	for _, text := range plans {
		var p explained
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		for _, wrong := range check.node(p.Plan, nil) {
			t.Errorf("%s: %s", wrong, p.Query)
		}
		for name := range check.touched {
			seen[name] = true
		}
	}
	for _, name := range []string{"data.t", "tidemark.versions", "tidemark.answers", "tidemark.keys", "tidemark.tokens", "tidemark.reports", "tidemark.log", "tidemark.summaries", "tidemark.leaves"} {
		if !seen[name] {
			t.Errorf("the hot path was not on %s: only on %v", name, seen)
		}
	}
	for _, c := range copies {
		if strings.HasPrefix(c.sql, `COPY "pg_temp".`) { // the stage of the session
			continue
		}
		if !strings.Contains(c.sql, "(customer_id, ") || !strings.HasPrefix(c.first, "acme\t") {
			t.Errorf("copied without the customer: %s: %q", c.sql, c.first)
		}
	}
	t.Logf("%d plans, %d copies", len(plans), len(copies))

	// The check sees what it is there for.
	for _, sql := range []string{"SELECT count(*) FROM tidemark.versions", "DELETE FROM tidemark.log WHERE name = 't'",
		"SELECT FROM tidemark.versions v JOIN tidemark.schemas s ON v.name = s.name WHERE v.customer = 'acme'",
		"INSERT INTO tidemark.log SELECT customer, name, 1, '' FROM tidemark.versions WHERE customer = 'acme' OR name = 't'",
		"SELECT FROM tidemark.versions WHERE customer = 'globex'"} {
		var text string
		if err := conn.QueryRow(t.Context(), "EXPLAIN (VERBOSE, FORMAT JSON) "+sql).Scan(&text); err != nil {
			t.Fatal(err)
		}
		var p []explained
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		if len(check.node(p[0].Plan, nil)) == 0 {
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

// explained is a plan as EXPLAIN writes it.
type explained struct {
	Query string `json:"Query Text"`
	Plan  planNode
}

type planNode struct {
	Type      string `json:"Node Type"`
	Operation string
	Schema    string
	Relation  string `json:"Relation Name"`
	Output    []string
	Filter    string
	Index     string `json:"Index Cond"`
	Recheck   string `json:"Recheck Cond"`
	TID       string `json:"TID Cond"`
	Plans     []planNode
}

// A shardCheck holds plans against the keys of a cluster.
type shardCheck struct {
	keys     map[string]string // by table; "" for reference tables
	position map[string]int
	customer string
	touched  map[string]bool
}

// node returns what is wrong with a part of a plan. The statement's
// distributed tables are added to touched.
func (c *shardCheck) node(n planNode, above *planNode) (wrong []string) {
	if above == nil {
		c.touched = map[string]bool{}
	}
	name := n.Schema + "." + n.Relation
	key, known := c.keys[name]
	switch {
	case n.Relation == "" || strings.HasPrefix(n.Schema, "pg_"):
	case !known:
		wrong = append(wrong, "a table of no kind: "+name)
	case key == "":
	case n.Type == "ModifyTable" && n.Operation == "Insert":
		c.touched[name] = true
		if out := n.Plans[0].Output; len(out) <= c.position[name] || !c.is(out[c.position[name]]) {
			wrong = append(wrong, fmt.Sprintf("inserts into %s for a customer that is no constant: %v", name, out))
		}
	case n.Type == "ModifyTable": // its scan is below
	default:
		c.touched[name] = true
		bound := regexp.MustCompile(`\(?(?:\w+\.)?` + key + ` = '` + c.customer + `'::text`)
		if !bound.MatchString(strings.Join([]string{n.Filter, n.Index, n.Recheck, n.TID}, " ")) {
			wrong = append(wrong, fmt.Sprintf("%s of %s for no one customer (%s %s %s)", n.Type, name, n.Index, n.Recheck, n.Filter))
		}
	}
	for _, p := range n.Plans {
		wrong = append(wrong, c.node(p, &n)...)
	}
	return wrong
}

func (c *shardCheck) is(output string) bool { return output == "'"+c.customer+"'::text" }

// A tap is between a store and its server, and reads along: the plans that the
// server tells as notices, and the rows that are copied in.
type tap struct {
	startup func([]byte) []byte // changes the first message, at its length; nil: not
	l       net.Listener
	server  string
	wg      sync.WaitGroup

	mu     sync.Mutex
	on     bool
	plans  []string
	copies []copied
}

type copied struct{ sql, first string }

func newTap(t *testing.T, server string) *tap {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{l: l, server: server}
	p.wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.wg.Wait()
	})
	return p
}

func (p *tap) port() string {
	_, port, _ := net.SplitHostPort(p.l.Addr().String())
	return port
}

func (p *tap) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on = true
}

func (p *tap) end() ([]string, []copied) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on = false
	return slices.Clone(p.plans), slices.Clone(p.copies)
}

func (p *tap) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	var both sync.WaitGroup
	both.Go(func() {
		defer server.Close()
		var size [4]byte // the first message has no kind
		if _, err := io.ReadFull(client, size[:]); err != nil {
			return
		}
		rest := make([]byte, binary.BigEndian.Uint32(size[:])-4)
		if _, err := io.ReadFull(client, rest); err != nil {
			return
		}
		if p.startup != nil {
			rest = p.startup(rest)
		}
		if _, err := server.Write(append(size[:], rest...)); err != nil {
			return
		}
		var sql string
		messages(client, server, func(kind byte, body []byte) {
			switch kind {
			case 'Q', 'P':
				if i := bytes.Index(body, []byte("COPY ")); i >= 0 {
					sql = strings.TrimRight(string(body[i:]), "\x00")
				}
			case 'd':
				if p.on && sql != "" {
					first, _, _ := strings.Cut(string(body), "\n")
					p.copies = append(p.copies, copied{sql, first})
					sql = ""
				}
			}
		}, &p.mu)
	})
	both.Go(func() {
		defer client.Close()
		messages(server, client, func(kind byte, body []byte) {
			if i := bytes.Index(body, []byte("plan:\n")); kind == 'N' && i >= 0 && p.on {
				text, _, _ := bytes.Cut(body[i+len("plan:\n"):], []byte{0})
				p.plans = append(p.plans, string(text))
			}
		}, &p.mu)
	})
	both.Wait()
}

// messages hands messages on, after see has seen them.
func messages(from io.Reader, to io.Writer, see func(kind byte, body []byte), mu *sync.Mutex) {
	for {
		var head [5]byte
		if _, err := io.ReadFull(from, head[:]); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		mu.Lock()
		see(head[0], body)
		mu.Unlock()
		if _, err := to.Write(append(head[:], body...)); err != nil {
			return
		}
	}
}
