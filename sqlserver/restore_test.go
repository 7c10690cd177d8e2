package sqlserver_test

import (
	"fmt"
	"testing"

	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
)

// A restored database is told by its marks. Where these are hidden, the
// counter goes back; and where that has overtaken the old one, the remembered
// rows have.
func TestRestore(t *testing.T) {
	db := sqlservertest.Open(t)
	stand := db.StandIn(t, "restore a backup")
	db.Exec(t, "CREATE TABLE {s}.a (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)")
	fill(t, db, "a", "id, v", 10, func(i int) string { return fmt.Sprintf("%d, 0", i) })
	s := db.Source(t)
	table := db.Table(t, s, "a")
	backup := stand.DB().Backup()
	db.Exec(t, "UPDATE {s}.a SET v = 1 WHERE id IN (3, 4); DELETE FROM {s}.a WHERE id = 5; INSERT INTO {s}.a (id, v) VALUES (77, 1)")
	before := probe(t, s, table)
	var remembered []sqlserver.Sentinel
	for _, line := range all(t, s.Reader(table, sqlserver.Limits{}).Keys) {
		remembered = append(remembered, sqlserver.Sentinel{Key: []byte("[" + values(line) + "]"), Version: version(t, line)})
	}
	for _, hidden := range []bool{false, true} {
		if err := stand.DB().Restore(backup, hidden); err != nil {
			t.Fatal(err)
		}
		after := probe(t, s, table)
		if after.DBTS >= before.DBTS {
			t.Errorf("hidden %v: the counter is %d, before %d", hidden, after.DBTS, before.DBTS)
		}
		if changed := after.Marks.Fork != before.Marks.Fork; changed == hidden {
			t.Errorf("hidden %v: marks %+v, before %+v", hidden, after.Marks, before.Marks)
		}
		before.Marks = after.Marks
	}
	stand.DB().AdvanceRowVersion(1000)
	if after := probe(t, s, table); after.DBTS <= before.DBTS {
		t.Fatalf("the counter is %d, before %d: the test proves nothing", after.DBTS, before.DBTS)
	}
	states, err := s.Sentinels(t.Context(), db.Table(t, s, "a"), remembered)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range remembered {
		want := sqlserver.SentinelOK
		switch string(m.Key) {
		case "[3]", "[4]":
			want = sqlserver.SentinelOlder
		case "[77]":
			want = sqlserver.SentinelGone
		}
		if states[i] != want {
			t.Errorf("row %s: state %d, want %d", m.Key, states[i], want)
		}
	}
}
