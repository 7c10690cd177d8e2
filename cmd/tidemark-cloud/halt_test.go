package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud/rollout"
	"tidemark/internal/command/commandtest"
	"tidemark/internal/pgtest"
	"tidemark/internal/wire"
)

// A haltSite is a server on Postgres, and the agent of acme that asks it.
type haltSite struct {
	t         *testing.T
	base, key string
	transport *http.Transport
}

// command runs a command of the operator's, which has to end well.
func (s *haltSite) command(args ...string) string {
	s.t.Helper()
	var out bytes.Buffer
	if code := run(args, nil, &out, s.t.Output()); code != 0 {
		s.t.Fatalf("%v ended with %d", args, code)
	}
	return out.String()
}

// get asks as the agent does. A body is there only with 200.
func (s *haltSite) get(ctx context.Context, path string) []byte {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/v1/customers/acme/"+path, nil)
	if err != nil {
		return nil
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	got, err := s.transport.RoundTrip(r)
	if err != nil {
		return nil
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != http.StatusOK {
		return nil
	}
	return body
}

// until waits for what f finds.
func (s *haltSite) until(what string, f func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Minute); !f(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: not in ten minutes", what)
		}
	}
}

// rollout is what `rollout show --json` says.
func (s *haltSite) rollout() (r rollout.Rollout) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.command("rollout", "show", "orders", "--json")), &r); err != nil {
		s.t.Fatal(err)
	}
	return r
}

// policy is what the agent is told; not known while the server is not there.
func (s *haltSite) policy() (p wire.Policy, known bool) {
	body := s.get(s.t.Context(), "policy")
	return p, body != nil && json.Unmarshal(body, &p) == nil
}

// A database that no longer answers halts the rollout of the table that was
// just turned on: the share goes back, the record says why, and the agent's
// policy has the table off again.
func TestRolloutIsHalted(t *testing.T) {
	dsn := pgtest.Start(t)
	t.Setenv("TIDEMARK_STORE", dsn)
	s := &haltSite{t: t, base: "http://" + commandtest.FreeAddress(), transport: &http.Transport{}}
	defer s.transport.CloseIdleConnections()
	s.key = strings.TrimSpace(s.command("customers", "add", "acme"))
	s.command("rollout", "create", "orders", "--table", "dbo.orders", "--new", "--steps", "100%", "--bound", "latency=5s", "--hold", "10s", "--reason", "new table")
	s.command("rollout", "step", "orders", "--reason", "begin")
	leave := pgtest.Replica(t, dsn)
	s.command("rollout", "create", "lines", "--table", "dbo.lines", "--new", "--bound", "latency=5s", "--bound", "lag=30s", "--reason", "their replica")
	leave() // and does not come back
	if got := s.command("rollout", "step", "lines", "--reason", "begin"); !strings.Contains(got, "no server has looked yet") {
		t.Errorf("without a server:\n%s", got)
	}

	var log bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer func() { cancel(); work.Wait() }()
	work.Go(func() {
		a := &app{out: io.Discard, err: &log, pace: rollout.Pace{Every: 250 * time.Millisecond, Settle: time.Second}}
		c := newServe(a)
		c.SetArgs([]string{"--listen", strings.TrimPrefix(s.base, "http://")})
		if err := c.ExecuteContext(ctx); err != nil {
			t.Error(err)
		}
	})
	s.until("the share is in force", func() bool { return s.rollout().Share == rollout.All })
	for range 2 { // the agent's questions, which a lock on the versions holds up
		work.Go(func() {
			for ctx.Err() == nil {
				s.get(ctx, "tables/dbo.orders") // that nobody has registered: the store is asked
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	s.until("the table is on", func() bool { p, known := s.policy(); return known && !p.Tables["dbo.orders"].Disabled })

	s.until("a step that waits says for what", func() bool {
		got := s.command("rollout", "show", "lines")
		return strings.Contains(got, "lag is not known: the database has no replica") && strings.Contains(got, "latency is ")
	})
	if got := s.command("rollout", "show", "orders"); !strings.Contains(got, " before the step, is ") {
		t.Errorf("what is watched is not shown as it is:\n%s", got)
	}

	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE tidemark.versions IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	s.until("the rollout is halted", func() bool { return s.rollout().State == rollout.Halted })
	if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if r := s.rollout(); r.Share != 0 || !strings.Contains(r.Reason, "latency") {
		t.Errorf("at %s, because %q", r.Share, r.Reason)
	}
	s.until("the table is off", func() bool { p, known := s.policy(); return known && p.Tables["dbo.orders"].Disabled })
	if got := s.command("audit", "--subject", "rollout orders"); !strings.Contains(got, "the server  rollout halt orders: latency ") {
		t.Errorf("the record:\n%s", got)
	}
	cancel()
	work.Wait()
	if n := strings.Count(log.String(), "alarm: a rollout is halted"); n != 1 {
		t.Errorf("%d alarms:\n%s", n, log.String())
	}
}
