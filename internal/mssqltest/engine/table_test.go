package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"tidemark/internal/mssqltest/engine"
	"tidemark/internal/mssqltest/tds"
)

func TestRowVersions(t *testing.T) {
	srv := newServer(t, engine.DatabaseOptions{})
	a, b := srv.session(t), srv.session(t)
	a.exec("CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, x int NULL, rv rowversion NOT NULL, INDEX ix_rv (rv))")
	marks := func() string {
		return b.query("SELECT CONVERT(bigint, @@DBTS), CONVERT(bigint, MIN_ACTIVE_ROWVERSION())")
	}
	rows := func() string {
		return b.query("SELECT id, x, CONVERT(bigint, rv) FROM t ORDER BY rv")
	}
	step := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	step("at first", marks(), "2000|2001")
	a.exec("INSERT INTO t (id, x) VALUES (1, 10), (2, 20)")
	step("after INSERT", marks(), "2002|2003")
	step("rows", rows(), "1|10|2001 2|20|2002")
	a.exec("UPDATE t SET x = x WHERE id = 1")
	step("after an UPDATE of nothing", rows(), "2|20|2002 1|10|2003")
	a.exec("DELETE FROM t WHERE id = 2")
	step("DELETE takes none", marks(), "2003|2004")
	a.exec("BEGIN TRAN; INSERT INTO t (id) VALUES (3)")
	b.exec("INSERT INTO t (id) VALUES (4)")
	step("one open", marks(), "2005|2004")
	a.exec("COMMIT")
	step("committed", marks(), "2005|2006")
	a.exec("BEGIN TRAN; INSERT INTO t (id) VALUES (5); ROLLBACK")
	step("rolled back", marks(), "2006|2007")
	step("rows", rows(), "1|10|2003 3|NULL|2004 4|NULL|2005")
	a.exec("UPDATE t SET id = id + 1")
	step("moved keys", b.query("SELECT id FROM t ORDER BY id"), "2 4 5")
}

func TestEqualRowVersions(t *testing.T) {
	for _, c := range []struct {
		scope engine.EqualRowVersions
		want  string
	}{
		{engine.DistinctRowVersions, "2001 2002 2003 2004"},
		{engine.PerStatement, "2001 2001 2002 2002"},
		{engine.PerTransaction, "2001 2001 2001 2001"},
	} {
		s := newServer(t, engine.DatabaseOptions{EqualRowVersions: c.scope}).session(t)
		s.exec("CREATE TABLE t (id int PRIMARY KEY, rv rowversion)", "BEGIN TRAN; INSERT INTO t (id) VALUES (1), (2); INSERT INTO t (id) VALUES (3), (4); COMMIT")
		if got := s.query("SELECT CONVERT(bigint, rv) FROM t ORDER BY id"); got != c.want {
			t.Errorf("scope %d: %s, want %s", c.scope, got, c.want)
		}
	}
}

func TestSelectIntoRepeatsRowVersions(t *testing.T) {
	s := newServer(t, engine.DatabaseOptions{}).session(t)
	s.exec("CREATE TABLE t (id int PRIMARY KEY, rv rowversion)", "INSERT INTO t (id) VALUES (1), (2)",
		"SELECT a.id + 10 * b.id AS id, a.rv INTO t2 FROM t a CROSS JOIN t b")
	if got := s.query("SELECT CONVERT(bigint, rv) FROM t2 ORDER BY id"); got != "2001 2002 2001 2002" {
		t.Error(got)
	}
	s.exec("INSERT INTO t2 (id) VALUES (99)")
	if got := s.query("SELECT CONVERT(bigint, MAX(rv)) FROM t2"); got != "2003" {
		t.Error(got)
	}
}

func TestKeyOrder(t *testing.T) {
	for _, c := range []struct{ typ, values, want string }{
		{"varchar(10)", "('b'), ('A'), ('a b'), ('_x'), ('9'), ('B2')", "_x 9 A a b b B2"},
		{"nvarchar(10)", "(N'e'), (N'\u00e9'), (N'f'), (N'E2')", "e \u00e9 E2 f"},
		{"uniqueidentifier", "('01000000-0000-0000-0000-000000000000'), ('00000000-0000-0000-0000-000000000001'), ('00000000-0000-0000-0100-000000000000')",
			"00000001000000000000000000000000 00000000000000000100000000000000 00000000000000000000000000000001"},
		{"decimal(38,2)", "(-1.5), (0), (12345678901234567890123456789012345.67), (-99), (1.5)",
			"-99.00 -1.50 0.00 1.50 12345678901234567890123456789012345.67"},
		{"varbinary(4)", "(0x0100), (0x02), (0x0101), (0x00FF)", "00FF 0100 0101 02"},
		{"float", "(1.5), (-2.5), (0), (-1)", "-2.5 -1 0 1.5"},
		{"datetime2(7)", "('2024-01-01'), ('1999-12-31T23:59:59.9999999')", "1999-12-31 23:59:59.9999999 +0000 UTC 2024-01-01 00:00:00 +0000 UTC"},
	} {
		s := newServer(t, engine.DatabaseOptions{}).session(t)
		s.exec("CREATE TABLE t (k "+c.typ+" NOT NULL PRIMARY KEY)", "INSERT INTO t VALUES "+c.values)
		if got := s.query("SELECT k FROM t ORDER BY k"); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.typ, got, c.want)
		}
		if got, sorted := s.query("SELECT k FROM t ORDER BY k DESC"), s.query("SELECT k FROM (SELECT TOP (100) k FROM t) d ORDER BY k DESC"); got != sorted {
			t.Errorf("%s: backward %s, sorted %s", c.typ, got, sorted)
		}
	}
}

