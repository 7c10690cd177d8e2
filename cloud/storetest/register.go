package storetest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/internal/wire"
)

func testRegister(t *testing.T, f *fixture) {
	want := wire.Table{Name: table, Schema: simple, Version: wire.Version{Schema: simple.Fingerprint()}}
	for range 2 { // the second time changes nothing
		got, err := f.Register(t.Context(), customer, table, simple)
		if want.Secret == "" {
			want.Secret = got.Secret
		}
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Fatalf("Register: %v %s", err, d)
		}
	}
	got, err := f.Table(t.Context(), customer, table)
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("Table: %v %s", err, d)
	}
	elsewhere, err := f.Register(t.Context(), other, "dbo.elsewhere", simple)
	if err != nil || len(got.Secret) != 32 || len(elsewhere.Secret) != 32 || got.Secret == elsewhere.Secret {
		t.Errorf("secrets %q and %q, %v", got.Secret, elsewhere.Secret, err)
	}
	if v, err := f.Versions(t.Context(), other); err != nil || len(v.Tables) != 1 {
		t.Errorf("another customer sees %v %v", v, err)
	}
	_, err = f.Register(t.Context(), "nobody", table, simple)
	_ = wantProblem(t, err, wire.NotFound)
}

// change registers another schema and returns the version.
func (s *site) change(t *testing.T, to wire.Schema) wire.Version {
	t.Helper()
	got, err := s.f.Register(t.Context(), s.customer, s.table, to)
	if err != nil {
		t.Fatalf("Register: %v", err)
	}
	if d := cmp.Diff(to, got.Schema); d != "" {
		t.Errorf("registered schema: %s", d)
	}
	s.schema, s.version = to, got.Version
	return got.Version
}

func testColumns(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, simple, `["1",1,"a"]`, `["2",2,"b"]`)

	wider := schema([]string{"id"}, column("d", "bigint"), column("id", "int"), column("c", "nvarchar(40)"))
	v := s.change(t, wider)
	if v.Loaded || v.Epoch != epochA || v.Seq != 1 || v.Rows != 2 || v.Watermark != 100 {
		t.Errorf("after a new column: %+v, want a load to begin in the same epoch", v)
	}
	s.has(t, `["1@1",null,1,"a"]`, `["2@1",null,2,"b"]`)

	a := s.mustApply(t, s.batch(wire.Load, []string{`["1","7",1,"a"]`}, func(h *wire.Header) { h.Cursor = ptr("at 1") }))
	if a.Updated != 1 || a.Unchanged != 0 || a.Version.Loaded {
		t.Errorf("a row sent anew for the column: %+v", a)
	}
	s.has(t, `["1","7",1,"a"]`, `["2@1",null,2,"b"]`)
	s.mustApply(t, s.batch(wire.Load, []string{`["2","8",2,"b"]`}, func(h *wire.Header) { h.Complete, h.Watermark = true, ptr(uint64(100)) }))
	if v := s.read(t); !v.Loaded || v.Cursor != "" {
		t.Errorf("after the load: %+v", v)
	}

	if v := s.change(t, schema([]string{"id"}, column("id", "int"), column("d", "bigint"))); !v.Loaded {
		t.Errorf("a column less makes no load necessary: %+v", v)
	}
	s.has(t, `["1",1,"7"]`, `["2",2,"8"]`)
	if a := s.delta(t, `["3",2,"9"]`); a.Updated != 1 {
		t.Errorf("%+v", a)
	}
	s.has(t, `["1",1,"7"]`, `["3",2,"9"]`)
}

