package agent_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tidemark/agent"
	"tidemark/scheduler"
)

// TestQuiet holds what a cycle over 50 unchanged tables costs: one statement
// at the source, and no request to the cloud.
func TestQuiet(t *testing.T) {
	r := newRig(t)
	stand := r.db.StandIn(t, "count the statements of a cycle")
	var names []string
	for i := range 50 {
		name := fmt.Sprintf("t%d", i)
		names = append(names, name)
		r.db.Exec(t, fmt.Sprintf("CREATE TABLE {s}.%[1]s (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL); CREATE INDEX ix_%[1]s ON {s}.%[1]s (rv); INSERT INTO {s}.%[1]s (id) VALUES (1)", name))
	}
	r.sync(names...)
	for i := range r.tables {
		r.tables[i].Interval, r.tables[i].MaxSkips = time.Second, 1000
	}
	r.start()
	r.settles(names...)
	r.until("all tables are skipped", func() bool {
		s, err := r.agent.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range s.Tables {
			if table.Decision == nil || table.Decision.Action != string(scheduler.Skip) {
				return false
			}
		}
		return true
	})
	r.forget() // first: what is counted below has its decisions behind it
	stand.TakeStatements()
	r.front.counts()
	const cycles = 4
	r.until("some cycles", func() bool { return len(r.decisions("t49")) >= cycles && len(r.decisions("t0")) >= cycles })
	n := len(stand.TakeStatements())
	all := 0
	for _, name := range names {
		all += len(r.decisions(name))
	}
	// One may be under way; and a machine that stalls may divide a cycle, where
	// some tables have ended the one before and some have not.
	if 40*(n-1) > all {
		t.Errorf("%d looks at 50 unchanged tables took %d statements", all, n)
	}
	if seen := r.front.counts(); len(seen) > 0 {
		t.Errorf("the cloud was asked: %v", seen)
	}
}

// TestCappedSkips holds that skips are capped: the cloud is asked after
// max_skips, for all tables in one request.
func TestCappedSkips(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, "CREATE TABLE {s}.a (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL); CREATE TABLE {s}.b (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	r.sync("a", "b").start()
	r.settles("a", "b")
	r.until("skips", func() bool { return r.decided("a", scheduler.Skip) > 3 && r.decided("b", scheduler.Skip) > 3 })
	r.forget()
	r.front.counts()
	r.until("cycles", func() bool { return len(r.decisions("a")) >= 20 && len(r.decisions("b")) >= 20 })
	seen := r.front.counts()
	cycles := len(r.decisions("a")) + len(r.decisions("b"))
	// One in four cycles of each table, or in three: a table's cap may be a quarter shorter.
	if n := seen["GET versions"]; n < 3 || n > cycles/3+2 || len(seen) > 1 {
		t.Errorf("requests in %d cycles of 2 tables with max_skips 3: %v", cycles, seen)
	}
	if n := r.decided("a", scheduler.Nothing); n < 3 {
		t.Errorf("the cap was reached %d times", n)
	}
}

// skippedAfter is the fact that a table has forced skips.
const skippedAfter = "skipped without a look after each"

// TestForcedSkips holds that a table rests after each sync, and only then is
// looked at.
func TestForcedSkips(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL); INSERT INTO {s}.t (id) VALUES (1)")
	r.sync("t").table(func(s *agent.TableSite) { s.ForcedSkips = 5 }).start()
	r.settles("t")
	r.db.Exec(t, "UPDATE {s}.t SET v = 2")
	r.settles("t")
	if e, err := r.agent.Explain(t.Context(), "t"); err != nil || !slices.ContainsFunc(e.Facts, func(f agent.Fact) bool {
		return f.Name == skippedAfter && (f.Value == "4" || f.Value == "5")
	}) {
		t.Errorf("the explanation tells of no forced skips: %+v, %v", e.Facts, err)
	}
	forced := 0 // since the last sync before the update went up
	for _, e := range r.decisions("t") {
		switch {
		case e.Rule == 2:
			forced++
		case e.Action == string(scheduler.Upload) && e.Upload == string(scheduler.Delta):
			if forced != 4 && forced != 5 { // up to a quarter less, by the table's name
				t.Errorf("%d forced skips before the update went up", forced)
			}
			return
		case (e.Action == string(scheduler.Upload) || e.Action == string(scheduler.Diff)) && e.Outcome.Error == "":
			forced = 0
		}
	}
	t.Error("no update went up")
}
