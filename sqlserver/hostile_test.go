package sqlserver_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
)

// SQL in the name of a table, a column or an index, in a key and in a value is
// text: the table is found, read, counted and looked up by its key, and
// nothing else happens.
func TestInjections(t *testing.T) {
	db := sqlservertest.Open(t)
	db.Exec(t, "CREATE TABLE {s}.bystander (id int NOT NULL PRIMARY KEY)")
	texts := []string{`]; DROP TABLE bystander; --`, `x]]`, `]`, `'; DROP TABLE bystander; --`, `' OR 1=1 --`, `"; SELECT 1; --`, `/*`, `*/`, `--`, `@p1`, `$(x)`, `%`, `[a-z]`, `a b`, ` `,
		`select`, `é`, `日本`, `😀`, "tab\tline\nend", `a.b`, strings.Repeat("]", 60)}
	quote := func(s string) string { return "[" + strings.ReplaceAll(s, "]", "]]") + "]" }
	literal := func(s string) string { return "N'" + strings.ReplaceAll(s, "'", "''") + "'" }
	s := db.Source(t)
	for _, text := range texts {
		table, column := quote("t"+text), quote("c"+text)
		db.Exec(t, fmt.Sprintf("CREATE TABLE {s}.%s (%s nvarchar(200) NOT NULL PRIMARY KEY, v nvarchar(max) NULL, rv rowversion NOT NULL)", table, column))
		db.Exec(t, fmt.Sprintf("CREATE INDEX %s ON {s}.%s (rv)", quote("i"+text), table))
		db.Exec(t, fmt.Sprintf("INSERT INTO {s}.%s (%s, v) VALUES (%s, %s), (N'other', NULL)", table, column, literal(text), literal(text)))
		found := db.Table(t, s, "t"+text)
		if found.Refused != "" || found.Columns[0].Name != "c"+text {
			t.Errorf("%q: %+v", text, found)
			continue
		}
		r := s.Reader(found, sqlserver.Limits{ChunkRows: 1})
		got := all(t, r.Load)
		if len(got) != 2 || !slices.Equal(sortedValues(got), sortedValues(all(t, delta(r, 0, 1<<62)))) {
			t.Errorf("%q: %q", text, got)
		}
		if n, err := s.Count(t.Context(), found); err != nil || n != 2 {
			t.Errorf("%q: %d rows, %v", text, n, err)
		}
		var keys [][]byte
		for _, line := range all(t, r.Keys) {
			keys = append(keys, []byte("["+values(line)+"]"))
		}
		var out lines
		if _, err := s.Reader(found, sqlserver.Limits{}).Lookup(t.Context(), keys, &out.Lines); err != nil || out.N != 2 {
			t.Errorf("%q: %d of 2 keys are found again: %s %v", text, out.N, out.Buf, err)
		}
	}
	if bystander := db.Table(t, s, "bystander"); bystander == nil {
		t.Error("the bystander is gone")
	}
}

func sortedValues(lines []string) (all []string) {
	for _, line := range lines {
		all = append(all, values(line))
	}
	slices.Sort(all)
	return all
}
