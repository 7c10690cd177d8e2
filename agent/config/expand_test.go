package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/agent/config"
)

func TestExpand(t *testing.T) {
	c := parse(t, `
customer: acme
cloud: {url: "https://c.example", key: "${env:K}"}
defaults: {interval: 1m}
source:
  dsn: ${env:D}
  exclude_tables: [dbo.*_log, tmp]
  tables:
    - {name: dbo.orders, interval: 5s, dataset: orders}
    - {name: "dbo.*", interval: 10s, exclude_columns: ["*_note"]}
    - "*.*"
    - {name: "none.*", enabled: false}
    - {name: "dbo.Old_log", interval: 1s}
`)
	if n := len(c.Sources[0].Tables); n != 2 || len(c.Sources[0].Patterns) != 3 {
		t.Fatalf("%d tables, %d patterns before", n, len(c.Sources[0].Patterns))
	}
	names := func(all ...string) (list []config.TableName) {
		for _, n := range all {
			schema, name, _ := strings.Cut(n, ".")
			list = append(list, config.TableName{Schema: schema, Name: name})
		}
		return list
	}
	holds := func(want ...string) {
		t.Helper()
		var got []string
		for _, x := range c.Sources[0].Tables {
			got = append(got, fmt.Sprintf("%s as %s every %s", x.Name, x.Dataset, x.Interval))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	idle := c.Expand("main", names("dbo.Orders", "dbo.lines", "dbo.audit_log", "dbo.old_LOG", "DBO.tmp", "sales.order details", "sales.old_log"))
	holds("dbo.orders as orders every 5s", "dbo.Old_log as dbo.Old_log every 1s",
		"dbo.lines as dbo.lines every 10s", "sales.[order details] as sales.order details every 1m0s", "sales.old_log as sales.old_log every 1m0s")
	for _, x := range c.Sources[0].Tables {
		byPattern := x.Dataset != "orders" && x.Dataset != "dbo.Old_log"
		if got := len(x.ExcludeColumns) == 1; got != (x.Dataset == "dbo.lines") || x.ByPattern != byPattern {
			t.Errorf("%s: excluded %q, by a pattern %v", x.Dataset, x.ExcludeColumns, x.ByPattern)
		}
	}
	if fmt.Sprint(idle) != "[none.*]" {
		t.Errorf("idle: %v", idle)
	}
	if diff := cmp.Diff(names("dbo.lines", "sales.order details", "sales.old_log"), c.Sources[0].Taken()); diff != "" {
		t.Error(diff)
	}
	// Another list takes the place of the one before; a name in two cases is one dataset.
	c.Expand("main", names("x.a", "x.A"))
	holds("dbo.orders as orders every 5s", "dbo.Old_log as dbo.Old_log every 1s", "x.a as x.a every 1m0s")
	if idle := c.Expand("other", names("x.a")); idle != nil {
		t.Errorf("another source: %v", idle)
	}
}
