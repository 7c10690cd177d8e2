package agent_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tidemark/agent"
	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// TestSchemaChanges alters a table under the running agent.
func TestSchemaChanges(t *testing.T) {
	onStores(t, func(t *testing.T, r *rig) {
		r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, a smallint NULL, rv rowversion NOT NULL)")
		r.db.Exec(t, "INSERT INTO {s}.t (id, a) VALUES (1, 1), (2, 2), (3, NULL)")
		r.sync("t").start()
		r.settles("t")
		for _, change := range []string{
			"ALTER TABLE {s}.t ADD b nvarchar(10) NULL",
			"ALTER TABLE {s}.t ADD c int NOT NULL CONSTRAINT {s}_c DEFAULT 7", // rows get a value, and no new row version
			"ALTER TABLE {s}.t ALTER COLUMN a int NULL",
			"ALTER TABLE {s}.t ALTER COLUMN b nvarchar(50) NULL",
		} {
			r.db.Exec(t, change)
			r.reread()
			r.settles("t")
			r.db.Exec(t, "UPDATE {s}.t SET a = 100 WHERE id = 2; INSERT INTO {s}.t (id, a) SELECT MAX(id) + 1, 5 FROM {s}.t")
			r.settles("t")
		}
		r.db.Exec(t, "ALTER TABLE {s}.t DROP COLUMN b")
		r.db.Exec(t, "INSERT INTO {s}.t (id, a) VALUES (90, 9)") // an error tells of the column that is gone
		r.settles("t")
		r.quiet("t")
	})
}

// TestColumnMadeAgain drops a column and makes it again, while the agent is
// away: no row gets a new row version, and the table has the schema that it had.
func TestColumnMadeAgain(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprintf("state lost %t", lost), func(t *testing.T) {
			onStores(t, func(t *testing.T, r *rig) {
				r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, b int NULL, a int NULL, rv rowversion NOT NULL)")
				r.db.Exec(t, "INSERT INTO {s}.t (id, a, b) VALUES (1, 1, 10), (2, 2, 20), (3, NULL, 30)")
				r.sync("t").start()
				r.settles("t")
				r.halt()
				r.db.Exec(t, "ALTER TABLE {s}.t DROP COLUMN a")
				r.db.Exec(t, "ALTER TABLE {s}.t ADD a int NOT NULL CONSTRAINT {s}_a DEFAULT 7")
				if lost {
					r.loseState()
				}
				r.start()
				r.settles("t")
				r.quiet("t")
			})
		})
	}
}

// reread has the agent look at the catalog, which it otherwise does every ten
// minutes, or at once when a statement tells of a change.
func (r *rig) reread() {
	r.t.Helper()
	if _, err := r.agent.Sync(r.t.Context(), "t"); err != nil {
		r.t.Logf("sync: %v", err) // the first cycle after a change may fail on it
	}
}

// TestSchemaChangesUnderALoad alters and drops while a load is under way.
func TestSchemaChangesUnderALoad(t *testing.T) {
	for _, change := range []string{
		"ALTER TABLE {s}.t ADD c int NOT NULL CONSTRAINT {s}_c DEFAULT 7",
		"ALTER TABLE {s}.t ALTER COLUMN v bigint NULL",
		"ALTER TABLE {s}.t DROP COLUMN v",
		"TRUNCATE TABLE {s}.t",
		"DELETE FROM {s}.t WHERE b > 500",
	} {
		t.Run(strings.ReplaceAll(change, "{s}.", ""), func(t *testing.T) {
			r := newRig(t)
			r.db.Exec(t, "CREATE TABLE {s}.t (a int NOT NULL, b int NOT NULL, v int NULL, rv rowversion NOT NULL, PRIMARY KEY (a, b))")
			insertMany(r, 1000)
			r.sync("t").table(func(s *agent.TableSite) { s.Limits.ChunkRows = 100 })
			reached := make(chan struct{})
			r.front.set(nth(4, batches, func() fate { close(reached); time.Sleep(50 * time.Millisecond); return arrives }))
			r.start()
			<-reached
			r.db.Exec(t, change)
			r.reread()
			r.settles("t")
			r.quiet("t")
		})
	}
}

