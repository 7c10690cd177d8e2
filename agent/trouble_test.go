package agent_test

import (
	"context"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"tidemark/agent"
	"tidemark/cloud"
	"tidemark/internal/mssqltest"
	"tidemark/internal/mssqltest/engine"
	"tidemark/internal/mssqltest/tds"
	"tidemark/internal/wire"
	"tidemark/sqlserver"
)

const plain = "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v nvarchar(max) NULL, rv rowversion NOT NULL); INSERT INTO {s}.t (id, v) VALUES (1, N'a'), (2, N'b')"

// TestSourceTrouble holds that each thing that can be wrong with a source is
// one clear state with a hint, tried again, and over when it is mended.
func TestSourceTrouble(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config func(*sqlserver.Config)
		kind   agent.ProblemKind
	}{
		{"a wrong password", func(c *sqlserver.Config) { c.Password = "wrong" }, agent.ProblemLogin},
		{"a server that is not there", func(c *sqlserver.Config) { c.Port = 1 }, agent.ProblemUnreachable},
		{"a database that is not there", func(c *sqlserver.Config) { c.Database = "none" }, agent.ProblemUnreachable},
		{"a certificate that is not trusted", func(c *sqlserver.Config) { c.TrustServerCertificate = false }, agent.ProblemTLS},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			r.db.StandIn(t, "be reached by parts of a connection string")
			r.db.Exec(t, plain)
			r.source = tt.config
			r.sync("t").start()
			r.sourceProblem(tt.kind)
			r.halt()
			r.source = nil
			r.start()
			r.settles("t")
		})
	}
}

// A clock a year off is told, stops nothing, and is over when it is set right.
func TestClockIsWrong(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	r.front.clock = (365*24 + 1) * time.Hour
	r.sync("t").start()
	r.settles("t")
	problem := func() *agent.Problem {
		s, err := r.agent.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s.Cloud.Problem
	}
	r.until("status tells of the clock", func() bool {
		p := problem()
		return p != nil && p.Kind == agent.ProblemClock && strings.Contains(p.Message, "365 days behind the cloud's") && strings.Contains(p.Hint, "NTP")
	})
	r.front.mu.Lock()
	r.front.clock = 0
	r.front.mu.Unlock()
	r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES (3, N'c')")
	r.until("the clock is right again", func() bool { return problem() == nil })
}