func TestKeysAreCaseInsensitiveAndPadded(t *testing.T) {
	s := newServer(t, engine.DatabaseOptions{}).session(t)
	s.exec("CREATE TABLE t (k varchar(10) NOT NULL CONSTRAINT pk_t PRIMARY KEY, x int)", "INSERT INTO t VALUES ('abc', 1)")
	_, err := s.try("INSERT INTO t VALUES ('ABC ', 2)")
	if number(err) != 2627 || !strings.Contains(err.Error(), "'pk_t'") || !strings.Contains(err.Error(), "(ABC)") && !strings.Contains(err.Error(), "(abc)") {
		t.Error(err)
	}
	if got := s.query("SELECT k FROM t WHERE k = 'Abc  '"); got != "abc" {
		t.Error(got)
	}
}

func TestAccessPaths(t *testing.T) {
	srv := newServer(t, engine.DatabaseOptions{})
	s := srv.session(t)
	s.exec("CREATE TABLE big (a int NOT NULL, b varchar(10) NOT NULL, c uniqueidentifier NOT NULL, rv rowversion NOT NULL, CONSTRAINT pk PRIMARY KEY (a, b))",
		"CREATE INDEX ix_rv ON big (rv)", "CREATE UNIQUE INDEX ix_c ON big (c DESC)")
	const n = 10000
	if err := srv.db.Fill("big", n, func(i int) []any {
		var g [16]byte
		g[15] = byte(i >> 8)
		g[14] = byte(i)
		return []any{i / 100, fmt.Sprintf("%03d", i%100), g}
	}); err != nil {
		t.Fatal(err)
	}
	int4, vc10, b8 := tds.Type{Kind: tds.Int}, tds.Type{Kind: tds.VarChar, Len: 10}, tds.Type{Kind: tds.VarBinary, Len: 8}
	a, b := param(t, "@a", int4, int64(50)), param(t, "@b", vc10, "098")
	lo, hi := param(t, "@lo", b8, []byte{0, 0, 0, 0, 0, 0, 0x0B, 0xB8}), param(t, "@hi", b8, []byte{0, 0, 0, 0, 0, 0, 0x0B, 0xC2})
	nb := param(t, "@nb", tds.Type{Kind: tds.NVarChar, Len: 10}, "098")
	for _, c := range []struct {
		sql      string
		params   []tds.Param
		rows     int
		examined int64 // at most
		scans    int64
	}{
		{"SELECT TOP (3) a, b FROM big WHERE a >= @a AND (a > @a OR (a = @a AND b > @b)) ORDER BY a, b", []tds.Param{a, b}, 3, 3, 0},
		{"SELECT TOP (3) a, b FROM big WHERE a > @a OR (a = @a AND b > @b) ORDER BY a, b", []tds.Param{a, b}, 3, 3, 0},
		{"SELECT TOP (3) a, b FROM big WHERE a < @a OR (a = @a AND b < @b) ORDER BY a DESC, b DESC", []tds.Param{a, b}, 3, 3, 0},
		{"SELECT a FROM big WHERE a = @a AND b = @b", []tds.Param{a, b}, 1, 1, 0},
		{"SELECT a FROM big WHERE a = CONVERT(int, @a) AND b = CONVERT(varchar(10), @b)", []tds.Param{a, b}, 1, 1, 0},
		{"SELECT a FROM big WHERE a = @a AND b = @nb", []tds.Param{a, nb}, 1, 100, 0},
		{"SELECT rv FROM big WHERE rv > @lo AND rv <= @hi ORDER BY rv", []tds.Param{lo, hi}, 10, 10, 0},
		{"SELECT TOP (5) rv, a, b FROM big WHERE rv > @lo AND rv <= @hi ORDER BY rv, a, b", []tds.Param{lo, hi}, 5, 5, 0},
		{"SELECT big.rv FROM (VALUES (1, '001'), (2, '002'), (3, '777')) v(x, y) JOIN big ON big.a = v.x AND big.b = v.y", nil, 2, 2, 0},
		{"SELECT big.rv FROM big JOIN (VALUES (1, '001'), (2, '002')) v(x, y) ON big.a = v.x AND big.b = v.y", nil, 2, 2, 0},
		{"SELECT a FROM big WHERE a IN (1, 2) AND b IN ('001', '002')", nil, 4, 4, 0},
		{"SELECT MAX(rv) FROM big", nil, 1, 1, 1},
		{"SELECT MIN(a) FROM big WHERE a > 50", nil, 1, 1, 0},
		{"SELECT TOP (1) a, b FROM big ORDER BY a DESC, b DESC", nil, 1, 1, 1},
		{"SELECT TOP (2) c FROM big ORDER BY c", nil, 2, 2, 1},
		{"SELECT COUNT_BIG(*) FROM big", nil, 1, n, 1},
		{"SELECT a FROM big WHERE b = '098'", nil, 100, n, 1},
	} {
		srv.db.ResetStats()
		r, err := s.try(c.sql, c.params...)
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		st := srv.db.Stats()["dbo.big"]
		if len(r.rows) != c.rows || st.Examined > c.examined || st.Scans != c.scans {
			t.Errorf("%s\n%d rows (want %d), %+v, want at most %d examined and %d scans", c.sql, len(r.rows), c.rows, st, c.examined, c.scans)
		}
	}
}

