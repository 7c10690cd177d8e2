package agent_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidemark/agent"
	"tidemark/agent/state"
	"tidemark/cloud"
	"tidemark/scheduler"
)

// What breaks in the middle of an upload.
var breaks = []struct {
	name   string
	fate   fate
	agent  bool // the agent ends there too
	forget bool // and loses its state
	api    bool // the API ends there too
}{
	{"a request is lost", lostOnWay, false, false, false},
	{"an answer is lost", lostAnswer, false, false, false},
	{"the agent stops, the request was lost", lostOnWay, true, false, false},
	{"the agent stops, the answer was lost", lostAnswer, true, false, false},
	{"the agent loses its state, the request was lost", lostOnWay, true, true, false},
	{"the agent loses its state, the answer was lost", lostAnswer, true, true, false},
	{"the API stops, the request was lost", lostOnWay, false, false, true},
	{"the API stops, the answer was lost", lostAnswer, false, false, true},
	{"both stop", lostAnswer, true, false, true},
}

// TestBreaks breaks the network, the agent or the API in the middle of a first
// load and of a delta. Afterwards both sides become equal, the load goes on
// where it was, and every batch was applied once.
func TestBreaks(t *testing.T) {
	for _, b := range breaks {
		for _, index := range []string{"", "; CREATE INDEX ix ON {s}.t (rv)"} {
			t.Run(fmt.Sprintf("%s, index %q", b.name, index), func(t *testing.T) {
				r := newRig(t)
				r.db.Exec(t, "CREATE TABLE {s}.t (a int NOT NULL, b int NOT NULL, v int NULL, rv rowversion NOT NULL, PRIMARY KEY (a, b))"+index)
				insertMany(r, 1000)
				r.sync("t").table(func(s *agent.TableSite) { s.Limits.ChunkRows = 100 })

				r.breakAt(4, b.fate, b.agent, b.forget, b.api, func() {})
				r.settles("t")
				if b.agent { // booked after its last batch has arrived
					r.until("the load resumed", func() bool { return r.saw(scheduler.Resume) })
				}
				if n := r.rowsSent(); n > 1000+200 {
					t.Errorf("%d rows were sent for a load of 1,000", n)
				}
				r.quiet("t")
				r.halt()

				r.forget()
				r.breakAt(4, b.fate, b.agent, b.forget, b.api, func() { r.db.Exec(t, "UPDATE {s}.t SET v = v + 1") })
				r.settles("t")
				r.quiet("t")
			})
		}
	}
}

// breakAt starts an agent and, with the nth batch, breaks what it is told to.
// Then it puts all of it back.
func (r *rig) breakAt(n int, f fate, stopAgent, forget, stopAPI bool, change func()) {
	r.t.Helper()
	broken := make(chan struct{})
	down := false
	hit := nth(n, batches, func() fate { down = true; close(broken); return f })
	r.front.set(func(req *http.Request) fate {
		if down {
			return lostOnWay
		}
		return hit(req)
	})
	r.start()
	change()
	select {
	case <-broken:
	case <-time.After(patience):
		r.t.Fatal("the batch never came")
	}
	if stopAgent {
		r.halt()
		if forget {
			r.loseState()
		}
	}
	if stopAPI {
		r.restartAPI()
	}
	r.front.set(nil)
	if stopAgent {
		r.start()
	}
}

// restartAPI closes the store as it is and opens it again under a new API.
func (r *rig) restartAPI() {
	r.t.Helper()
	r.front.mu.Lock()
	defer r.front.mu.Unlock()
	_ = r.store.Close() // also where it is closed already
	r.store = r.reopen()
	r.front.api = cloud.New(cloud.Config{Store: r.store})
}

func (r *rig) saw(kind scheduler.Kind) bool {
	for _, e := range r.decisions("t") {
		if e.Upload == string(kind) {
			return true
		}
	}
	return false
}

func (r *rig) rowsSent() (n int64) {
	for _, e := range r.decisions("t") {
		n += e.Outcome.Inserted + e.Outcome.Updated + e.Outcome.Unchanged
	}
	return n
}

// TestDamagedState starts with a state file that is none: it is set aside, and
// nothing is sent again but what a comparison finds.
func TestDamagedState(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL); INSERT INTO {s}.t (id, v) VALUES (1, 1), (2, 2)")
	r.sync("t").start()
	r.settles("t")
	r.halt()
	if err := os.WriteFile(filepath.Join(r.dir, state.FileName), []byte("no state at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.db.Exec(t, "DELETE FROM {s}.t WHERE id = 1; INSERT INTO {s}.t (id, v) VALUES (3, 3)")
	r.forget()
	r.start()
	r.settles("t")
	if r.saw(scheduler.FirstLoad) {
		t.Error("the table was loaded again")
	}
	aside, err := filepath.Glob(filepath.Join(r.dir, state.FileName+".damaged-*"))
	if err != nil || len(aside) != 1 {
		t.Fatalf("set aside: %v, %v", aside, err)
	}
	s, err := r.agent.Status(t.Context())
	if err != nil || len(s.Notes) != 1 || !strings.HasPrefix(s.Notes[0], filepath.Base(aside[0])) {
		t.Errorf("notes: %q, %v", s.Notes, err)
	}
}

// TestOutage keeps the cloud away for a while, says so, and catches up.
func TestOutage(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL); INSERT INTO {s}.t (id, v) VALUES (1, 1)")
	r.sync("t").start()
	r.settles("t")
	r.front.set(func(*http.Request) fate { return lostOnWay })
	r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES (2, 2)")
	r.until("status tells of the outage", func() bool {
		s, err := r.agent.Status(t.Context())
		return err == nil && s.Cloud.Problem != nil && s.Cloud.Problem.Kind == agent.ProblemCloudAway && !s.Healthy
	})
	r.front.set(nil)
	r.settles("t")
	r.until("status is well again", func() bool {
		s, err := r.agent.Status(t.Context())
		return err == nil && s.Healthy
	})
}
