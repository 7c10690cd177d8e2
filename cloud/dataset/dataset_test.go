package dataset_test

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tidemark/cloud/dataset"
	"tidemark/internal/wire"
)

func parse(t interface{ Fatal(...any) }, s string) wire.Type {
	typ, err := wire.ParseType(s)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func TestWiden(t *testing.T) {
	for _, tt := range [][3]string{
		{"int", "int", "int"}, {"tinyint", "bigint", "bigint"}, {"smallint", "int", "int"}, {"real", "float", "float"}, {"smallmoney", "money", "money"},
		{"decimal(5,2)", "decimal(4,3)", "decimal(6,3)"}, {"decimal(38,0)", "decimal(1,1)", ""}, {"decimal(20,0)", "decimal(18,18)", "decimal(38,18)"},
		{"time(3)", "time(7)", "time(7)"}, {"datetimeoffset(0)", "datetimeoffset(2)", "datetimeoffset(2)"},
		{"smalldatetime", "datetime", "datetime"}, {"datetime", "datetime2(0)", "datetime2(3)"}, {"datetime", "datetime2(7)", "datetime2(7)"}, {"smalldatetime", "datetime2(0)", "datetime2(0)"},
		{"char(3)", "char(5)", "char(5)"}, {"char(9)", "varchar(5)", "varchar(9)"}, {"varchar(9)", "varchar(max)", "varchar(max)"}, {"varchar(9)", "nvarchar(5)", "nvarchar(9)"},
		{"varchar(5000)", "nvarchar(5)", "nvarchar(max)"}, {"varchar(5)", "nchar(9)", "nvarchar(9)"}, {"char(9)", "nchar(5)", "nchar(9)"}, {"char(5000)", "nchar(5)", "nvarchar(max)"},
		{"binary(3)", "varbinary(9)", "varbinary(9)"}, {"varbinary(3)", "varbinary(max)", "varbinary(max)"},
		{"bit", "int", ""}, {"int", "decimal(18,0)", ""}, {"int", "varchar(9)", ""}, {"float", "bigint", ""}, {"money", "decimal(19,4)", ""}, {"date", "datetime2(0)", ""}, {"date", "time(0)", ""},
		{"time(7)", "datetime2(7)", ""}, {"datetime2(7)", "datetimeoffset(7)", ""}, {"xml", "nvarchar(max)", ""}, {"varbinary(9)", "varchar(9)", ""}, {"hierarchyid", "varbinary(9)", ""},
		{"geometry", "geography", ""}, {"uniqueidentifier", "binary(16)", ""}, {"sql_variant", "int", ""},
	} {
		a, b := parse(t, tt[0]), parse(t, tt[1])
		for range 2 {
			wide, ok := dataset.Widen(a, b)
			if got := wide.String(); ok != (tt[2] != "") || ok && got != tt[2] {
				t.Errorf("Widen(%s, %s) = %s, %v; want %q", a, b, got, ok, tt[2])
			}
			a, b = b, a
		}
	}
}

var anyType = rapid.Custom(func(t *rapid.T) wire.Type {
	typ := wire.Type{Kind: wire.Kind(rapid.IntRange(int(wire.Bit), int(wire.Variant)).Draw(t, "kind"))}
	switch typ.Kind {
	case wire.Decimal:
		typ.Precision = rapid.Uint8Range(1, 38).Draw(t, "precision")
		typ.Scale = rapid.Uint8Range(0, typ.Precision).Draw(t, "scale")
	case wire.Time, wire.DateTime2, wire.DateTimeOffset:
		typ.Scale = rapid.Uint8Range(0, 7).Draw(t, "scale")
	case wire.VarChar, wire.VarBinary, wire.NVarChar:
		typ.Len = rapid.SampledFrom([]int{wire.MaxLen, 1, 50, 4000}).Draw(t, "len")
	case wire.Char, wire.Binary, wire.NChar:
		typ.Len = rapid.SampledFrom([]int{1, 50, 4000}).Draw(t, "len")
	}
	return typ
})

// The order in which customers register does not matter, and what a type
// holds once it holds for good.
func TestWidenProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyType.Draw(t, "a"), anyType.Draw(t, "b")
		wide, ok := dataset.Widen(a, b)
		if back, okBack := dataset.Widen(b, a); ok != okBack || ok && back != wide {
			t.Fatalf("Widen(%s, %s) = %s, the other way round %s", a, b, wide, back)
		}
		if !ok {
			return
		}
		if parse(t, wide.String()) != wide {
			t.Fatalf("%s is no type", wide)
		}
		for _, narrow := range []wire.Type{a, b} {
			if again, ok := dataset.Widen(wide, narrow); !ok || again != wide {
				t.Fatalf("Widen(%s, %s) = %s, %v", wide, narrow, again, ok)
			}
		}
	})
}

