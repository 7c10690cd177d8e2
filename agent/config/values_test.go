package config_test

import (
	"fmt"
	"testing"
	"time"

	"tidemark/agent/config"
)

func table(t *testing.T, entry string) (config.Table, error) {
	t.Helper()
	c, err := config.Parse("x", fmt.Appendf(nil, "customer: a\ncloud: {url: \"https://c\", key: \"${env:X}\"}\nsource:\n  dsn: ${env:X}\n  tables:\n    - %s\n", entry))
	if err != nil {
		return config.Table{}, err
	}
	return c.Sources[0].Tables[0], nil
}

func TestTableNames(t *testing.T) {
	for _, test := range []struct{ in, schema, name, shown string }{
		{`orders`, "dbo", "orders", "dbo.orders"},
		{`sales.orders`, "sales", "orders", "sales.orders"},
		{`"[sales].[order details]"`, "sales", "order details", "sales.[order details]"},
		{`"[a]]b].c"`, "a]b", "c", "[a]]b].c"},
		{`"[a.b]"`, "dbo", "a.b", "dbo.[a.b]"},
		{`été`, "dbo", "été", "dbo.été"},
	} {
		got, err := table(t, test.in)
		if err != nil || got.Name.Schema != test.schema || got.Name.Name != test.name || got.Name.String() != test.shown {
			t.Errorf("%s: %+v %v", test.in, got.Name, err)
		}
	}
	for _, bad := range []string{`a.b.c`, `"[a"`, `".a"`, `"a."`, `"[a]b"`, `"[]"`, `a%`, `""`, `5`, `true`} {
		if got, err := table(t, bad); err == nil {
			t.Errorf("%s: %+v", bad, got.Name)
		}
	}
}

func TestSizes(t *testing.T) {
	for in, want := range map[string]config.Size{
		"65536": 1 << 16, "64KiB": 1 << 16, "1MB": 1e6, "1.5MiB": 3 << 19, "100 kB": 1e5, "1m": 1e6, "70000b": 70000,
	} {
		got, err := table(t, "{name: a, limits: {batch_bytes: "+in+"}}")
		if err != nil || got.Limits.BatchBytes != want {
			t.Errorf("%s: %v %v", in, got.Limits.BatchBytes, err)
		}
	}
	for _, bad := range []string{"-1", "1XB", "MiB", "1e5", "99999999999999GiB", "64KiBs", "[1]", "true"} {
		if got, err := table(t, "{name: a, limits: {batch_bytes: "+bad+"}}"); err == nil {
			t.Errorf("%s: %v", bad, got.Limits.BatchBytes)
		}
	}
	for want, s := range map[string]config.Size{"0": 0, "1023": 1023, "1KiB": 1 << 10, "1536KiB": 3 << 19, "2GiB": 2 << 30} {
		if s.String() != want {
			t.Errorf("%d is %s, not %s", int64(s), s, want)
		}
	}
}

func TestWindows(t *testing.T) {
	const h = time.Hour
	for _, test := range []struct {
		in       string
		days     string // one letter a day, from Sunday
		from, to time.Duration
	}{
		{"22:00-06:00", "xxxxxxx", 22 * h, 6 * h},
		{"mon-fri 20:30-24:00", "-xxxxx-", 20*h + 30*time.Minute, 24 * h},
		{"Sat,Sun 00:00-24:00 Europe/Berlin", "x-----x", 0, 24 * h},
		{"fri-mon 0:00-1:00 UTC", "xx---xx", 0, h},
	} {
		got, err := table(t, fmt.Sprintf("{name: a, windows: [%q]}", test.in))
		if err != nil {
			t.Error(err)
			continue
		}
		w := got.Windows[0]
		days := ""
		for _, d := range w.Days {
			days += map[bool]string{true: "x", false: "-"}[d]
		}
		if days != test.days || w.From != test.from || w.To != test.to || w.Zone == nil || w.String() != test.in {
			t.Errorf("%s: %+v", test.in, w)
		}
	}
	for _, bad := range []string{"", "22:00", "24:00-01:00", "05:00-05:00", "mon", "xyz 10:00-11:00", "mon- 1:00-2:00", "1:00-2:00 UTC UTC", "1:60-2:00"} {
		if got, err := table(t, fmt.Sprintf("{name: a, windows: [%q]}", bad)); err == nil {
			t.Errorf("%q: %+v", bad, got.Windows)
		}
	}
}

func TestDurations(t *testing.T) {
	for in, want := range map[string]time.Duration{"90s": 90 * time.Second, "7d": 168 * time.Hour, "1d12h": 36 * time.Hour, "1h30m": 90 * time.Minute} {
		if got, err := table(t, "{name: a, verify_every: "+in+"}"); err != nil || got.VerifyEvery != want {
			t.Errorf("%s: %v %v", in, got.VerifyEvery, err)
		}
	}
	for _, bad := range []string{"90", "-5m", "1d-1h", "5 m", "soon", "[5m]", "9999d"} {
		if got, err := table(t, "{name: a, verify_every: "+bad+"}"); err == nil {
			t.Errorf("%s: %v", bad, got.VerifyEvery)
		}
	}
}
