package sqlserver

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func unique(i rawIndex) rawIndex { i.unique = true; return i }

func TestKeyChoice(t *testing.T) {
	id, name, code := col(1, "id", "int", 4), text(2, "name", "nvarchar", 100), col(3, "code", "smallint", 2)
	rv, wide := col(4, "rv", "timestamp", 8), col(5, "wide", "bigint", 8)
	filtered := unique(ix(3, asc(3)))
	filtered.filtered = true
	disabled := unique(ix(3, asc(3)))
	disabled.disabled = true
	hash := pk("NONCLUSTERED HASH", asc(1))
	tests := []struct {
		name    string
		columns []rawColumn
		indexes []rawIndex
		key     []string
		refused string
	}{
		{"primary key", []rawColumn{id, code}, []rawIndex{pk("CLUSTERED", asc(1)), unique(ix(2, asc(3)))}, []string{"id"}, ""},
		{"narrowest unique index", []rawColumn{id, name, code, wide},
			[]rawIndex{unique(ix(2, asc(5))), unique(ix(3, asc(3))), unique(ix(4, asc(1)))}, []string{"code"}, ""},
		{"nullable", []rawColumn{id, null(code)}, []rawIndex{unique(ix(2, asc(3)))}, nil, "neither a primary key"},
		{"filtered", []rawColumn{id, code}, []rawIndex{filtered}, nil, "neither a primary key"},
		{"disabled", []rawColumn{id, code}, []rawIndex{disabled}, nil, "neither a primary key"},
		{"hash index of a primary key, unique index beside", []rawColumn{id, wide}, []rawIndex{hash, unique(ix(2, asc(5)))}, []string{"wide"}, ""},
		{"none", []rawColumn{id}, nil, nil, "neither a primary key"},
		{"rowversion in the primary key", []rawColumn{id, rv}, []rawIndex{pk("CLUSTERED", asc(1), asc(4))}, nil, "column rv is a rowversion"},
		{"rowversion in the primary key, unique index beside", []rawColumn{id, rv, code}, []rawIndex{pk("CLUSTERED", asc(4)), unique(ix(2, asc(3)))}, []string{"code"}, ""},
		{"sql_variant in the primary key", []rawColumn{col(1, "v", "sql_variant", 8016)}, []rawIndex{pk("CLUSTERED", asc(1))}, nil, "sql_variant cannot be part of a key"},
		{"left-out column in the primary key", []rawColumn{col(1, "v", "my_clr_type", 100)}, []rawIndex{pk("CLUSTERED", asc(1))}, nil, "my_clr_type is not supported"},
		{"varchar without a collation", []rawColumn{col(1, "v", "varchar", 10)}, []rawIndex{pk("CLUSTERED", asc(1))}, nil, "collation is not known"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := (&rawTable{schema: "dbo", name: "t", columns: tt.columns, indexes: tt.indexes}).table()
			var key []string
			for _, k := range table.Key {
				key = append(key, table.Columns[k.Index].Name)
			}
			if diff := cmp.Diff(tt.key, key); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(table.Refused, tt.refused) || (table.Refused == "") != (tt.refused == "") {
				t.Errorf("refused: %q, want %q", table.Refused, tt.refused)
			}
			if table.Refused == "" {
				if err := table.WireSchema().Check(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestRowVersionIndexes(t *testing.T) {
	columns := []rawColumn{col(1, "a", "int", 4), col(2, "b", "int", 4), col(3, "rv", "timestamp", 8)}
	desc := func(id int) rawKeyColumn { return rawKeyColumn{id, true} }
	clustered := rawIndex{id: 1, kind: "CLUSTERED", clustered: true, columns: []rawKeyColumn{asc(3)}}
	tests := []struct {
		name             string
		indexes          []rawIndex
		indexed, ordered bool
	}{
		{"none", []rawIndex{pk("CLUSTERED", asc(1))}, false, false},
		{"not leading", []rawIndex{pk("CLUSTERED", asc(1)), ix(2, asc(2), asc(3))}, false, false},
		{"ends with the clustered key", []rawIndex{pk("CLUSTERED", asc(1), desc(2)), ix(2, asc(3))}, true, true},
		{"holds the clustered key in another order", []rawIndex{pk("CLUSTERED", asc(1), asc(2)), ix(2, asc(3), asc(2))}, true, false},
		{"heap", []rawIndex{pk("NONCLUSTERED", asc(1)), ix(2, asc(3))}, true, false},
		{"heap, key in the index", []rawIndex{pk("NONCLUSTERED", asc(1)), ix(2, asc(3), asc(1))}, true, true},
		{"unique", []rawIndex{pk("NONCLUSTERED", asc(1)), unique(ix(2, asc(3)))}, true, true},
		{"descending", []rawIndex{pk("CLUSTERED", asc(1)), ix(2, desc(3))}, true, false},
		{"clustered", []rawIndex{pk("NONCLUSTERED", asc(1)), clustered}, true, false},
	}
	for _, tt := range tests {
		table := (&rawTable{schema: "dbo", name: "t", columns: columns, indexes: tt.indexes}).table()
		if table.RowVersionIndexed != tt.indexed || table.rvOrder != tt.ordered {
			t.Errorf("%s: indexed %v, ordered %v, want %v, %v", tt.name, table.RowVersionIndexed, table.rvOrder, tt.indexed, tt.ordered)
		}
	}
}

func TestLeftOutColumns(t *testing.T) {
	volatile, encrypted, set := col(2, "total", "int", 4), col(3, "secret", "varbinary", 64), col(4, "all", "xml", -1)
	volatile.volatile, encrypted.encrypted, set.set = true, true, true
	alias := col(6, "phone", "varchar", 20)
	alias.alias, alias.collation = "phone_number", "Latin1_General_CI_AS"
	table := (&rawTable{
		schema: "dbo", name: "t",
		columns: []rawColumn{
			col(1, "id", "int", 4), volatile, encrypted, set, col(5, "vec", "vector", 100), alias,
			col(7, "rv", "timestamp", 8), col(8, "rv2", "rowversion", 8),
		},
		indexes: []rawIndex{pk("CLUSTERED", asc(1))},
	}).table()
	var names []string
	for _, l := range table.LeftOut {
		names = append(names, l.Column)
		if l.Reason == "" {
			t.Errorf("column %s is left out without a reason", l.Column)
		}
	}
	if diff := cmp.Diff([]string{"total", "secret", "all", "vec", "rv2"}, names); diff != "" {
		t.Error(diff)
	}
	if got := table.Columns[1]; got.Type.String() != "varchar(20)" || got.Declared != "phone_number" {
		t.Errorf("alias type: %+v", got)
	}
	if table.RowVersion != "rv" {
		t.Errorf("row version column: %q", table.RowVersion)
	}
}

func TestWithout(t *testing.T) {
	table := goldenTables()["composite"]
	less, err := table.Without([]string{"PRICE", "row_version"})
	if err != nil {
		t.Fatal(err)
	}
	if len(less.Columns) != len(table.Columns)-1 || len(table.LeftOut) != 0 || len(less.LeftOut) != 1 {
		t.Errorf("columns %d, left out %v, before %v", len(less.Columns), less.LeftOut, table.LeftOut)
	}
	if err := less.WireSchema().Check(); err != nil {
		t.Error(err)
	}
	if less, err = table.Without([]string{"pri?e"}); err != nil || len(less.Columns) != len(table.Columns)-1 {
		t.Errorf("by a pattern: %v %v", less, err)
	}
	if diff := cmp.Diff([]string{"pri*", "DAY"}, table.Having([]string{"pri*", "no such column", "DAY", "x*"})); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"day", "no such column", "*", "no such*"} {
		if _, err := table.Without([]string{bad}); err == nil {
			t.Errorf("column %q was excluded", bad)
		}
	}
	// Key indexes follow when a column in front of them goes.
	moved := (&rawTable{schema: "s", name: "n", columns: []rawColumn{col(1, "x", "int", 4), col(2, "id", "int", 4)}, indexes: []rawIndex{pk("CLUSTERED", asc(2))}}).table()
	if moved, err = moved.Without([]string{"x"}); err != nil || moved.WireSchema().Key[0] != "id" {
		t.Errorf("%v %v", moved.WireSchema(), err)
	}
}

func TestAdvice(t *testing.T) {
	tables := goldenTables()
	if got := IndexAdvice(tables["simple"]); got != "" {
		t.Errorf("advice for a table that has the index: %s", got)
	}
	heap := (&rawTable{
		schema: "dbo", name: "t]",
		columns: []rawColumn{col(1, "a", "int", 4), col(2, "rv", "timestamp", 8)},
		indexes: []rawIndex{pk("NONCLUSTERED", rawKeyColumn{1, true})},
	}).table()
	want := "CREATE NONCLUSTERED INDEX [ix_t]]_rv] ON [dbo].[t]]] ([rv], [a] DESC);"
	if got := IndexAdvice(heap); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	want = "CREATE NONCLUSTERED INDEX [ix_a]]b_row_version] ON [sales data].[a]]b] ([row_version]);"
	if got := IndexAdvice(tables["composite"]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	want = "GRANT SELECT, VIEW DEFINITION ON [dbo].[t]]] TO [site\\svc];"
	if got := GrantAdvice("site\\svc", heap); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
