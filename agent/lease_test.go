package agent_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tidemark/agent"
	"tidemark/cloud"
	"tidemark/internal/wire"
	"tidemark/scheduler"
)

// leases lets the API's leases through, with these terms.
func (r *rig) leases(terms cloud.LeaseTerms) *rig {
	r.front.mu.Lock()
	defer r.front.mu.Unlock()
	r.front.api, r.front.leases = cloud.New(cloud.Config{Store: r.store, Leases: terms}), true
	return r
}

// offering has the API offer a lease of the test's own.
func (r *rig) offering(lease string) *rig {
	r.front.mu.Lock()
	defer r.front.mu.Unlock()
	api := r.front.api
	r.front.leases, r.front.api = true, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		api.ServeHTTP(leased{w, lease}, req)
	})
	return r
}

// reported waits until the cloud has a report that is as it should be.
func (r *rig) reported(what string, is func(wire.Report) bool) wire.Report {
	r.t.Helper()
	var doc wire.Report
	r.until(what, func() bool {
		kept, err := r.store.Report(r.t.Context(), customer)
		if err != nil {
			r.t.Fatal(err)
		}
		if kept.Document == nil {
			return false
		}
		if doc, err = kept.Read(); err != nil {
			r.t.Fatal(err)
		}
		return is(doc)
	})
	return doc
}

func tableOf(r wire.Report, name string) (t wire.TableReport) {
	for _, have := range r.Tables {
		if have.Name == name {
			t = have
		}
	}
	return t
}

// TestQuietDay has a site on which nothing happens check in 48 times, as it
// does in a day of half hours: it sends nothing else, although its caps are
// reached again and again. Its leases outlast every stall of the machine that
// runs the test: what happens at the end of one is TestLeaseEnds.
func TestQuietDay(t *testing.T) {
	const every, checkIns = 150 * time.Millisecond, 48
	r := newRig(t).offering("hold=3600, return=0.15, every=0.15, pace=0.05")
	names := []string{"a", "b", "c"}
	for _, name := range names {
		r.db.Exec(t, "CREATE TABLE {s}."+name+" (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL); INSERT INTO {s}."+name+" (id) VALUES (1)")
	}
	r.sync(names...).start()
	r.settles(names...)
	r.reported("all tables are well", func(doc wire.Report) bool {
		for _, name := range names {
			if tableOf(doc, name).State != string(agent.StateOK) {
				return false
			}
		}
		return true
	})
	var began time.Time                        // the test may stand still between any two lines
	r.until("the site is quiet", func() bool { // a start asks for what it does not remember
		r.front.counts()
		r.until("a check-in", func() bool { return r.front.total() > 0 })
		began = time.Now()
		seen := r.front.counts()
		return len(seen) == 1 && seen["PUT report"] > 0
	})
	r.forget()
	r.until("a day passes, and every cap is reached", func() bool {
		return r.front.total() >= checkIns &&
			!slices.ContainsFunc(names, func(name string) bool { return r.decided(name, scheduler.Nothing) == 0 })
	})
	seen := r.front.counts()
	if most := int(time.Since(began)/every) + 2; len(seen) != 1 || seen["PUT report"] > most {
		t.Errorf("a quiet site sent %v, at most %d check-ins were due", seen, most)
	}
}

