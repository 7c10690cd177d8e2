package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// Numbers that differ in their digits and not in their value are one key, in
// one batch and over batches.
func testSpellings(t *testing.T, f *fixture) {
	for i, tt := range []struct {
		typ    string
		key    string // in its shortest form
		others []string
	}{
		{"real", `0.1`, []string{`0.10000000001`, `1e-1`, `0.100000001490116119384765625`}},
		{"real", `0`, []string{`-0`, `1e-50`, `-0.0`, `0e9`}},
		{"real", `16777216`, []string{`16777217`, `1.6777216e7`}},
		{"float", `0.1`, []string{`0.1000000000000000055511151231257827`, `1e-1`, `0.10`}},
		{"float", `0`, []string{`-0`, `-1e-400`, `1e-400`}},
		{"float", `9007199254740992`, []string{`9007199254740993`, `9007199254740992.0`}},
	} {
		t.Run(tt.typ+" "+tt.key, func(t *testing.T) {
			s := f.siteNamed(t, customer, fmt.Sprintf("spelling %d", i), schema([]string{"k"}, column("k", tt.typ), column("n", "int")))
			rows := []string{fmt.Sprintf(`["1",%s,0]`, tt.key)}
			for j, other := range tt.others {
				rows = append(rows, fmt.Sprintf(`["%d",%s,%d]`, j+2, other, j+1))
			}
			if a := s.load(t, rows...); a.Inserted != 1 || len(a.Refused) != 0 {
				t.Errorf("loaded: %+v", a)
			}
			n := len(tt.others)
			s.has(t, fmt.Sprintf(`["%d",%s,%d]`, n+1, tt.key, n))
			_, _ = s.summed(t) // and what sums up the rows follows them
			for j, other := range tt.others {
				if a := s.delta(t, fmt.Sprintf(`["%d",%s,7]`, j+10, other)); a.Updated != 1 {
					t.Errorf("%s is another key: %+v", other, a)
				}
				_, _ = s.summed(t)
			}
			if a := s.remove(t, fmt.Sprintf(`["%d",%s]`, n+9, tt.others[0])); a.Deleted != 1 {
				t.Errorf("%s is not deleted as %s: %+v", tt.key, tt.others[0], a)
			}
			s.has(t)
			_, _ = s.summed(t)
		})
	}
}

// injections are texts that end a literal, a name, a line of COPY or a
// pattern, if anybody lets them.
var injections = []string{
	`'; DROP TABLE customers; --`, `'); DELETE FROM customers; --`, `" ; DROP TABLE customers; --`, `]; DROP TABLE customers; --`, `' OR '1'='1`, `\'; SELECT 1; --`,
	`$$; SELECT pg_sleep(600); $$`, `$1`, `$9999999999`, `?`, `?1`, `:x`, `@p1`, `%`, `_`, `%s%n%d`, `\`, `\\`, `\.`, "\\.\n", `\N`, "a\tb", "a\nb", "a\r\nb", "\b\f\v\x7f",
	`/*`, `*/ --`, `--`, `{}`, `{"a":1}`, `(1,2)`, `("a",)`, `NULL`, `null`, `DEFAULT`, `E'\x00'`, `U&'\0000'`, `Infinity`, "\u2028\ufeff\u202e", "ǅ", "İ", "ß",
}

// SQL in every value, key and guard, and in every text that a batch, a
// customer or a report brings, is text.
func testInjections(t *testing.T, f *fixture) {
	types := []string{"char(200)", "varchar(200)", "nchar(200)", "nvarchar(200)", "nvarchar(max)", "xml"}
	s := schema([]string{"key", "id"}, column("key", "nvarchar(200)"), column("id", "int"))
	for _, typ := range types {
		s.Columns = append(s.Columns, column("of "+typ, typ))
	}
	s.Columns = append(s.Columns, column("v", "sql_variant"))
	site := f.site(t, customer, s)
	var rows, keys []string
	for i, text := range injections {
		raw := string(wire.AppendString(nil, text))
		rows = append(rows, fmt.Sprintf(`["1",%s,%d%s,{"t":"nvarchar(200)","v":%s}]`, raw, i, strings.Repeat(","+raw, len(types)), raw))
		keys = append(keys, fmt.Sprintf(`["1",%s,%d]`, raw, i))
	}
	site.load(t, rows...)
	if got := sorted(site.rows(t)); strings.Join(got, "\n") != strings.Join(sorted(rows), "\n") {
		t.Errorf("rows:\n%q\nwant:\n%q", got, sorted(rows))
	}
	for i, text := range injections {
		name := text
		if cloud.CheckTable(name) != nil {
			name = fmt.Sprintf("table %d", i)
		}
		of := f.siteNamed(t, customer, name, simple)
		of.epoch = text
		a := of.mustApply(t, of.batch(wire.Load, nil, func(h *wire.Header) {
			h.Start, h.Cursor, h.Marks, h.Writer = true, ptr(text), ptr(text), wire.Writer{ID: text, Name: text, Run: text}
		}))
		want := wire.Version{Epoch: text, Seq: 1, Cursor: text, Marks: text, Schema: simple.Fingerprint(), Writer: wire.Writer{ID: text, Name: text, Run: text}}
		for _, got := range []wire.Version{a.Version, of.read(t)} {
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%q: %s", text, d)
			}
		}
		id := fmt.Sprintf("customer-%d", i)
		if err := f.AddCustomer(t.Context(), cloud.Customer{ID: id, Name: text, Created: start}, keyOf(text)); err != nil {
			t.Errorf("a customer named %q: %v", text, err)
		}
	}
	named := map[string]string{}
	all, err := f.ListCustomers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		named[c.ID] = c.Name
	}
	for i, text := range injections {
		if got := named[fmt.Sprintf("customer-%d", i)]; got != text {
			t.Errorf("a customer named %q is called %q", text, got)
		}
	}
	c, err := f.Compare(t.Context(), site.manifest(keys))
	if err != nil || len(c.Missing)+len(c.Stale) != 0 {
		t.Errorf("Compare: %+v, %v", c, err)
	}
}