// TestTableGoes drops and renames tables under the running agent: the cloud's
// rows stay, the status says so, and a table that comes back goes on.
func TestTableGoes(t *testing.T) {
	r := newRig(t)
	const create = "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)"
	r.db.Exec(t, create+"; INSERT INTO {s}.t (id, v) VALUES (1, 1), (2, 2)")
	r.db.Exec(t, "CREATE TABLE {s}.other (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	r.sync("t", "other").start()
	r.settles("t", "other")
	r.db.Exec(t, "DROP TABLE {s}.t")
	r.reread()
	r.until("status tells that it is gone", func() bool { return r.status("t").State == agent.StateGone })
	if p := r.status("t").Problem; p == nil || p.Kind != agent.ProblemGone || p.Hint == "" {
		t.Errorf("problem %+v", p)
	}
	if rows := r.there("t"); len(rows) != 2 {
		t.Errorf("%d rows are left in the cloud", len(rows))
	}
	r.db.Exec(t, "INSERT INTO {s}.other (id) VALUES (1)")
	r.settles("other")
	r.db.Exec(t, create+"; INSERT INTO {s}.t (id, v) VALUES (2, 22), (3, 3)")
	r.until("it is there again", func() bool { _, err := r.agent.Sync(t.Context(), "t"); return err == nil })
	r.settles("t")
}

// TestConflictingSchema has two customers share a dataset with columns that do
// not go together: the second is refused, its table alone stops, and says why.
func TestConflictingSchema(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)")
	r.db.Exec(t, "CREATE TABLE {s}.other (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL); INSERT INTO {s}.other (id) VALUES (1)")
	_, key := cloud.NewKey("first", time.Now())
	if err := r.store.AddCustomer(t.Context(), cloud.Customer{ID: "first", Created: time.Now()}, key); err != nil {
		t.Fatal(err)
	}
	conflicting := r.db.Table(t, r.db.Source(t), "t").WireSchema()
	conflicting.Columns[1].Type = wire.Type{Kind: wire.UniqueIdentifier}
	if _, err := r.store.Register(t.Context(), "first", "t", conflicting); err != nil {
		t.Fatal(err)
	}
	r.sync("t", "other").start()
	r.settles("other")
	r.until("status tells of the conflict", func() bool {
		p := r.status("t").Problem
		return p != nil && p.Kind == agent.ProblemSchema
	})
	p := r.status("t").Problem
	if !strings.Contains(p.Message, "uniqueidentifier") || p.Hint == "" {
		t.Errorf("problem %+v", p)
	}
}