// sourceProblem waits until the status tells of a problem of that kind.
func (r *rig) sourceProblem(kind agent.ProblemKind) agent.Problem {
	r.t.Helper()
	var p *agent.Problem
	r.until("status tells of "+string(kind), func() bool {
		s, err := r.agent.Status(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		p = s.Sources[0].Problem
		return p != nil && p.Kind == kind && !s.Healthy
	})
	if p.Hint == "" || p.Next == nil || p.Message == "" {
		r.t.Errorf("problem %+v", p)
	}
	return *p
}

// TestUnencryptedServer asks a server for encryption that has none.
func TestUnencryptedServer(t *testing.T) {
	stand, err := mssqltest.Start(mssqltest.Options{TDS: tds.Options{Encryption: tds.EncryptionUnavailable}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stand.Close(); err != nil {
			t.Error(err)
		}
	})
	r := newRig(t)
	r.db.StandIn(t, "be without encryption")
	_, port, err := net.SplitHostPort(stand.Addr())
	if err != nil {
		t.Fatal(err)
	}
	r.source = func(c *sqlserver.Config) { c.Port, _ = strconv.Atoi(port) }
	r.sync("t").start()
	r.sourceProblem(agent.ProblemTLS)
}

// TestOnePermissionMissing holds that a table without rights stops alone.
func TestOnePermissionMissing(t *testing.T) {
	r := newRig(t)
	stand := r.db.StandIn(t, "revoke a right at once")
	r.db.Exec(t, plain)
	r.db.Exec(t, "CREATE TABLE {s}.u (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL); INSERT INTO {s}.u (id) VALUES (1)")
	login := stand.AddLogin(&engine.Login{Name: "sync", Password: "Sync 1", ViewDefinition: true, SelectAll: true})
	login.Deny(r.db.Schema + ".u")
	r.source = func(c *sqlserver.Config) { c.User, c.Password = "sync", "Sync 1" }
	r.sync("t", "u").start()
	r.settles("t")
	r.until("status tells of it", func() bool {
		p := r.status("u").Problem
		return p != nil && p.Kind == agent.ProblemPermission && strings.Contains(p.Message, "SELECT")
	})
	login.Revoke(r.db.Schema + ".u")
	if _, err := r.agent.Sync(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	r.settles("u")
	if s := r.status("u"); s.Problem != nil {
		t.Errorf("problem %+v", s.Problem)
	}
}

// TestOneSourceAway holds that a source that fails holds no other back.
func TestOneSourceAway(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	r.sync("t")
	r.site = func(s *agent.Site) {
		away, err := sqlserver.Open(sqlserver.Config{Server: "127.0.0.1", Port: 1, Database: "d", User: "u", Password: "p"})
		if err != nil {
			t.Fatal(err)
		}
		s.Sources = append(s.Sources, agent.SourceSite{Name: "away", Source: away, Tables: []agent.TableSite{{Dataset: "away.t", Schema: "dbo", Name: "t", Interval: 30 * time.Millisecond}}})
	}
	r.start()
	r.settles("t")
	var s agent.Status
	r.until("status tells of the other", func() (told bool) {
		var err error
		if s, err = r.agent.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s.Sources[1].Problem != nil
	})
	if s.Sources[0].Problem != nil {
		t.Errorf("%+v", s.Sources)
	}
}

// TestStatementFaults has statements of a running sync fail in the ways that
// a busy server has.
func TestStatementFaults(t *testing.T) {
	for name, fault := range map[string]mssqltest.Fault{
		"lock time-outs":       {Err: mssqltest.LockTimeout, Times: 3},
		"deadlock victims":     {Err: mssqltest.Deadlock, Times: 3},
		"severe errors":        {Err: mssqltest.Severe, Times: 2},
		"errors behind rows":   {Err: mssqltest.Deadlock, Rows: 1, Times: 2},
		"statements that hang": {Delay: time.Minute, Times: 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			stand := r.db.StandIn(t, "make statements fail")
			r.db.Exec(t, plain)
			if fault.Delay > 0 {
				r.source = func(c *sqlserver.Config) { c.Limits.StatementTimeout = 2 * time.Second }
			}
			r.sync("t").start()
			r.settles("t")
			fault.Match = regexp.MustCompile("^SET NOCOUNT ON") // the agent's, not the test's
			defer stand.Inject(fault)()
			r.db.Exec(t, "UPDATE {s}.t SET v = N'c' WHERE id = 1; DELETE FROM {s}.t WHERE id = 2; INSERT INTO {s}.t (id, v) VALUES (3, N'd')")
			r.settles("t")
		})
	}
}

// TestQuarantine has rows that cannot be sent: one over the row limit and one
// that the cloud refuses. They are named, block nothing, and go when they
// change.
func TestQuarantine(t *testing.T) {
	onStores(t, func(t *testing.T, r *rig) {
		r.db.Exec(t, plain)
		r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES (3, REPLICATE(CONVERT(nvarchar(max), N'x'), 3000)), (4, N'no' + NCHAR(0) + N'ul'), (5, N'e')")
		r.sync("t").table(func(s *agent.TableSite) { s.Limits.RowBytes = 4096 }).start()
		r.until("the good rows are there", func() bool { return r.registered("t") && r.version("t").Loaded && len(r.there("t")) == 3 })
		r.until("two rows are in quarantine", func() bool {
			s := r.status("t")
			return s.Quarantine != nil && s.Quarantine.Rows == 2 && s.Problem != nil && s.Problem.Kind == agent.ProblemQuarantine
		})
		rows, err := r.agent.Quarantine(t.Context(), "t")
		if err != nil || len(rows) != 2 || rows[0].Key != "[3]" || rows[0].Bytes < 4096 || rows[1].Key != "[4]" || !strings.Contains(rows[1].Reason, "v") {
			t.Fatalf("quarantine %+v, %v", rows, err)
		}
		r.forget()
		r.until("some cycles", func() bool { return len(r.decisions("t")) > 30 })
		diffs := 0
		for _, e := range r.decisions("t") {
			if e.Action == "diff" {
				diffs++
			}
		}
		if diffs > 2 {
			t.Errorf("%d diffs for two rows that are known to be missing", diffs)
		}
		r.db.Exec(t, "UPDATE {s}.t SET v = N'short' WHERE id = 3")
		r.until("the first has gone from the quarantine", func() bool { return r.status("t").Quarantine == nil || r.status("t").Quarantine.Rows < 2 })
		tried := func() int {
			rows, err := r.agent.Quarantine(t.Context(), "t")
			if err != nil || len(rows) != 1 {
				t.Fatalf("quarantine %+v, %v", rows, err)
			}
			return rows[0].Tries
		}
		before := tried()
		if n, err := r.agent.RetryQuarantine(t.Context(), "t", nil); err != nil || n != 1 {
			t.Errorf("retry: %d, %v", n, err)
		}
		r.until("the second has been tried again", func() bool { return tried() > before })
		r.db.Exec(t, "DELETE FROM {s}.t WHERE id = 4")
		r.diff(false)
		r.until("the deleted one has gone too", func() bool { return r.status("t").Quarantine == nil })
		r.settles("t")
		r.quiet("t")
	})
}

// TestSecondWriter has a second installation sync the same table: it is
// refused by name, and becomes the writer when it is told to.
func TestSecondWriter(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	r.sync("t").start()
	r.settles("t")
	r.halt()
	r.dir, r.host = t.TempDir(), "site-2"
	r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES (7, N'g')")
	r.start()
	r.until("status tells of it", func() bool {
		p := r.status("t").Problem
		return p != nil && p.Kind == agent.ProblemSecondWriter && strings.Contains(p.Message, "site-1")
	})
	if len(r.there("t")) != 2 {
		t.Error("it wrote all the same")
	}
	r.halt()
	r.site = func(s *agent.Site) { s.TakeOver = true }
	r.start()
	r.settles("t")
	if w := r.version("t").Writer; w.Name != "site-2" {
		t.Errorf("writer %+v", w)
	}
}

// TestWrongKey has the cloud refuse the key: one state for the customer, and
// over when the key is right.
func TestWrongKey(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	right := r.key
	r.key = "tmk_acme_wrong"
	r.sync("t").start()
	r.until("status tells of it", func() bool {
		s, err := r.agent.Status(t.Context())
		return err == nil && s.Cloud.Problem != nil && s.Cloud.Problem.Kind == agent.ProblemKeyRefused && s.Cloud.Problem.Hint != ""
	})
	r.halt()
	r.key = right
	r.start()
	r.settles("t")
}

// TestPolicy has the operator turn a table off: it does not move, and says why.
func TestPolicy(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	r.db.Exec(t, "CREATE TABLE {s}.u (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	operator := cloud.Operator{Store: r.store, Who: "ann", Why: "test", NewTables: true}
	if _, err := operator.ChangePolicy(t.Context(), "policy set", cloud.OfCustomer(customer), func(wire.Policy) (wire.Policy, error) {
		return wire.Policy{Tables: map[string]wire.TablePolicy{"t": {Disabled: true, Reason: "too much at once"}}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	r.sync("t", "u").start()
	r.settles("u")
	s := r.status("t")
	if s.State != agent.StateDisabled || s.Decision == nil || !strings.Contains(s.Decision.Reason, "too much at once") {
		t.Errorf("status %+v", s)
	}
	if r.registered("t") {
		t.Error("the table moved all the same")
	}
}

// TestContext ends a run in the middle of everything.
func TestContext(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	a := r.sync("t").open()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Run(ctx); err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if err := a.Run(t.Context()); err == nil {
		t.Error("it ran although it was closed")
	}
}
