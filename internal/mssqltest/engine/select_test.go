package engine_test

import (
	"testing"

	"tidemark/internal/mssqltest/engine"
)

func TestExpressions(t *testing.T) {
	s := newServer(t, engine.DatabaseOptions{}).session(t)
	for _, c := range []struct{ sql, want string }{
		{"SELECT 1", "1"},
		{"SELECT 7/2, 7%2, -7/2, 7/2.0", "3|1|-3|3.500000"},
		{"SELECT 1 + '2'", "3"},
		{"SELECT N'a' + 'b'", "ab"},
		{"SELECT 0x01 + 0x02", "0102"},
		{"SELECT CONVERT(bigint, 0x00000000000007D1) - 1", "2000"},
		{"SELECT 0x00000000000007D1 - 1", "2000"},
		{"SELECT CONVERT(binary(8), 2001)", "00000000000007D1"},
		{"SELECT CONVERT(binary(8), CONVERT(bigint, 2001))", "00000000000007D1"},
		{"SELECT CAST('12.345' AS decimal(10,2))", "12.35"},
		{"SELECT CAST(12.5 AS int), CAST(CAST(12.5 AS money) AS int)", "12|13"},
		{"SELECT CASE WHEN 'abc' = 'ABC  ' THEN 'same' ELSE 'other' END", "same"},
		{"SELECT CASE WHEN 'abc' = 'ABC' COLLATE Latin1_General_BIN2 THEN 'same' ELSE 'other' END", "other"},
		{"SELECT CASE WHEN N'stra\u00dfe' = N'STRASSE' THEN 1 ELSE 0 END, CASE WHEN N'e' = N'\u00e9' THEN 1 ELSE 0 END", "1|0"},
		{"SELECT CASE WHEN 0x01 = 0x0100 THEN 1 ELSE 0 END", "1"},
		{"SELECT CASE WHEN NULL = NULL THEN 1 ELSE 0 END", "0"},
		{"SELECT CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "b"},
		{"SELECT ISNULL(NULL, 3), COALESCE(NULL, NULL, 4), NULLIF(1, 1)", "3|4|NULL"},
		{"SELECT LEN('ab  '), DATALENGTH('ab  '), DATALENGTH(N'ab'), SUBSTRING('hello', 2, 3), LEFT('hello', 2), RIGHT('hello', 2)", "2|4|4|ell|he|lo"},
		{"SELECT CONVERT(varchar(40), CONVERT(datetime2(3), '2024-02-29T12:34:56.7891'), 126)", "2024-02-29T12:34:56.789"},
		{"SELECT CONVERT(varchar(40), CONVERT(datetime, '20240229 12:34:56.998'), 121)", "2024-02-29 12:34:56.997"},
		{"SELECT CONVERT(nvarchar(40), CONVERT(datetimeoffset(2), '2024-02-29T12:34:56.78+05:30'), 127)", "2024-02-29T07:04:56.78Z"},
		{"SELECT CONVERT(varchar(10), CONVERT(date, '2024-02-29'), 23)", "2024-02-29"},
		{"SELECT CONVERT(varchar(36), CONVERT(uniqueidentifier, '00112233-4455-6677-8899-aabbccddeeff'))", "00112233-4455-6677-8899-AABBCCDDEEFF"},
		{"SELECT CONVERT(binary(16), CONVERT(uniqueidentifier, '00112233-4455-6677-8899-aabbccddeeff'))", "33221100554477668899AABBCCDDEEFF"},
		{"SELECT CONVERT(varchar(20), 0xABCD, 1), CONVERT(varchar(20), 0xABCD, 2), CONVERT(varbinary(4), '0xabcd', 1)", "0xABCD|ABCD|ABCD"},
		{"SELECT HASHBYTES('MD5', 'a')", "0CC175B9C0F1B6A831C399E269772661"},
		{"SELECT CASE WHEN 'abc' LIKE 'A_[b-d]%' THEN 1 ELSE 0 END", "1"},
		{"SELECT SQL_VARIANT_PROPERTY(CONVERT(sql_variant, CONVERT(decimal(9,3), 1.5)), 'BaseType')", "nvarchar(128):decimal"},
		{"DECLARE @a int = 3, @b bigint; SET @b = @a * 2; SELECT @b", "6"},
		{"SELECT x FROM (VALUES (3), (1), (2)) AS v(x) WHERE x IN (1, 3) ORDER BY x DESC", "3 1"},
		{"SELECT 1 WHERE 1 BETWEEN 0 AND 2 UNION ALL SELECT 2.5", "1.0 2.5"},
		{"SELECT COUNT(*), SUM(x), MIN(x), MAX(x), AVG(x) FROM (VALUES (1), (2), (NULL)) v(x)", "3|3|1|2|1"},
		{"SELECT g, COUNT_BIG(*) FROM (VALUES (1,1), (1,2), (2,3)) v(g, x) GROUP BY g HAVING COUNT(*) > 1", "1|2"},
		{"SELECT DISTINCT x FROM (VALUES ('a'), ('A'), ('b')) v(x) ORDER BY x", "a b"},
		{"SELECT (SELECT MAX(y) FROM (VALUES (1), (2)) w(y) WHERE w.y <= v.x) FROM (VALUES (1), (2), (0)) v(x)", "1 2 NULL"},
		{"SELECT x FROM (VALUES (1), (2)) v(x) WHERE EXISTS (SELECT 1 FROM (VALUES (2)) w(y) WHERE y = x)", "2"},
		{"SELECT a.x, b.y FROM (VALUES (1), (2)) a(x) LEFT JOIN (VALUES (2, 'b')) b(z, y) ON b.z = a.x ORDER BY 1", "1|NULL 2|b"},
		{"SELECT x FROM (VALUES (1), (2), (3)) v(x) ORDER BY x OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY", "2"},
		{"IF 1 = 2 SELECT 'a' ELSE SELECT 'b'", "b"},
		{"SELECT @@TRANCOUNT; BEGIN TRAN; SELECT @@TRANCOUNT; COMMIT", "0 1"},
		{"SELECT TOP (2) x FROM (VALUES (1), (2), (3)) v(x)", "1 2"},
	} {
		if got := s.query(c.sql); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.sql, got, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	s := newServer(t, engine.DatabaseOptions{}).session(t)
	s.exec("CREATE TABLE t (id int PRIMARY KEY, a varchar(10), b varbinary(4), rv rowversion)", "CREATE TABLE u (id int PRIMARY KEY)")
	for _, c := range []struct {
		sql  string
		want int32
	}{
		{"SELEC 1", 102}, {"SELECT 1 FROM", 102}, {"SELECT * FROM t WHERE", 102}, {"SELECT 'abc", 105}, {"SELECT id FROM t LIMIT 1", 102},
		{"SELECT id = 1 AND 2 = 2 FROM t", 156}, {"SELECT (1 = 1)", 102}, {"SELECT true", 207}, {"SELECT id FROM t ORDER BY id FETCH NEXT 1 ROWS ONLY", 156},
		{"SELECT * FROM nothing", 208}, {"SELECT nothing FROM t", 207}, {"SELECT id FROM t, u", 209}, {"SELECT x.id FROM t", 4104},
		{"SELECT CONVERT(int, 'abc')", 245}, {"SELECT CONVERT(bigint, 'abc')", 8114}, {"SELECT CONVERT(datetime2, 'abc')", 241},
		{"SELECT CONVERT(uniqueidentifier, 'abc')", 8169}, {"SELECT 1/0", 8134}, {"SELECT 2147483647 + 1", 8115}, {"SELECT @x", 137},
		{"SELECT id, COUNT(*) FROM t", 8120}, {"SELECT * FROM t WITH (NOLOCK)", 40515}, {"WITH c AS (SELECT 1 a) SELECT * FROM c", 40515},
		{"SELECT (SELECT 1 UNION ALL SELECT 2)", 512}, {"SELECT * FROM (SELECT id FROM t ORDER BY id) d", 1033}, {"SELECT * FROM (SELECT 1) d", 8155},
		{"INSERT INTO t (id, rv) VALUES (1, 0x01)", 273}, {"UPDATE t SET rv = 0x01", 272}, {"INSERT INTO t (id, a) VALUES (1, 'abcdefghijk')", 2628},
		{"INSERT INTO t (id, b) VALUES (1, 'abc')", 257}, {"INSERT INTO t (id) VALUES (NULL)", 515}, {"INSERT INTO u VALUES (1), (1)", 2627},
		{"INSERT INTO u VALUES (1, 2)", 213}, {"CREATE TABLE t (id int)", 2714}, {"DROP TABLE nothing", 3701}, {"COMMIT", 3902}, {"ROLLBACK", 3903},
		{"SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED", 40515}, {"SELECT foo(1)", 195}, {"SELECT TOP (-1) id FROM t", 1060},
		{"SELECT * FROM t WITH (INDEX(nothing))", 308}, {"SELECT * FROM t WITH (FORCESEEK)", 8622}, {"SELECT id FROM t UNION ALL SELECT 1, 2", 205},
		{"SELECT CASE WHEN 1 = 1 THEN NULL END", 8133}, {"SELECT DATEADD(day, 1, GETDATE())", 40515}, {"EXEC nothing", 2812},
		{"SELECT 1 /* open", 113}, {"SELECT MAX(CONVERT(bit, 1))", 8117}, {"SELECT CONVERT(decimal(3,1), 100)", 8115},
	} {
		_, err := s.try(c.sql)
		if got := number(err); got != c.want {
			t.Errorf("%s\n got %d %v\nwant %d", c.sql, got, err, c.want)
		}
		if s.Transaction() != 0 {
			t.Fatalf("%s left a transaction open", c.sql)
		}
	}
}
