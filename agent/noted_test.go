package agent_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/zap/zaptest"

	"tidemark/agent"
	"tidemark/sqlserver"
)

// TestNoted has an agent end with problems of its configuration, its cloud and
// a source: who asks when it does not run is told of them. With none left they
// are gone, and yet nobody says that all is well.
func TestNoted(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	r.sync("t")
	away := agent.SourceSite{Name: "away", Tables: []agent.TableSite{{Dataset: "away.t", Schema: "dbo", Name: "t"}}}
	r.site = func(s *agent.Site) {
		away := away
		var err error
		if away.Source, err = sqlserver.Open(sqlserver.Config{Server: "127.0.0.1", Port: 1, Database: "d", User: "u", Password: "p"}); err != nil {
			t.Fatal(err)
		}
		s.Sources = append(s.Sources, away)
	}
	beat := r.beating(func(context.Context) (agent.Site, error) { return agent.Site{}, errors.New("a mistake in line 3") })
	r.settles("t")
	if err := r.agent.Reload(t.Context()); err == nil {
		t.Fatal("the mistake was taken")
	}
	r.front.set(func(*http.Request) fate { return lostOnWay })
	r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES (7, N'g')")
	r.until("status tells of all three", func() bool {
		s, err := r.agent.Status(t.Context())
		return err == nil && s.Config != nil && s.Cloud.Problem != nil && s.Sources[1].Problem != nil
	})
	beat()
	r.halt()
	main := agent.SourceSite{Name: "main", Tables: r.tables}
	s := r.left(main, away)
	if s.Healthy || s.Config == nil || s.Cloud.Problem == nil || s.Sources[0].Problem != nil || s.Sources[1].Problem == nil {
		t.Fatalf("status %+v", s)
	}
	if p := s.Config; p.Kind != agent.ProblemConfig || !strings.Contains(p.Message, "a mistake in line 3") || p.Since.IsZero() || p.Times != 1 {
		t.Errorf("configuration: %+v", p)
	}
	if p := s.Cloud.Problem; p.Kind != agent.ProblemCloudAway || p.Scope != "cloud" || p.Message == "" {
		t.Errorf("cloud: %+v", p)
	}
	if p := s.Sources[1].Problem; p.Kind != agent.ProblemUnreachable || p.Scope != "source" || p.Name != "away" || p.Hint == "" {
		t.Errorf("source: %+v", p)
	}

	r.front.set(nil)
	r.site = nil
	beat = r.beating(nil)
	r.settles("t")
	r.until("nothing is wrong", func() bool {
		s, err := r.agent.Status(t.Context())
		return err == nil && s.Healthy
	})
	beat()
	r.halt()
	if s := r.left(main); s.Healthy || s.Config != nil || s.Cloud.Problem != nil || s.Sources[0].Problem != nil {
		t.Errorf("status %+v", s)
	}
}

// beating starts an agent. What it returns waits until its house was kept
// from beginning to end.
func (r *rig) beating(reload func(context.Context) (agent.Site, error)) (beat func()) {
	r.t.Helper()
	var beats atomic.Int64
	a, err := agent.New(r.newSite(), agent.Options{
		StateDir: r.dir, Log: zaptest.NewLogger(r.t), Reload: reload, Alive: func() { beats.Add(1) },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.run(a)
	return func() {
		from := beats.Load()
		r.until("its house was kept", func() bool { return beats.Load() >= from+2 })
	}
}

// left is what an agent that was halted left of these sources.
func (r *rig) left(sources ...agent.SourceSite) agent.Status {
	r.t.Helper()
	o, err := agent.OpenOffline(r.dir, agent.Site{Customer: customer, Sources: sources})
	if err != nil {
		r.t.Fatal(err)
	}
	s, err := o.Status(r.t.Context())
	if err != nil {
		r.t.Error(err)
	}
	if err := o.Close(); err != nil {
		r.t.Error(err)
	}
	return s
}
