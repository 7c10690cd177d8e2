package agent_test

import (
	"fmt"
	"testing"

	"tidemark/scheduler"
)

// keyTests are tables with every kind of key, and statements that insert,
// update, delete and change keys.
var keyTests = []struct {
	name, create string
	changes      []string
}{
	{"ints", "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v nvarchar(40) NULL, rv rowversion NOT NULL); CREATE INDEX ix ON {s}.t (rv)", []string{
		"INSERT INTO {s}.t (id, v) VALUES (1, N'a'), (2, N'b'), (-5, NULL), (2147483647, N'd')",
		"UPDATE {s}.t SET v = N'B' WHERE id = 2; INSERT INTO {s}.t (id, v) VALUES (7, N'g')",
		"DELETE FROM {s}.t WHERE id = 1",
		"UPDATE {s}.t SET id = 100 WHERE id = 2",
		"DELETE FROM {s}.t",
		"INSERT INTO {s}.t (id, v) VALUES (1, N'again')",
	}},
	{"no index on the row version", "CREATE TABLE {s}.t (id bigint NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)", []string{
		"INSERT INTO {s}.t (id, v) VALUES (1, 1), (9007199254740993, 2), (-9223372036854775808, 3)",
		"UPDATE {s}.t SET v = 5 WHERE id = 9007199254740993",
		"UPDATE {s}.t SET id = 4 WHERE id = 1",
		"DELETE FROM {s}.t WHERE id = 4",
	}},
	{"strings", "CREATE TABLE {s}.t (code varchar(20) NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL); CREATE INDEX ix ON {s}.t (rv)", []string{
		"INSERT INTO {s}.t (code, v) VALUES ('abc', 1), ('Zoe', 2), ('', 3), ('x y', 4)",
		"UPDATE {s}.t SET code = 'ABC' WHERE code = 'abc'", // the same key for the collation, another for the cloud
		"UPDATE {s}.t SET code = 'ABC  ' WHERE code = 'abc'",
		"DELETE FROM {s}.t WHERE code = 'zoe'; INSERT INTO {s}.t (code, v) VALUES ('zoe', 5)",
	}},
	{"GUIDs", "CREATE TABLE {s}.t (id uniqueidentifier NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)", []string{
		"INSERT INTO {s}.t (id, v) VALUES ('00000000-0000-0000-0000-010000000000', 1), ('FF000000-0000-0000-0000-000000000000', 2), ('00FF0000-0000-0000-0001-000000000000', 3)",
		"UPDATE {s}.t SET v = 9 WHERE id = 'FF000000-0000-0000-0000-000000000000'",
		"DELETE FROM {s}.t WHERE id = '00000000-0000-0000-0000-010000000000'",
	}},
	{"decimals", "CREATE TABLE {s}.t (id decimal(20,4) NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)", []string{
		"INSERT INTO {s}.t (id, v) VALUES (1.5, 1), (-0.0001, 2), (1234567890123456.7891, 3)",
		"UPDATE {s}.t SET v = 4 WHERE id = -0.0001",
		"DELETE FROM {s}.t WHERE id = 1.5",
	}},
	{"composite", "CREATE TABLE {s}.t (company smallint NOT NULL, day date NOT NULL, no varchar(10) NOT NULL, v int NULL, rv rowversion NOT NULL, PRIMARY KEY (company, day, no)); CREATE INDEX ix ON {s}.t (rv)", []string{
		"INSERT INTO {s}.t (company, day, no, v) VALUES (1, '2026-01-01', 'a', 1), (1, '2026-01-01', 'b', 2), (1, '2026-01-02', 'a', 3), (2, '0001-01-01', 'a', 4)",
		"UPDATE {s}.t SET v = 7 WHERE company = 1",
		"UPDATE {s}.t SET day = '2027-01-01' WHERE no = 'b'",
		"DELETE FROM {s}.t WHERE company = 1 AND day = '2026-01-02'",
	}},
	{"without rowversion", "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v nvarchar(40) NULL)", []string{
		"INSERT INTO {s}.t (id, v) VALUES (1, N'a'), (2, N'b'), (3, NULL)",
		"UPDATE {s}.t SET v = N'B' WHERE id = 2",
		"DELETE FROM {s}.t WHERE id = 1",
		"INSERT INTO {s}.t (id, v) VALUES (4, N'd'); DELETE FROM {s}.t WHERE id = 2", // the same count
		"UPDATE {s}.t SET id = 9 WHERE id = 3",
	}},
}

// TestChanges makes changes of every kind in tables with every kind of key,
// one after the other, and waits for each to arrive.
func TestChanges(t *testing.T) {
	for _, tt := range keyTests {
		t.Run(tt.name, func(t *testing.T) {
			onStores(t, func(t *testing.T, r *rig) {
				r.db.Exec(t, tt.create)
				r.sync("t")
				if tt.name == "without rowversion" {
					r.tables[0].VerifyEvery = 50 * 1e6 // its only way to see an update
				}
				r.start()
				r.settles("t")
				for _, change := range tt.changes {
					r.db.Exec(t, change)
					r.settles("t")
				}
				r.quiet("t")
			})
		})
	}
}

// quiet waits for both sides to be known equal and fails when the agent then
// still uploads or compares.
func (r *rig) quiet(name string) {
	r.t.Helper()
	r.forget() // the books of what made both sides equal may still be open
	r.until(name+" is left alone", func() bool {
		all := r.decisions(name)
		if len(all) < 3 || r.status(name).State != "ok" {
			return false
		}
		last := all[len(all)-1].Action
		return last == string(scheduler.Skip) || last == string(scheduler.Nothing)
	})
	r.forget()
	r.until("more cycles", func() bool { return len(r.decisions(name)) > 8 })
	for _, e := range r.decisions(name) {
		if (e.Action == string(scheduler.Upload) || e.Action == string(scheduler.Diff)) && e.Rule != 10 {
			r.t.Errorf("both sides are equal, and yet: %s (%s)", e.Action, e.Reason)
		}
	}
}

// TestManyRows loads and updates more rows than fit a chunk, with every path
// of the delta.
func TestManyRows(t *testing.T) {
	for _, index := range []string{"", "; CREATE INDEX ix ON {s}.t (rv)"} {
		t.Run("index"+index, func(t *testing.T) {
			onStores(t, func(t *testing.T, r *rig) {
				r.db.Exec(t, "CREATE TABLE {s}.t (a int NOT NULL, b int NOT NULL, v int NULL, rv rowversion NOT NULL, PRIMARY KEY (a, b))"+index)
				insertMany(r, 3000)
				r.sync("t")
				r.tables[0].Limits.ChunkRows = 128
				r.start()
				r.settles("t")
				r.db.Exec(t, "UPDATE {s}.t SET v = v + 1 WHERE b % 3 = 0")
				r.settles("t")
				r.db.Exec(t, "DELETE FROM {s}.t WHERE b % 5 = 0")
				r.settles("t")
				r.quiet("t")
			})
		})
	}
}

// insertMany fills {s}.t (a, b, v) with n rows in statements of 500.
func insertMany(r *rig, n int) {
	r.t.Helper()
	for from := 0; from < n; from += 500 {
		text := "INSERT INTO {s}.t (a, b, v) VALUES "
		for i := from; i < min(n, from+500); i++ {
			if i > from {
				text += ", "
			}
			text += fmt.Sprintf("(%d, %d, %d)", i%7, i, i)
		}
		r.db.Exec(r.t, text)
	}
}
