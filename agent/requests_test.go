package agent_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tidemark/agent"
	"tidemark/scheduler"
)

// TestPause holds that a paused table stands still, also over a restart, and
// that a pause of everything does so for all.
func TestPause(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	r.db.Exec(t, "CREATE TABLE {s}.u (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	r.sync("t", "u").start()
	r.settles("t", "u")
	if err := r.agent.Pause(t.Context(), "t", "stocktaking"); err != nil {
		t.Fatal(err)
	}
	r.halt()
	r.start()
	r.db.Exec(t, "INSERT INTO {s}.t (id) VALUES (9); INSERT INTO {s}.u (id) VALUES (9)")
	r.settles("u")
	if s := r.status("t"); s.State != agent.StatePaused || s.Paused.Reason != "stocktaking" || len(r.there("t")) != 2 {
		t.Errorf("status %+v, %d rows", s, len(r.there("t")))
	}
	if _, err := r.agent.Sync(t.Context(), "t"); !errors.Is(err, agent.ErrPaused) {
		t.Errorf("sync while paused: %v", err)
	}
	if err := r.agent.Resume(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	r.settles("t")
	if err := r.agent.Pause(t.Context(), "", "backup"); err != nil {
		t.Fatal(err)
	}
	r.halt() // so that no cycle is under way
	r.start()
	r.db.Exec(t, "INSERT INTO {s}.u (id) VALUES (10)")
	time.Sleep(200 * time.Millisecond)
	s, err := r.agent.Status(t.Context())
	if err != nil || s.Paused == nil || s.Healthy || len(r.there("u")) != 1 {
		t.Errorf("status %+v, %v", s, err)
	}
	if err := r.agent.Resume(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	r.settles("u")
}

// TestExplain replays the decisions of a site from its journal.
func TestExplain(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	a := r.sync("t").start()
	r.settles("t")
	r.db.Exec(t, "UPDATE {s}.t SET v = N'c' WHERE id = 1")
	r.settles("t")
	r.db.Exec(t, "DELETE FROM {s}.t WHERE id = 1")
	r.settles("t")
	r.quiet("t")
	e, err := a.Explain(t.Context(), r.db.Schema+".T") // schema.table, in any case
	if err != nil || e.Entry == nil || !e.Same || e.Replay != e.Entry.Reason || len(e.Facts) == 0 || e.Status == nil {
		t.Errorf("%+v, %v", e, err)
	}
	if slices.ContainsFunc(e.Facts, func(f agent.Fact) bool { return f.Name == skippedAfter }) {
		t.Errorf("forced skips of a table that has none: %+v", e.Facts)
	}
	entries, err := a.Journal(t.Context(), "t", 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, entry := range entries {
		seen[entry.Action+" "+entry.Upload] = true
		if i > 0 && entry.Time.After(entries[i-1].Time) {
			t.Error("the journal is not newest first")
		}
		again, err := agent.Replay(entry)
		if err != nil || again.Reason != entry.Reason || string(again.Action) != entry.Action {
			t.Errorf("decided %q, replayed %q (%v)", entry.Reason, again.Reason, err)
		}
	}
	for _, want := range []string{"upload first-load", "upload delta", "diff ", "skip "} {
		if !seen[want] {
			t.Errorf("the journal has no %q: %v", want, seen)
		}
	}
	if _, err := a.Explain(t.Context(), "none"); !errors.Is(err, agent.ErrNoTable) {
		t.Errorf("explain of no table: %v", err)
	}
}

// TestDryRun counts what a diff would do, and does nothing.
func TestDryRun(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	r.sync("t").table(func(s *agent.TableSite) { s.Interval, s.MaxSkips = time.Hour, 1000 }).start()
	r.until("it runs", func() bool { // its own first cycle may be a minute away
		_, err := r.agent.Sync(t.Context(), "t")
		return err == nil
	})
	r.equal("t")
	if n := r.decided("t", scheduler.Diff); n != 0 {
		t.Errorf("%d diffs behind a load into an empty table", n)
	}
	r.db.Exec(t, "DELETE FROM {s}.t WHERE id = 1")
	report, err := r.agent.Diff(t.Context(), "t", true)
	if err != nil || report.Surplus != 1 || report.Deleted != 0 || !report.DryRun || len(r.there("t")) != 2 {
		t.Errorf("%+v, %v, %d rows", report, err, len(r.there("t")))
	}
	report, err = r.agent.Diff(t.Context(), "t", false)
	if err != nil || report.Surplus != 1 || report.Deleted != 1 || report.Compared != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	r.equal("t")
}

// TestReload changes the tables under a running agent; a configuration that
// is wrong changes nothing.
func TestReload(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	r.db.Exec(t, "CREATE TABLE {s}.u (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL); INSERT INTO {s}.u (id) VALUES (1)")
	r.sync("t")
	wrong := errors.New("a mistake in line 7\n  ^^^")
	var refuse error
	r.reload = func(context.Context) (agent.Site, error) {
		if refuse != nil {
			return agent.Site{}, refuse
		}
		return r.newSite(), nil
	}
	a := r.start()
	r.settles("t")
	refuse = wrong
	if err := a.Reload(t.Context()); !errors.Is(err, wrong) {
		t.Errorf("reload: %v", err)
	}
	refused := func() *agent.Problem {
		t.Helper()
		s, err := a.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Healthy == (s.Config != nil) {
			t.Errorf("healthy %v with %v", s.Healthy, s.Config)
		}
		return s.Config
	}
	if p := refused(); p == nil || p.Kind != agent.ProblemConfig || !strings.Contains(p.Message, "line 7") || strings.Contains(p.Message, "^") || p.Times != 1 {
		t.Errorf("status says of the configuration: %+v", p)
	}
	if err := a.Reload(t.Context()); !errors.Is(err, wrong) || refused().Times != 2 {
		t.Errorf("reload again: %v, %+v", err, refused())
	}
	refuse = nil
	r.sync("u")
	if err := a.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := refused(); p != nil {
		t.Errorf("a reload that went well left %+v", p)
	}
	r.settles("t", "u")
	r.forget()
	r.tables = r.tables[1:]
	if err := a.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, err := a.Status(t.Context()); err != nil || len(s.Tables) != 1 || s.Tables[0].Name != "u" {
		t.Errorf("%+v, %v", s.Tables, err)
	}
	if r.saw(scheduler.FirstLoad) {
		t.Error("a reload made a table load again")
	}
	r.db.Exec(t, "INSERT INTO {s}.u (id) VALUES (2)")
	r.settles("u")
}

// TestOffline tells what an agent left when it does not run.
func TestOffline(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	r.sync("t").start()
	r.settles("t")
	r.quiet("t")
	r.halt()
	o, err := agent.OpenOffline(r.dir, agent.Site{Customer: customer, Sources: []agent.SourceSite{{Name: "main", Tables: r.tables}}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := o.Status(t.Context())
	if err != nil || s.Live || len(s.Tables) != 1 || s.Tables[0].State != agent.StateOK || *s.Tables[0].CloudRows != 2 || s.Tables[0].Decision == nil || s.Sources[0].Epoch == "" {
		t.Errorf("%+v, %v", s, err)
	}
	if e, err := o.Explain(t.Context(), "t"); err != nil || e.Entry == nil || !e.Same {
		t.Errorf("%+v, %v", e, err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	if _, err := agent.OpenOffline(t.TempDir(), agent.Site{}); err == nil {
		t.Error("a state was read where there is none")
	}
}

// TestOnce runs single cycles, as "tidemark once" does.
func TestOnce(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	r.sync("t")
	r.once()
	r.equal("t")
	r.db.Exec(t, "DELETE FROM {s}.t WHERE id = 1; UPDATE {s}.t SET v = N'z' WHERE id = 2")
	r.once()
	r.equal("t")
	a := r.open()
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	r.front.set(func(*http.Request) fate { return lostOnWay })
	if err := a.Once(t.Context(), 100*time.Millisecond); err == nil {
		t.Error("the cloud is away, and nothing was said")
	}
}