func TestDefinitions(t *testing.T) {
	srv := newServer(t, engine.DatabaseOptions{})
	s := srv.session(t)
	s.exec("CREATE SCHEMA sales", "CREATE TYPE dbo.code FROM varchar(8) NOT NULL",
		"CREATE TABLE sales.orders (id int IDENTITY(10, 5) NOT NULL, c dbo.code, n numeric(9,2) NULL, CONSTRAINT pk_o PRIMARY KEY NONCLUSTERED (id), CONSTRAINT u_o UNIQUE (c))",
		"INSERT INTO sales.orders (c, n) VALUES ('a', 1), ('b', 2)")
	for _, c := range []struct{ sql, want string }{
		{"SELECT id, c, n FROM sales.orders ORDER BY id", "10|a|1.00 15|b|2.00"},
		{"SELECT SCOPE_IDENTITY()", "15"},
		{`SELECT s.name, t.name, c.name, ty.name, c.max_length, c.precision, c.scale, c.is_nullable, c.is_identity
			FROM sys.tables t JOIN sys.schemas s ON s.schema_id = t.schema_id JOIN sys.columns c ON c.object_id = t.object_id
			JOIN sys.types ty ON ty.user_type_id = c.user_type_id ORDER BY c.column_id`,
			"sales|orders|id|int|4|10|0|false|true sales|orders|c|code|8|0|0|false|false sales|orders|n|numeric|5|9|2|true|false"},
		{`SELECT i.name, i.type_desc, i.is_primary_key, i.is_unique_constraint, ic.key_ordinal, c.name FROM sys.indexes i
			LEFT JOIN sys.index_columns ic ON ic.object_id = i.object_id AND ic.index_id = i.index_id
			LEFT JOIN sys.columns c ON c.object_id = ic.object_id AND c.column_id = ic.column_id
			WHERE i.object_id = OBJECT_ID(N'sales.orders') ORDER BY i.index_id`,
			"NULL|HEAP|false|false|NULL|NULL pk_o|NONCLUSTERED|true|false|1|id u_o|NONCLUSTERED|false|true|1|c"},
		{"SELECT SUM(rows) FROM sys.partitions WHERE object_id = OBJECT_ID('sales.orders') AND index_id IN (0, 1)", "2"},
	} {
		if got := s.query(c.sql); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.sql, got, c.want)
		}
	}
	s.exec("ALTER TABLE sales.orders ADD extra int NULL, flag bit NOT NULL DEFAULT 1", "ALTER TABLE sales.orders ALTER COLUMN n decimal(12,4) NULL",
		"ALTER TABLE sales.orders DROP CONSTRAINT u_o", "ALTER TABLE sales.orders DROP COLUMN c", "ALTER TABLE sales.orders ADD rv rowversion",
		"EXEC sp_rename 'sales.orders.extra', 'more', 'COLUMN'", "EXEC sp_rename 'sales.orders', 'sold'", "CREATE UNIQUE CLUSTERED INDEX cx ON sales.sold (n DESC)")
	if got, want := s.query("SELECT id, n, more, flag, CONVERT(bigint, rv) FROM sales.sold"), "15|2.0000|NULL|true|2002 10|1.0000|NULL|true|2001"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.exec("TRUNCATE TABLE sales.sold", "INSERT INTO sales.sold (n) VALUES (7)")
	if got := s.query("SELECT id, n FROM sales.sold"); got != "10|7.0000" {
		t.Error(got)
	}
	s.exec("DROP TABLE sales.sold", "DROP TABLE IF EXISTS sales.sold", "DROP SCHEMA sales", "DROP TYPE code")
	if got := s.query("SELECT COUNT(*) FROM sys.objects"); got != "0" {
		t.Error(got)
	}
}