// TestCloudWentBack drops a table in the cloud behind the agent's back, as a
// restore does. The next check-in tells, long before the skips reach their cap.
func TestCloudWentBack(t *testing.T) {
	r := newRig(t).leases(cloud.LeaseTerms{Every: 200 * time.Millisecond})
	r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL); INSERT INTO {s}.t (id) VALUES (1), (2)")
	r.sync("t").table(func(s *agent.TableSite) { s.MaxSkips, s.VerifyEvery = 10_000, 0 }).start()
	r.settles("t")
	r.quiet("t")
	if _, err := r.store.Drop(t.Context(), customer, "t", cloud.Drop{Writer: wire.Writer{ID: "operator"}, TakeOver: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.store.Release(t.Context(), customer, "t"); err != nil {
		t.Fatal(err)
	}
	r.settles("t")
}

// TestReports holds that the cloud is told what matters at the lease's pace,
// and not before.
func TestReports(t *testing.T) {
	r := newRig(t).leases(cloud.LeaseTerms{Every: 100 * time.Millisecond})
	r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL); INSERT INTO {s}.t (id) VALUES (1), (2)")
	r.db.Exec(t, "CREATE TABLE {s}.u (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	r.sync("t", "u").start()
	r.settles("t", "u")
	doc := r.reported("the site is well", func(doc wire.Report) bool {
		return tableOf(doc, "t").State == string(agent.StateOK) && tableOf(doc, "u").State == string(agent.StateOK) && tableOf(doc, "t").Rows != nil
	})
	if own := tableOf(doc, "t"); own.Rows == nil || *own.Rows != 2 || own.Problem != nil || own.Decision == "" || own.Source != "main" || own.Synced.IsZero() {
		t.Errorf("%+v", own)
	}
	if doc.OS == "" || doc.Started.IsZero() || doc.Instance == "" || len(doc.Sources) != 1 || doc.Sources[0].Server == "" {
		t.Errorf("%+v", doc)
	}

	// From now on the next check-in is an hour away, and something happens.
	r.leases(cloud.LeaseTerms{Every: 2 * time.Hour, Pace: 50 * time.Millisecond})
	r.front.counts()
	r.until("the site knows", func() bool { return r.front.total() > 0 && r.agentLease() > time.Hour })
	r.until("status tells when it comes back", func() bool {
		s, err := r.agent.Status(t.Context())
		return err == nil && s.Cloud.CheckIn != nil && s.Cloud.CheckIn.Sub(s.Time) > 30*time.Minute
	})
	r.front.counts()
	r.db.Exec(t, "UPDATE {s}.t SET v = 1 WHERE id = 1") // nobody has to act on that
	r.settles("t")
	if n := r.front.counts()["PUT report"]; n != 0 {
		t.Errorf("%d reports of a change that went up", n)
	}
	r.db.Exec(t, "DROP TABLE {s}.u")
	if _, err := r.agent.Sync(t.Context(), "u"); err == nil {
		t.Error("a table that is gone was synced")
	}
	doc = r.reported("the table is gone", func(doc wire.Report) bool { return tableOf(doc, "u").Problem != nil })
	if p := tableOf(doc, "u").Problem; p.Kind != string(agent.ProblemGone) && p.Kind != string(agent.ProblemSchema) || p.Since.IsZero() {
		t.Errorf("%+v", p)
	}
}

// agentLease is when the agent would come back, as the API said last.
func (r *rig) agentLease() time.Duration {
	r.front.mu.Lock()
	defer r.front.mu.Unlock()
	l, _ := wire.ParseLease(r.front.lease)
	return l.Return
}

// TestOldClouds holds that a cloud without reports and leases is no problem.
func TestOldClouds(t *testing.T) {
	r := newRig(t)
	api := r.front.api
	r.front.leases = true
	r.front.api = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/report") {
			w.Header().Set("Content-Type", wire.ProblemType)
			w.WriteHeader(http.StatusNotFound)
			_ = json.NewEncoder(w).Encode(wire.NewProblem(wire.NotFound, "", ""))
			return
		}
		api.ServeHTTP(leased{w, "hold=4, return=0.1, every=0.1, pace=0.1"}, req)
	})
	r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL); INSERT INTO {s}.t (id) VALUES (1)")
	r.sync("t").table(func(s *agent.TableSite) { s.MaxSkips = 10_000 }).start()
	r.settles("t")
	r.until("check-ins without reports", func() bool {
		r.front.mu.Lock()
		defer r.front.mu.Unlock()
		return r.front.seen["PUT report"] > 2 && r.front.seen["GET versions"] > 2
	})
	if s, err := r.agent.Status(t.Context()); err != nil || !s.Healthy {
		t.Errorf("%+v, %v", s.Problems(), err)
	}
}

// TestLeaseEnds holds that the cloud is asked again, at the cap of skips, when
// a lease has ended and no check-in is due.
func TestLeaseEnds(t *testing.T) {
	r := newRig(t).offering("hold=0.4, return=7200, every=7200, pace=300")
	r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL); INSERT INTO {s}.t (id) VALUES (1)")
	r.sync("t").start()
	r.settles("t")
	r.forget() // first: what is counted below has its decisions behind it
	r.front.counts()
	r.until("three leases end", func() bool {
		r.front.mu.Lock()
		defer r.front.mu.Unlock()
		return r.front.seen["GET versions"] >= 3
	})
	if asked, caps := r.front.counts()["GET versions"], r.decided("t", scheduler.Nothing); asked > caps+1 { // one may be under way
		t.Errorf("asked %d times at %d caps", asked, caps)
	}
}

// leased is the answer of another cloud, which has leases of its own.
type leased struct {
	http.ResponseWriter
	lease string
}

func (w leased) WriteHeader(code int) {
	w.Header().Set(wire.HeaderLease, w.lease)
	w.ResponseWriter.WriteHeader(code)
}

func (w leased) Write(b []byte) (int, error) {
	w.Header().Set(wire.HeaderLease, w.lease)
	return w.ResponseWriter.Write(b)
}

func (w leased) Unwrap() http.ResponseWriter { return w.ResponseWriter }
