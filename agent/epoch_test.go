package agent_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tidemark/agent"
	"tidemark/scheduler"
)

const restoredTable = "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL); CREATE INDEX ix ON {s}.t (rv)"

// TestRestoredSource puts the source back to an earlier copy, in ways that
// are ever harder to notice, and lets it go on from there.
func TestRestoredSource(t *testing.T) {
	for _, tt := range []struct {
		name   string
		hidden bool // no mark of the database changes
		passes bool // the counter overtakes what it was before the agent looks again
		lost   bool // the agent loses its state in the same hour
	}{
		{"with a new recovery fork", false, false, false},
		{"with a lower counter", true, false, false},
		{"with a counter that has overtaken the old one", true, true, false},
		{"with a new recovery fork, and the state is lost", false, true, true},
		{"with a counter that has overtaken the old one, and the state is lost", true, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			stand := r.db.StandIn(t, "be restored to an earlier copy")
			r.db.Exec(t, restoredTable)
			r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES (1, 1), (2, 2), (3, 3)")
			r.sync("t").start()
			r.settles("t")
			backup := stand.DB().Backup()
			r.db.Exec(t, "UPDATE {s}.t SET v = 20 WHERE id = 2; DELETE FROM {s}.t WHERE id = 3; INSERT INTO {s}.t (id, v) VALUES (4, 4), (5, 5)")
			r.settles("t")
			r.halt()
			if tt.lost {
				r.loseState()
			}
			if err := stand.DB().Restore(backup, tt.hidden); err != nil {
				t.Fatal(err)
			}
			r.db.SQL.SetMaxIdleConns(0) // its sessions were killed
			r.db.Exec(t, "UPDATE {s}.t SET v = 200 WHERE id = 1")
			if tt.passes {
				for i := range 20 {
					r.db.Exec(t, fmt.Sprintf("INSERT INTO {s}.t (id, v) VALUES (%d, 0)", 100+i))
				}
			}
			r.forget()
			r.start()
			r.settles("t")
			r.quiet("t")
		})
	}
}

// TestEmptiedByRestore restores a copy from before there were rows: the
// deletes of all of them wait for a person.
func TestEmptiedByRestore(t *testing.T) {
	r := newRig(t)
	stand := r.db.StandIn(t, "be restored to an earlier copy")
	r.db.Exec(t, restoredTable)
	backup := stand.DB().Backup()
	r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES (1, 1)")
	for n := 1; n < 2000; n *= 2 {
		r.db.Exec(t, fmt.Sprintf("INSERT INTO {s}.t (id, v) SELECT id + %d, v FROM {s}.t", n))
	}
	r.sync("t").start()
	r.settles("t")
	rows := len(r.there("t"))
	r.halt()
	if err := stand.DB().Restore(backup, false); err != nil {
		t.Fatal(err)
	}
	r.db.SQL.SetMaxIdleConns(0)
	r.start()
	r.until("the deletes wait", func() bool { return r.status("t").State == agent.StateWaiting })
	if n := len(r.there("t")); n != rows {
		t.Errorf("%d of %d rows are left without an approval", n, rows)
	}
	s := r.status("t")
	if s.Approval == nil || s.Approval.Deletes != int64(rows) || len(s.Approval.Sample) == 0 {
		t.Errorf("approval %+v", s.Approval)
	}
	r.forget()
	r.until("some cycles", func() bool { return len(r.decisions("t")) > 8 })
	if n := r.decided("t", scheduler.Diff); n > 1 {
		t.Errorf("%d diffs while the deletes wait", n)
	}
	if _, err := r.agent.Approve(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	r.settles("t")
	r.quiet("t")
	if _, err := r.agent.Approve(t.Context(), "t"); err == nil {
		t.Error("nothing waits, and yet it was approved")
	}
}

// TestRestoredCloud puts the cloud back to an earlier copy: it is sent what it
// lacks, and nothing is taken for a second agent.
func TestRestoredCloud(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, restoredTable)
	r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES (1, 1), (2, 2), (3, 3)")
	r.sync("t").start()
	r.settles("t")
	r.halt()
	copied := r.copyCloud()
	r.start()
	r.db.Exec(t, "UPDATE {s}.t SET v = 20 WHERE id = 2; DELETE FROM {s}.t WHERE id = 3; INSERT INTO {s}.t (id, v) VALUES (4, 4)")
	r.settles("t")
	r.quiet("t")
	r.reopen = at(t, copied)
	r.restartAPI() // under the running agent
	r.settles("t")
	r.quiet("t")
	for _, e := range r.decisions("t") {
		if e.Outcome.Error != "" {
			t.Error(e.Outcome.Error)
		}
	}
}

// copyCloud copies the file of the store, while nobody writes.
func (r *rig) copyCloud() string {
	r.t.Helper()
	if err := r.store.Close(); err != nil { // which leaves one file
		r.t.Fatal(err)
	}
	content, err := os.ReadFile(r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	copied := filepath.Join(r.t.TempDir(), "copy.db")
	if err := os.WriteFile(copied, content, 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.restartAPI()
	return copied
}
