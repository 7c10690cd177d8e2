package agent_test

import (
	"strings"
	"testing"
	"time"

	"tidemark/agent"
	"tidemark/agent/state"
	"tidemark/scheduler"
)

// TestDiffResumes stops an agent in the middle of a comparison. The next one
// goes on behind the last node that was found equal, and forgets the place
// when it has come to the end.
func TestDiffResumes(t *testing.T) {
	r := newRig(t)
	stand := r.db.StandIn(t, "tell what it was asked")
	r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL); CREATE INDEX ix ON {s}.t (rv); INSERT INTO {s}.t (id, v) VALUES (1, 1)")
	for n := 1; n < 200_000; n *= 2 {
		r.db.Exec(t, "INSERT INTO {s}.t (id, v) SELECT id + @p1, v FROM {s}.t", n)
	}
	r.sync("t").start()
	r.until("all rows are there", func() bool { return r.registered("t") && r.version("t").Rows == 262_144 })
	r.settles("t")
	r.quiet("t")
	r.until("the summary is made", func() bool {
		_, err := r.store.Tree(t.Context(), customer, "t")
		return err == nil
	})
	r.halt()

	r.table(func(s *agent.TableSite) {
		s.Limits.ChunkRows, s.Pause, s.VerifyEvery, s.MaxSkips = 4096, 100*time.Millisecond, time.Millisecond, 0
	})
	r.start()
	r.until("half of the comparison", func() bool {
		p := r.status("t").Progress
		return p != nil && p.Rows > 100_000
	})
	r.halt()
	db, err := state.OpenReadOnly(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := db.Read()
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if snapshot.Tables["t"].Place.Token == "" {
		t.Fatal("no place was kept")
	}

	r.forget()
	stand.TakeStatements()
	r.start()
	r.until("a comparison ends", func() bool { return r.decided("t", scheduler.Diff) > 0 })
	r.halt()
	chunks := 0
	for _, s := range stand.TakeStatements() {
		if strings.Contains(s.SQL, "ORDER BY t.[id]") {
			chunks++
		}
	}
	if all := 262_144 / 4096; chunks >= all {
		t.Errorf("%d chunks were read after the restart, and the table has %d", chunks, all)
	}
}