// TestTypes loads and changes a table that has a column of every type.
func TestTypes(t *testing.T) {
	columns := []struct{ name, kind, first, second string }{
		{"c_bit", "bit", "1", "0"}, {"c_tinyint", "tinyint", "0", "255"}, {"c_smallint", "smallint", "-32768", "32767"},
		{"c_int", "int", "-2147483648", "2147483647"}, {"c_bigint", "bigint", "-9223372036854775808", "9007199254740993"},
		{"c_real", "real", "CONVERT(real, 0.1)", "CONVERT(real, 3.40282346E38)"}, {"c_float", "float", "0.1E0", "1.7976931348623157E308"},
		{"c_smallmoney", "smallmoney", "-214748.3648", "0.0001"}, {"c_money", "money", "922337203685477.5807", "-0.0001"},
		{"c_decimal", "decimal(38,10)", "1234567890123456789012345678.0123456789", "-0.5"},
		{"c_date", "date", "'0001-01-01'", "'9999-12-31'"}, {"c_time", "time(7)", "'23:59:59.9999999'", "'00:00:00'"},
		{"c_smalldatetime", "smalldatetime", "'2026-11-23T10:01:00'", "'2000-02-29T23:59:00'"},
		{"c_datetime", "datetime", "'1753-01-01T00:00:00.003'", "'9999-12-31T23:59:59.997'"},
		{"c_datetime2", "datetime2(7)", "'2026-11-23T10:00:00.1234567'", "'0001-01-01'"},
		{"c_datetimeoffset", "datetimeoffset(7)", "'2026-11-23 10:00:00.1234567 +02:00'", "'2026-11-23 10:00:00 -09:30'"},
		{"c_char", "char(5)", "'ab'", "'é'"}, {"c_varchar", "varchar(20)", "N'Zoë €5 '", "''"},
		{"c_nchar", "nchar(3)", "N'日本'", "N''"}, {"c_nvarchar", "nvarchar(20)", "N'O''Hara \"😀\" \\'", "N' '"},
		{"c_varbinary", "varbinary(8)", "0x00FF00", "0x"}, {"c_binary", "binary(4)", "0xDEADBEEF", "0x00"},
		{"c_guid", "uniqueidentifier", "'0F8FAD5B-D9CB-469F-A165-70867728950E'", "'00000000-0000-0000-0000-000000000000'"},
		{"c_vmax", "varchar(max)", "N'été'", "REPLICATE(CONVERT(varchar(max), 'x'), 20000)"},
		{"c_nmax", "nvarchar(max)", "N'日本語'", "REPLICATE(CONVERT(nvarchar(max), N'é'), 20000)"},
		{"c_bmax", "varbinary(max)", "0x0102", "0x"}, {"c_text", "text", "'old'", "''"}, {"c_ntext", "ntext", "N'älter'", "N''"},
		{"c_image", "image", "0xFF", "0x"}, {"c_xml", "xml", "N'<a b=\"c\">é</a>'", "N'<x/>'"},
		{"c_hierarchyid", "hierarchyid", "CONVERT(hierarchyid, 0x58)", "CONVERT(hierarchyid, 0x)"},
		{"c_geometry", "geometry", "CONVERT(geometry, 0x00000000010C00000000000000000000000000000000)", "NULL"},
		{"c_geography", "geography", "CONVERT(geography, 0xE6100000010C00000000000000000000000000000000)", "NULL"},
		{"c_variant", "sql_variant", "CONVERT(decimal(9,3), 1.5)", "CONVERT(nvarchar(10), N'日本')"},
	}
	create, names, first, second, null := "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL", "id", "1", "2", "3"
	for _, c := range columns {
		create += fmt.Sprintf(", %s %s NULL", c.name, c.kind)
		names += ", " + c.name
		first += ", " + c.first
		second += ", " + c.second
		null += ", NULL"
	}
	onStores(t, func(t *testing.T, r *rig) {
		r.db.Exec(t, create+")")
		for _, values := range []string{first, second, null} {
			r.db.Exec(t, fmt.Sprintf("INSERT INTO {s}.t (%s) VALUES (%s)", names, values))
		}
		if _, ok := r.store.(*postgres.Store); ok {
			r.holds = inPostgresTimes
		}
		r.sync("t").start()
		r.settles("t")
		for _, c := range columns {
			r.db.Exec(t, fmt.Sprintf("UPDATE {s}.t SET %[1]s = %[2]s WHERE id = 3; UPDATE {s}.t SET %[1]s = %[3]s WHERE id = 1", c.name, c.first, c.second))
		}
		r.settles("t")
		r.quiet("t")
		if q := r.status("t").Quarantine; q != nil {
			t.Errorf("rows in quarantine: %+v", q)
		}
	})
}

// inPostgresTimes is what a Postgres column holds of times outside a key: six
// digits, and no zone but UTC (see the documentation of cloud/postgres).
func inPostgresTimes(line string) string {
	return strings.NewReplacer(
		"2026-11-23T10:00:00.1234567+02:00", "2026-11-23T08:00:00.1234560+00:00", "2026-11-23T10:00:00.0000000-09:30", "2026-11-23T19:30:00.0000000+00:00",
		"2026-11-23T10:00:00.1234567", "2026-11-23T10:00:00.1234560", "23:59:59.9999999", "23:59:59.9999990",
	).Replace(line)
}