func testWiden(t *testing.T, f *fixture) {
	s := f.loaded(t, customer, schema([]string{"k", "p"}, column("k", "int"), column("p", "decimal(5,2)"), column("n", "smallint"), column("d", "decimal(5,2)"),
		column("t", "datetime2(3)"), column("s", "varchar(4)"), column("b", "varbinary(2)"), column("r", "real")),
		`["1",1,"1.50",-7,"12.30","2026-11-23T10:00:00.120","abcd","AAE=",1.5]`)
	wide := schema([]string{"k", "p"}, column("k", "bigint"), column("p", "decimal(9,4)"), column("n", "int"), column("d", "decimal(20,4)"),
		column("t", "datetime2(6)"), column("s", "nvarchar(max)"), column("b", "varbinary(max)"), column("r", "float"))
	if v := s.change(t, wide); !v.Loaded {
		t.Errorf("wider types hold what is there: %+v", v)
	}
	s.has(t, `["1","1","1.5000",-7,"12.3000","2026-11-23T10:00:00.120000","abcd","AAE=",1.5]`)
	a := s.delta(t, `["2","1","1.5000",70000,"1234567890123456.0001","2026-11-23T10:00:00.123456","ābcdefgh","AAECAw==",1e+300]`)
	if a.Updated != 1 {
		t.Errorf("the key is the same after its type was widened: %+v", a)
	}
	s.has(t, `["2","1","1.5000",70000,"1234567890123456.0001","2026-11-23T10:00:00.123456","ābcdefgh","AAECAw==",1e+300]`)

	narrow := schema([]string{"k", "p"}, column("k", "int"), column("p", "decimal(5,2)"), column("n", "int"), column("d", "decimal(20,4)"),
		column("t", "datetime2(6)"), column("s", "nvarchar(max)"), column("b", "varbinary(max)"), column("r", "float"))
	if v := s.change(t, narrow); v.Loaded {
		t.Errorf("narrower types can have changed the values: %+v", v)
	}

	for _, bad := range []wire.Column{column("n", "nvarchar(10)"), column("n", "bit"), column("d", "decimal(38,30)"), column("b", "nvarchar(10)"), column("t", "date")} {
		conflicting := schema([]string{"k"}, column("k", "int"))
		conflicting.Key = narrow.Key
		conflicting.Columns = nil
		for _, c := range narrow.Columns {
			if c.Name == bad.Name {
				c.Type = bad.Type
			}
			conflicting.Columns = append(conflicting.Columns, c)
		}
		_, err := f.Register(t.Context(), customer, table, conflicting)
		p := wantProblem(t, err, wire.SchemaConflict)
		if !strings.Contains(p.Detail, `"`+bad.Name+`"`) || !strings.Contains(p.Detail, bad.Type.String()) || p.Hint == "" {
			t.Errorf("the problem does not tell what is wrong: %q (%q)", p.Detail, p.Hint)
		}
	}
	if got, err := f.Table(t.Context(), customer, table); err != nil || got.Version.Schema != narrow.Fingerprint() {
		t.Errorf("a refused schema changed the registered one: %v", err)
	}
}

func testShared(t *testing.T, f *fixture) {
	mine := f.loaded(t, customer, schema([]string{"id"}, column("id", "int"), column("a", "int"), column("v", "decimal(5,2)")), `["1",1,10,"1.00"]`)
	theirs := f.loaded(t, other, schema([]string{"id"}, column("v", "decimal(9,4)"), column("id", "bigint"), column("b", "bit")), `["5","2.0001","1",true]`)
	mine.has(t, `["1",1,10,"1.00"]`)
	theirs.has(t, `["5","2.0001","1",true]`)
	mine.delta(t, `["6",1,11,"1.50"]`, `["7",2,null,null]`)
	mine.has(t, `["6",1,11,"1.50"]`, `["7",2,null,null]`)
	theirs.has(t, `["5","2.0001","1",true]`)
	mine.remove(t, `["6",1]`)
	mine.has(t, `["7",2,null,null]`)
	theirs.has(t, `["5","2.0001","1",true]`)

	_, err := f.Register(t.Context(), customer, table, schema([]string{"id"}, column("id", "int"), column("b", "nvarchar(5)")))
	_ = wantProblem(t, err, wire.SchemaConflict)
	mine.has(t, `["7",2,null,null]`)
}

