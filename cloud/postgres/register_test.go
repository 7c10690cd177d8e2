package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// redeclare registers the site's table with other columns.
func (s *site) redeclare(columns string) {
	s.t.Helper()
	var schema wire.Schema
	for _, c := range strings.Split(columns, ";") {
		name, typ, _ := strings.Cut(strings.TrimSpace(c), " ")
		parsed, err := wire.ParseType(typ)
		if err != nil {
			s.t.Fatal(err)
		}
		schema.Columns = append(schema.Columns, wire.Column{Name: name, Type: parsed, Nullable: len(schema.Columns) > 0})
	}
	schema.Key, schema.Versioning = []string{schema.Columns[0].Name}, s.schema.Versioning
	if _, err := s.Register(s.t.Context(), s.customer, s.table, schema); err != nil {
		s.t.Fatal(err)
	}
	s.schema = schema
}

func filenode(t *testing.T, conn *pgx.Conn, table string) (n int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), "SELECT pg_relation_filenode($1::regclass)::int", table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A wider type finds the rows of the narrower one by their keys, and other
// customers go on with the types that they declared. Two stores share the
// database, and only one of them knows at first.
func TestWiden(t *testing.T) {
	for _, c := range []struct {
		before, after string
		keys, wide    []string
		rewrites      bool
	}{
		{"int", "bigint", []string{"7", "-1"}, []string{`"7"`, `"-1"`}, true},
		{"varchar(5)", "nvarchar(400)", []string{`"a"`, `"b "`}, []string{`"a"`, `"b "`}, false},
		{"decimal(5,2)", "decimal(20,4)", []string{`"1.50"`, `"-0.01"`}, []string{`"1.5000"`, `"-0.0100"`}, true},
		{"decimal(5,2)", "decimal(9,2)", []string{`"1.50"`, `"0.00"`}, []string{`"1.50"`, `"0.00"`}, false},
		{"datetime2(3)", "datetime2(6)", []string{`"2026-11-23T10:00:00.120"`}, []string{`"2026-11-23T10:00:00.120000"`}, false},
		{"datetime2(3)", "datetime2(7)", []string{`"2026-11-23T10:00:00.120"`, `"2026-11-23T10:00:00.000"`},
			[]string{`"2026-11-23T10:00:00.1200000"`, `"2026-11-23T10:00:00.0000000"`}, true},
		{"time(0)", "time(7)", []string{`"10:00:00"`}, []string{`"10:00:00.0000000"`}, true},
		{"smallmoney", "money", []string{`"1.5000"`}, []string{`"1.5000"`}, false},
	} {
		t.Run(c.before+" to "+c.after, func(t *testing.T) {
			s, conn := open(t, postgres.Options{})
			other, err := postgres.Open(t.Context(), conn.Config().ConnString(), postgres.Options{Connections: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			acme := newSite(t, s, "acme", "t", "k "+c.before+"; v "+c.before)
			globex := newSite(t, s, "globex", "t", "k "+c.before+"; v "+c.before)
			rows := func(keys []string) (lines []string) {
				for i, k := range keys {
					lines = append(lines, fmt.Sprintf(`["%d",%s,%s]`, i+1, k, k))
				}
				return lines
			}
			for _, at := range []*site{acme, globex} {
				at.load(nil, 1)
				at.apply(wire.Delta, rows(c.keys)...)
			}
			globex.Store = other
			globex.apply(wire.Delta, rows(c.keys)...) // the other store knows the narrow table now
			node := filenode(t, conn, "data.t")
			acme.redeclare("k " + c.after + "; v " + c.after)
			if rewritten := filenode(t, conn, "data.t") != node; rewritten != c.rewrites {
				t.Errorf("the table was rewritten: %t", rewritten)
			}
			for _, at := range []struct {
				*site
				keys []string
			}{{acme, c.wide}, {globex, c.keys}} {
				if a := at.apply(wire.Delta, rows(at.keys)...); a.Unchanged != len(at.keys) {
					t.Errorf("%s: %+v", at.customer, a)
				}
				want := map[string]string{}
				for _, k := range at.keys {
					want[k] = k
				}
				if d := cmp.Diff(want, at.rows()); d != "" {
					t.Errorf("%s: %s", at.customer, d)
				}
			}
		})
	}
}

// Columns of other customers are null, and so is one that a customer has no
// more once its row is written again.
func TestColumnsOfSome(t *testing.T) {
	s, conn := open(t, postgres.Options{})
	acme := newSite(t, s, "acme", "t", "id int; a int; b int")
	acme.load([][]byte{[]byte(`["1",1,10,100]`), []byte(`["2",2,20,200]`)}, 10)
	acme.redeclare("id int; a int")
	if a := acme.apply(wire.Delta, `["3",1,11]`); a.Updated != 1 {
		t.Errorf("%+v", a)
	}
	newSite(t, s, "globex", "t", "id int; c nvarchar(5)").load([][]byte{[]byte(`["1",1,"x"]`)}, 10)
	got, err := pgx.CollectRows(query(t, conn, "SELECT customer_id || ' ' || concat_ws(',', id, coalesce(a::text, '-'), coalesce(b::text, '-'), coalesce(c, '-')) FROM data.t ORDER BY 1"), pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"acme 1,11,-,-", "acme 2,20,200,-", "globex 1,-,-,x"}, got); d != "" {
		t.Error(d)
	}
}

func query(t *testing.T, conn *pgx.Conn, sql string) pgx.Rows {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Registrations at once, of one dataset with different columns and of
// datasets whose identifiers collide, all succeed.
func TestRegisterAtOnce(t *testing.T) {
	s, conn := open(t, postgres.Options{})
	tables := []string{"dbo.orders", "dbo_orders", `DBO "Orders"`, strings.Repeat("long", 30), strings.Repeat("long", 31)}
	var wg sync.WaitGroup
	for i := range 12 {
		customer := fmt.Sprint("c", i)
		site := newSite(t, s, customer, "own "+customer, "id int")
		for _, table := range tables {
			wg.Go(func() {
				schema := site.schema
				schema.Columns = append(slices.Clone(schema.Columns), wire.Column{Name: "column " + customer, Type: wire.Type{Kind: wire.Int}, Nullable: true},
					wire.Column{Name: "customer_id", Type: wire.Type{Kind: wire.Int}, Nullable: true}, wire.Column{Name: "CTID", Type: wire.Type{Kind: wire.Int}, Nullable: true})
				if _, err := s.Register(t.Context(), customer, table, schema); err != nil {
					t.Errorf("%s %q: %v", customer, table, err)
				}
			})
		}
	}
	wg.Wait()
	got, err := pgx.CollectRows(query(t, conn, `SELECT count(*) FROM information_schema.columns c JOIN tidemark.datasets d ON c.table_name = d.identifier
		WHERE c.table_schema = 'data' AND d.name NOT LIKE 'own%' GROUP BY d.name`), pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	columns := 3 + 1 + 12 + 2 // ours, the key, one of each customer, two with reserved names
	if d := cmp.Diff([]int{columns, columns, columns, columns, columns}, got); d != "" {
		t.Error(d)
	}
}

func TestConflictingTypeIsRefused(t *testing.T) {
	s, _ := open(t, postgres.Options{})
	newSite(t, s, "acme", "t", "id int; v int")
	globex := newSite(t, s, "globex", "other", "id int; v date")
	_, err := s.Register(t.Context(), "globex", "t", globex.schema)
	var p *wire.Problem
	if !errors.As(err, &p) || p.Code != wire.SchemaConflict {
		t.Errorf("the error is %v", err)
	}
	if _, err := s.Table(t.Context(), "globex", "t"); !errors.As(err, &p) || p.Code != wire.NotFound {
		t.Errorf("the error is %v", err)
	}
}