func TestIdentifier(t *testing.T) {
	form := regexp.MustCompile(`^[a-z0-9_]{1,63}$`)
	rapid.Check(t, func(t *rapid.T) {
		taken := make(map[string]string)
		for _, name := range rapid.SliceOfDistinct(rapid.OneOf(rapid.StringN(1, 80, -1), rapid.StringMatching(`(_tm_|CUSTOMER_ID|ctid|a|A)[ab_ ]{0,70}`)), func(s string) string { return s }).Draw(t, "names") {
			id := dataset.Identifier(name, func(s string) bool { return taken[s] != "" })
			if !form.MatchString(id) || id == "customer_id" || id == "ctid" || len(id) > 3 && id[:4] == "_tm_" {
				t.Fatalf("%q became %q", name, id)
			}
			if taken[id] != "" {
				t.Fatalf("%q and %q are both %q", name, taken[id], id)
			}
			taken[id] = name
		}
	})
}

func schema(key string, columns ...string) wire.Schema {
	s := wire.Schema{Key: []string{key}, Versioning: wire.ByRowVersion}
	for i := 0; i < len(columns); i += 2 {
		typ, err := wire.ParseType(columns[i+1])
		if err != nil {
			panic(err)
		}
		s.Columns = append(s.Columns, wire.Column{Name: columns[i], Type: typ})
	}
	return s
}

func TestRegister(t *testing.T) {
	free := func(string) bool { return false }
	first, err := dataset.Dataset{}.Register(dataset.Request{Name: "dbo.Orders", Schema: schema("ID", "ID", "int", "Total", "money"), Taken: free})
	if err != nil {
		t.Fatal(err)
	}
	typ := func(s string) wire.Type { return parse(t, s) }
	want := dataset.Dataset{Name: "dbo.Orders", Table: "dbo_orders", Key: []string{"ID"},
		Columns: []dataset.Column{{Name: "ID", ID: "id", Type: typ("int")}, {Name: "Total", ID: "total", Type: typ("money")}}}
	if d := cmp.Diff(dataset.Change{Dataset: want, Create: true}, first); d != "" {
		t.Error(d)
	}
	second, err := first.Dataset.Register(dataset.Request{Name: "dbo.Orders", Schema: schema("ID", "id", "bit", "ID", "bigint"), Taken: free})
	if err != nil {
		t.Fatal(err)
	}
	if len(second.Added) != 1 || second.Added[0].Name != "id" || second.Added[0].ID == "id" || len(second.Widened) != 1 || second.Widened[0].Type != typ("bigint") || second.Create || second.Rebuild {
		t.Errorf("%+v", second)
	}
	if first.Dataset.Columns[0].Type != typ("int") {
		t.Error("the dataset before was changed")
	}
}

func TestNeedsReload(t *testing.T) {
	before := schema("k", "k", "int", "a", "varchar(5)", "d", "decimal(5,2)")
	for name, tt := range map[string]struct {
		after wire.Schema
		want  bool
	}{
		"same":        {before, false},
		"other order": {schema("k", "d", "decimal(5,2)", "a", "varchar(5)", "k", "int"), false},
		"one less":    {schema("k", "k", "int", "a", "varchar(5)"), false},
		"wider":       {schema("k", "k", "bigint", "a", "nvarchar(max)", "d", "decimal(7,3)"), false},
		"new":         {schema("k", "k", "int", "a", "varchar(5)", "d", "decimal(5,2)", "n", "int"), true},
		"narrower":    {schema("k", "k", "int", "a", "varchar(5)", "d", "decimal(5,1)"), true},
		"other":       {schema("k", "k", "int", "a", "varchar(5)", "d", "money"), true},
		"fixed":       {schema("k", "k", "int", "a", "char(9)", "d", "decimal(5,2)"), true},
		"other key":   {schema("a", "k", "int", "a", "varchar(5)", "d", "decimal(5,2)"), true},
	} {
		if got := dataset.NeedsReload(before, tt.after); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
