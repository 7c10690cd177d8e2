package config_test

import (
	"testing"

	"tidemark/agent/config"
)

func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		pattern, schema, name string
		want                  bool
	}{
		{"orders", "dbo", "orders", true},
		{"orders", "sales", "orders", false},
		{"DBO.Orders", "dbo", "orders", true},
		{"dbo.*", "dbo", "orders", true},
		{"dbo.*", "db", "o.orders", false},
		{"*.*", "sales", "order details", true},
		{"*", "dbo", "orders", true},
		{"*", "sales", "orders", false},
		{"dbo.*_log", "dbo", "audit_log", true},
		{"dbo.*_log", "dbo", "log", false},
		{"dbo.*a*b*c", "dbo", "xaxxbxbcxc", true},
		{"dbo.*a*b*c", "dbo", "xaxxbxbcx", false},
		{"dbo.t?", "dbo", "tö", true},
		{"dbo.t?", "dbo", "t", false},
		{"dbo.t?", "dbo", "t12", false},
		{"[sales].[order details]", "sales", "Order Details", true},
		{"[sales].order*", "sales", "order details", true},
		{"dbo.[*]", "dbo", "orders", false},
		{"dbo.[*]", "dbo", "*", true},
		{"[a.b].[*x]", "a.b", "*x", true},
		{"[*]", "dbo", "x", false},
		{"[*[x].t*", "*[x", "t1", true},
		{"[a]]*].t*", "a]*", "t1", true},
		{"[a]]*].t*", "a]b", "t1", false},
		{"[a]]]]].[b]]]", "a]]", "b]", true},
	} {
		p, err := config.ParsePattern(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		if got := p.Match(config.TableName{Schema: test.schema, Name: test.name}); got != test.want {
			t.Errorf("%s and %s.%s: %v", test.pattern, test.schema, test.name, got)
		}
	}
	for pattern, wild := range map[string]bool{"dbo.a": false, "dbo.*": true, "*.a": true, "[*].a": false, "dbo.[a?]": false, "a?": true} {
		if p, err := config.ParsePattern(pattern); err != nil || p.Wild() != wild {
			t.Errorf("%s: wild %v, %v", pattern, p.Wild(), err)
		}
	}
	for _, bad := range []string{"", "a.b.c", "[a", "a.", "[a]b"} {
		if _, err := config.ParsePattern(bad); err == nil {
			t.Errorf("%q is a pattern", bad)
		}
	}
}