func testKeyChange(t *testing.T, f *fixture) {
	two := schema([]string{"id", "n"}, column("id", "int"), column("n", "int"))
	one := schema([]string{"id"}, column("id", "int"), column("n", "int"))
	s := f.loaded(t, customer, one, `["1",1,1]`)
	_, err := f.Register(t.Context(), customer, table, two)
	if p := wantProblem(t, err, wire.SchemaConflict); p.Hint == "" || !strings.Contains(p.Detail, "id, n") {
		t.Errorf("%q (%q)", p.Detail, p.Hint)
	}
	s.drop(t)
	s.change(t, two)
	s.load(t, `["1",1,1]`, `["1",1,2]`)
	s.has(t, `["1",1,1]`, `["1",1,2]`)

	f.site(t, other, two)
	s.drop(t)
	_, err = f.Register(t.Context(), customer, table, one)
	_ = wantProblem(t, err, wire.SchemaConflict) // the table is empty, but not alone
}

func testHostileNames(t *testing.T, f *fixture) {
	long := strings.Repeat("Länge", 25)
	names := []string{"id", "ID", "Id ", `"; DROP TABLE customers; --`, "customer_id", "CUSTOMER_ID", "_tm_rv", "_tm_epoch", "_TM_RV", "ctid", "xmin", "oid", "rowid",
		"select", "from", "order", "", "日本", "日木", "a'b", `a"b`, "a`b", "a]b", "a\\b", "%s", "$1", "?", ":x", "@x", "a b", "a_b", "a-b",
		long, long[:len(long)-1] + "x", strings.Repeat("x", 128), strings.Repeat("x", 127) + "y", "1", "1a", "\U0001f600"}
	s := wire.Schema{Key: []string{"id", "select"}, Versioning: wire.ByRowVersion}
	row := `["1"`
	for _, n := range names {
		if n == "" {
			continue
		}
		s.Columns = append(s.Columns, wire.Column{Name: n, Type: wire.Type{Kind: wire.NVarChar, Len: 200}})
		row += "," + string(wire.AppendString(nil, n))
	}
	row += "]"
	tables := []string{"dbo.t", "DBO.T", "dbo_t", `t"; DROP TABLE x; --`, "customers", "tables", "sqlite_master", "pg_class", long + long, long + long + "x", "дата.таблица", "a/b", "..", "%00", "t'"}
	var sites []*site
	for _, name := range tables {
		site := f.siteNamed(t, customer, name, s)
		site.load(t, row, `["2"`+strings.Repeat(`,"`+string(name[0]%26+'a')+`"`, len(s.Columns))+"]")
		sites = append(sites, site)
	}
	for i, name := range tables {
		rows := sites[i].rows(t)
		if len(rows) != 2 || rows[0] != row && rows[1] != row {
			t.Errorf("table %q holds %q", name, rows)
		}
	}
	if v, err := f.Versions(t.Context(), customer); err != nil || len(v.Tables) != len(tables) {
		t.Errorf("%d tables, want %d (%v)", len(v.Tables), len(tables), err)
	}
}

func testNotRegistered(t *testing.T, f *fixture) {
	ctx := t.Context()
	s := &site{f: f, customer: customer, table: table, schema: simple, epoch: epochA}
	_, err := s.apply(t, s.batch(wire.Load, nil, func(h *wire.Header) { h.Start = true }))
	_ = wantProblem(t, err, wire.NotFound)
	_, err = s.apply(t, s.batch(wire.Delete, nil))
	_ = wantProblem(t, err, wire.NotFound)
	_, err = f.Table(ctx, customer, table)
	_ = wantProblem(t, err, wire.NotFound)
	_, err = f.Release(ctx, customer, table)
	_ = wantProblem(t, err, wire.NotFound)
	_, err = s.tryDrop(t, writer, false, nil)
	_ = wantProblem(t, err, wire.NotFound)
	_, err = f.Compare(ctx, s.manifest(nil))
	_ = wantProblem(t, err, wire.NotFound)
	_ = wantProblem(t, f.Rows(ctx, customer, table, nil), wire.NotFound)
}
