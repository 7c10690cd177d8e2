package agent_test

import (
	"net/http"
	"testing"
	"time"

	"tidemark/agent"
	"tidemark/agent/journal"
	"tidemark/agent/state"
)

// TestStopped ends an agent in the middle of an upload. That is no problem, and
// the next agent knows what was decided last.
func TestStopped(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	r.sync("t").start()
	r.settles("t")
	r.front.set(func(req *http.Request) fate {
		if batches(req) {
			return lostOnWay
		}
		return arrives
	})
	r.front.counts()
	r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES (7, N'g')")
	r.until("an upload is under way", func() bool {
		r.front.mu.Lock()
		defer r.front.mu.Unlock()
		return r.front.seen["POST rows"] > 0
	})
	r.halt()

	all := r.decisions("t")
	last := all[len(all)-1]
	if o := last.Outcome; !o.Stopped || o.Error != "" || o.Kind != "" || o.Note == "" || last.Action != "upload" {
		t.Errorf("the last entry is %+v", last)
	}
	had := agent.Decided{Time: last.Time, Action: last.Action, Rule: last.Rule, Reason: last.Reason}
	same := func(d *agent.Decided) bool {
		return d != nil && d.Time.Equal(had.Time) && d.Action == had.Action && d.Rule == had.Rule && d.Reason == had.Reason
	}
	left := r.left(agent.SourceSite{Name: "main", Tables: r.tables}).Tables[0]
	if left.Problem != nil || !same(left.Decision) {
		t.Errorf("left: %+v, %+v", left.Problem, left.Decision)
	}
	a := r.open()
	s, err := a.Status(t.Context())
	if err != nil || !same(s.Tables[0].Decision) || s.Cloud.CheckIn != nil {
		t.Errorf("status %+v, %v", s, err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// TestLeftBehind holds what the journal of an agent that does not run says of
// a table: what was broken off neither is a problem nor ends one.
func TestLeftBehind(t *testing.T) {
	well := journal.Outcome{Rows: 1}
	failed := journal.Outcome{Error: "SELECT was denied", Hint: "GRANT", Kind: string(agent.ProblemPermission)}
	stopped := journal.Outcome{Stopped: true}
	for name, tt := range map[string]struct {
		outcomes []journal.Outcome // oldest first
		want     agent.ProblemKind
	}{
		"nothing":                      {nil, ""},
		"well":                         {[]journal.Outcome{failed, well}, ""},
		"failed":                       {[]journal.Outcome{well, failed}, agent.ProblemPermission},
		"broken off":                   {[]journal.Outcome{stopped, stopped}, ""},
		"broken off after a failure":   {[]journal.Outcome{failed, stopped, stopped}, agent.ProblemPermission},
		"broken off after it was well": {[]journal.Outcome{failed, well, stopped}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db, err := state.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			c := state.Change{Site: &state.Site{Instance: "site-1", Customer: customer}}
			for i, o := range tt.outcomes {
				c.Journal = append(c.Journal, journal.Entry{Time: time.Unix(int64(i), 0), Table: "t", Action: "upload", Rule: 7, Outcome: o})
			}
			if err := db.Write(c); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			r := rig{t: t, dir: dir}
			var got agent.ProblemKind
			left := r.left(agent.SourceSite{Name: "main", Tables: []agent.TableSite{{Dataset: "t", Schema: "dbo", Name: "t"}}}).Tables[0]
			if p := left.Problem; p != nil {
				got = p.Kind
			}
			if got != tt.want || (left.Decision == nil) != (tt.outcomes == nil) {
				t.Errorf("problem %q, want %q; decision %+v", got, tt.want, left.Decision)
			}
		})
	}
}
