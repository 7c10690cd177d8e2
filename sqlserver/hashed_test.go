package sqlserver_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"tidemark/internal/wire"
	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
)

func TestHashedColumns(t *testing.T) {
	db := sqlservertest.Open(t)
	db.Exec(t, "CREATE TABLE {s}.p (id int NOT NULL PRIMARY KEY, email nvarchar(200) NULL, born date NOT NULL, note nvarchar(max) NULL, v sql_variant NULL, rv rowversion NOT NULL)")
	db.Exec(t, "INSERT INTO {s}.p (id, email, born, note, v) VALUES (1, N'a@b.example', '2000-01-02', N'x', 7), (2, NULL, '2000-01-02', NULL, NULL)")
	db.Exec(t, "CREATE TABLE {s}.c (id int NOT NULL PRIMARY KEY, email nvarchar(200) NOT NULL)")
	db.Exec(t, "INSERT INTO {s}.c (id, email) VALUES (1, N'a@b.example'), (2, N'c')")
	src := db.Source(t)
	const key = "a key of some length"
	of := func(wire string) string {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(wire))
		return `"` + hex.EncodeToString(mac.Sum(nil)) + `"`
	}
	read := func(table *sqlserver.Table, keys bool) []string {
		t.Helper()
		var lines wire.Lines
		r := src.Reader(table, sqlserver.Limits{})
		load := r.Load
		if keys {
			load = r.Keys
		}
		if _, err := load(t.Context(), "", &lines); err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(lines.Buf)), "\n")
	}
	after := func(line string) string { _, rest, _ := strings.Cut(line, ","); return rest }

	plain := db.Table(t, src, "p")
	p, err := plain.Hashed([]string{"EMAIL", "born", "note", "v"}, key)
	if err != nil {
		t.Fatal(err)
	}
	got := read(p, false)
	variant := strings.Split(strings.TrimSuffix(after(read(plain, false)[0]), "]"), ",")
	want := "1," + of(`"a@b.example"`) + "," + of(`"2000-01-02"`) + "," + of(`"x"`) + "," + of(strings.Join(variant[4:], ",")) + "]"
	if after(got[0]) != want || after(got[1]) != "2,null,"+of(`"2000-01-02"`)+",null,null]" {
		t.Errorf("got  %s\n     %s\nwant %s", after(got[0]), after(got[1]), want)
	}
	for i, c := range p.WireSchema().Columns {
		if hashed := c.Type.String() == "char(64)"; hashed != (i > 0) || c.Nullable != plain.WireSchema().Columns[i].Nullable {
			t.Errorf("column %s: %s, nullable %v", c.Name, c.Type, c.Nullable)
		}
	}

	// Without a row version: the version of a row is that of its hashed form,
	// the same for rows and for keys, and equal values are equal everywhere.
	c, err := db.Table(t, src, "c").Hashed([]string{"email"}, key)
	if err != nil {
		t.Fatal(err)
	}
	rows, keys := read(c, false), read(c, true)
	if after(rows[0]) != "1,"+of(`"a@b.example"`)+"]" || strings.Split(rows[0], ",")[0] != strings.Split(keys[0], ",")[0] {
		t.Errorf("%s and %s", rows[0], keys[0])
	}
	for name, err := range map[string]error{
		"key column": second(plain.Hashed([]string{"id"}, key)),
		"not there":  second(plain.Hashed([]string{"nothing"}, key)),
		"no such":    second(plain.Hashed([]string{"nothing*"}, key)),
		"key, by *":  second(plain.Hashed([]string{"i*"}, key)),
		"short key":  second(plain.Hashed([]string{"email"}, "short")),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if same, err := plain.Hashed(nil, ""); same != plain || err != nil {
		t.Errorf("nothing to hash: %v", err)
	}
}

func second(_ *sqlserver.Table, err error) error { return err }
