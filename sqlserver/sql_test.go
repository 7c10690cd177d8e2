package sqlserver

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Parts of tables as the catalog gives them.
func col(id int, name, typ string, length int) rawColumn {
	return rawColumn{id: id, name: name, alias: typ, typ: declared{name: typ, maxLength: length}}
}

func text(id int, name, typ string, length int) rawColumn {
	c := col(id, name, typ, length)
	c.collation = "Latin1_General_CI_AS"
	return c
}

func null(c rawColumn) rawColumn { c.nullable = true; return c }

func scaled(c rawColumn, p, s int) rawColumn { c.typ.precision, c.typ.scale = p, s; return c }

func pk(kind string, columns ...rawKeyColumn) rawIndex {
	return rawIndex{id: 1, kind: kind, unique: true, primary: true, clustered: kind == "CLUSTERED", columns: columns}
}

func ix(id int, columns ...rawKeyColumn) rawIndex {
	return rawIndex{id: id, kind: "NONCLUSTERED", columns: columns}
}

func asc(id int) rawKeyColumn { return rawKeyColumn{id, false} }

// goldenTables are those of the golden files.
func goldenTables() map[string]*Table {
	return map[string]*Table{
		"simple": (&rawTable{
			schema: "dbo", name: "orders",
			columns: []rawColumn{col(1, "id", "int", 4), null(text(2, "note", "nvarchar", 200)), col(3, "rv", "timestamp", 8)},
			indexes: []rawIndex{pk("CLUSTERED", asc(1)), ix(2, asc(3))},
		}).table(),
		"composite": (&rawTable{
			schema: "sales data", name: "a]b",
			columns: []rawColumn{
				text(1, "tenant", "varchar", 30), col(2, "day", "date", 3), col(3, "n", "bigint", 8),
				null(scaled(col(4, "price", "decimal", 9), 18, 4)), col(5, "row_version", "timestamp", 8),
			},
			indexes: []rawIndex{pk("CLUSTERED", asc(1), rawKeyColumn{2, true}, asc(3))},
		}).table(),
		"heap": (&rawTable{
			schema: "dbo", name: "heap",
			columns: []rawColumn{col(1, "id", "uniqueidentifier", 16), col(2, "rv", "timestamp", 8)},
			indexes: []rawIndex{pk("NONCLUSTERED", asc(1)), ix(2, asc(2))},
		}).table(),
		"large": (&rawTable{
			schema: "dbo", name: "documents",
			columns: []rawColumn{
				scaled(col(1, "at", "datetimeoffset", 10), 34, 7), null(text(2, "body", "nvarchar", -1)), null(col(3, "scan", "image", 16)),
				null(col(4, "meta", "xml", -1)), null(col(5, "place", "geography", -1)), null(col(6, "any", "sql_variant", 8016)),
			},
			indexes: []rawIndex{pk("CLUSTERED", asc(1))},
		}).table(),
	}
}

// keyTypes is a table with a column of every type in its key.
func keyTypes() *Table {
	return (&rawTable{
		schema: "dbo", name: "key types",
		columns: []rawColumn{
			col(1, "bit", "bit", 1), col(2, "tiny", "tinyint", 1), col(3, "real", "real", 4), col(4, "float", "float", 8), col(5, "money", "money", 8),
			scaled(col(6, "dec", "numeric", 17), 38, 10), scaled(col(7, "time", "time", 5), 16, 7), col(8, "small", "smalldatetime", 4),
			col(9, "dt", "datetime", 8), scaled(col(10, "dt2", "datetime2", 8), 27, 7), text(11, "char", "char", 10), text(12, "nchar", "nchar", 20),
			col(13, "bin", "binary", 16), col(14, "vbin", "varbinary", 32), col(15, "node", "hierarchyid", 892), col(16, "rv", "timestamp", 8),
		},
		indexes: []rawIndex{pk("CLUSTERED", asc(1), asc(2), asc(3), asc(4), asc(5), asc(6), asc(7), asc(8), asc(9), asc(10), asc(11), asc(12), asc(13), asc(14), asc(15)), ix(2, asc(16))},
	}).table()
}

// Every type of key column is compared with a parameter converted to its very
// type, so that the index is sought.
func TestKeyConditions(t *testing.T) {
	table := keyTypes()
	if table.Refused != "" {
		t.Fatal(table.Refused)
	}
	golden(t, "key conditions.sql", strings.ReplaceAll(level(table.keyTerms(), len(table.Key)), " AND ", "\nAND ")+"\n")
}

// Where varchar holds all text, a collation that the server does not know is
// not named.
func TestKeyOfUnknownCollation(t *testing.T) {
	table := keyTypes()
	i := table.Key[10].Index
	for use, want := range map[collationUse]string{
		collateByName:  "t.[char] > CONVERT(char(10), @k0 COLLATE Latin1_General_CI_AS)",
		collateNothing: "t.[char] > CONVERT(char(10), @k0)",
	} {
		table.Columns[i].collating = use
		one := Table{Columns: table.Columns, Key: []KeyColumn{{Index: i}}}
		if got := level(one.keyTerms(), 1); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	table.Columns[i].collating = collateUnknown
	if table.Columns[i].keyable() == "" {
		t.Error("a key in a code page that is not known is used")
	}
}

func TestStatements(t *testing.T) {
	for name, table := range goldenTables() {
		t.Run(name, func(t *testing.T) {
			if table.Refused != "" {
				t.Fatal(table.Refused)
			}
			var b strings.Builder
			add := func(what, text string) { fmt.Fprintf(&b, "-- %s\n%s\n", what, text) }
			rows, keys := rowPlan(table), keyPlan(table)
			order := table.keyTerms()
			add("load, first", rows.firstPage(order, ""))
			add("load, next", rows.nextPage(order, ""))
			add("keys, first", keys.firstPage(order, ""))
			add("lookup of one key", rows.lookup(1))
			add("count", table.countSQL())
			add("count, one window", bareKeyPlan(table).countWindow(order, len(order)))
			switch {
			case table.RowVersionIndexed:
				add("delta, first", rows.firstPage(table.versionTerms(), table.deltaRange()))
				add("delta, next", rows.nextPage(table.versionTerms(), table.deltaEnd()))
				add("high", table.highSQL())
				if !table.rvOrder {
					add("bound", table.boundSQL())
				}
			case table.RowVersion != "":
				add("window, first", rows.window(order, 0))
				add("window, next", rows.window(order, len(order)))
			}
			golden(t, name+".sql", b.String())
		})
	}
}

func TestCatalogStatements(t *testing.T) {
	var b strings.Builder
	b.WriteString("-- catalog\n" + tablesSQL + columnsSQL + indexesSQL)
	for _, x := range catalogExtras {
		b.WriteString("-- " + x.what + "\n" + x.sql + "\n")
		if x.instead != "" {
			b.WriteString("-- or\n" + x.instead + "\n")
		}
	}
	b.WriteString("-- where views lack something\n" + standardColumnsSQL + standardKeysSQL)
	b.WriteString("-- probe\n" + ceilingPart.sql)
	for _, p := range markParts {
		b.WriteString(p.sql)
		for _, small := range p.smaller {
			b.WriteString(small.sql)
		}
	}
	b.WriteString(rowsSQL([]int32{1, 22, 333}))
	b.WriteString("-- holder\n" + holderSQL)
	var d dialect
	b.WriteString("-- settings\n" + d.head(defaultLimits, isolationSnapshot))
	b.WriteString(d.head(defaultLimits, isolationCommitted))
	golden(t, "source.sql", b.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-golden +got):\n%s", name, diff)
	}
}
