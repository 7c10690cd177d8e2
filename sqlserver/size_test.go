package sqlserver_test

import (
	"slices"
	"testing"

	"tidemark/internal/mssqltest/engine"
	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
)

func TestSizes(t *testing.T) {
	db := sqlservertest.Open(t)
	db.Exec(t, "CREATE TABLE {s}.a (id int NOT NULL PRIMARY KEY, v int NOT NULL, rv rowversion NOT NULL)")
	db.Exec(t, "CREATE TABLE {s}.b (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	db.Exec(t, "CREATE INDEX ix ON {s}.a (v)")
	db.Exec(t, "INSERT INTO {s}.a (id, v) VALUES (1, 1), (2, 2); INSERT INTO {s}.b (id) VALUES (1)")
	src := db.Source(t)
	all, err := src.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(x *sqlserver.Table) bool { return x.Schema != db.Schema })
	sizes, err := src.Sizes(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range all {
		// Two pages hold the rows of tables as small as these, with the root.
		if n := sizes[x.ObjectID]; n < 8192 || n > 2*8192 {
			t.Errorf("%s has %d bytes", x, n)
		}
	}
	if none, err := src.Sizes(t.Context(), nil); len(none) != 0 || err != nil {
		t.Errorf("no tables: %v %v", none, err)
	}
	stand := db.StandIn(t, "lack a view on request")
	defer stand.DB().SetOptions(engine.DatabaseOptions{AllowSnapshot: true})
	for _, lack := range []string{"sys.allocation_units", "sys.partitions", "rows of sys.allocation_units"} {
		stand.DB().SetOptions(engine.DatabaseOptions{Lacks: []string{lack}})
		if sizes, err := src.Sizes(t.Context(), all); len(sizes) != 0 || err != nil {
			t.Errorf("without %s: %v %v", lack, sizes, err)
		}
	}
}
