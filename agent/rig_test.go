package agent_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"

	"tidemark/agent"
	"tidemark/agent/journal"
	"tidemark/agent/state"
	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/cloud/sqlite"
	"tidemark/internal/pgtest"
	"tidemark/internal/wire"
	"tidemark/scheduler"
	"tidemark/sqlserver"
	"tidemark/sqlserver/sqlservertest"
	"tidemark/uploader"
)

const customer = "acme"

// patience is how long a test waits for what must come. Only a failing test
// waits for all of it.
const patience = 8 * time.Minute

// A rig is a whole site with its cloud: a SQL Server (the stand-in, or a real
// one: see package sqlservertest), an agent, the network between (a front),
// and the API over a store.
type rig struct {
	t      *testing.T
	db     *sqlservertest.DB
	store  cloud.Store
	reopen func() cloud.Store
	path   string // of the store, where it is a file
	front  *front
	url    string
	key    string
	dir    string // the agent's state
	host   string
	holds  func(line string) string // what the store holds of a line; nil: all of it

	source func(*sqlserver.Config)
	site   func(*agent.Site)
	tables []agent.TableSite
	reload func(context.Context) (agent.Site, error)
	now    func() time.Time
	log    zapcore.Core // nil: the test's own alone

	agent *agent.Agent
	stop  func()

	mu      sync.Mutex
	entries []journal.Entry // of this agent and those before
}

// stores are what the most important tests run against. Each makes a place
// and returns what opens the store in it, again and again.
var stores = map[string]func(*testing.T) func() cloud.Store{"sqlite": inSQLite, "postgres": inPostgres}

func inSQLite(t *testing.T) func() cloud.Store { return at(t, filepath.Join(t.TempDir(), "cloud.db")) }

func at(t *testing.T, path string) func() cloud.Store {
	return func() cloud.Store {
		s, err := sqlite.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func inPostgres(t *testing.T) func() cloud.Store {
	dsn := pgtest.Start(t)
	return func() cloud.Store {
		s, err := postgres.Open(context.Background(), dsn, postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// onStores runs a test against each store.
func onStores(t *testing.T, test func(*testing.T, *rig)) {
	for name, in := range stores {
		t.Run(name, func(t *testing.T) { test(t, newRigOn(t, in(t))) })
	}
}

func newRig(t *testing.T) *rig {
	path := filepath.Join(t.TempDir(), "cloud.db")
	r := newRigOn(t, at(t, path))
	r.path = path
	return r
}

func newRigOn(t *testing.T, reopen func() cloud.Store) *rig {
	t.Helper()
	t.Parallel() // rigs mostly wait
	store := reopen()
	r := &rig{t: t, db: sqlservertest.Open(t), store: store, reopen: reopen, dir: t.TempDir(), host: "site-1"}
	secret, key := cloud.NewKey(customer, time.Now())
	r.key = secret
	if err := store.AddCustomer(t.Context(), cloud.Customer{ID: customer, Created: time.Now()}, key); err != nil {
		t.Fatal(err)
	}
	r.front = &front{api: cloud.New(cloud.Config{Store: store})}
	server := httptest.NewServer(r.front)
	r.url = server.URL
	t.Cleanup(func() {
		r.halt()
		server.Close()
		if err := r.store.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, e := range r.entries[max(0, len(r.entries)-12):] {
				t.Logf("%s %s: %s: %s %+v", e.Time.Format("05.000"), e.Table, e.Action, e.Reason, e.Outcome)
			}
		}
	})
	return r
}

// sync adds tables to what is synced, each under its own name.
func (r *rig) sync(names ...string) *rig {
	for _, name := range names {
		r.tables = append(r.tables, agent.TableSite{
			Dataset: name, Schema: r.db.Schema, Name: name, Interval: 30 * time.Millisecond,
			MaxSkips: 3, VerifyEvery: time.Hour, CountEvery: 100 * time.Millisecond,
		})
	}
	return r
}

// table changes how the table added last is synced.
func (r *rig) table(change func(*agent.TableSite)) *rig {
	change(&r.tables[len(r.tables)-1])
	return r
}

func (r *rig) newSite() agent.Site {
	r.t.Helper()
	c := r.db.Config
	if r.source != nil {
		r.source(&c)
	}
	src, err := sqlserver.Open(c)
	if err != nil {
		r.t.Fatal(err)
	}
	client, err := uploader.New(uploader.Config{
		BaseURL: r.url, Customer: customer, Key: func() (string, error) { return r.key, nil },
		Retry: uploader.Retry{Initial: 5 * time.Millisecond, Max: 50 * time.Millisecond, Spread: time.Millisecond, Doubt: 10 * time.Millisecond, Refused: 100 * time.Millisecond},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	site := agent.Site{
		Customer: customer, Host: r.host, Cloud: client,
		Sources: []agent.SourceSite{{Name: "main", Source: src, Tables: slices.Clone(r.tables)}},
	}
	if r.site != nil {
		r.site(&site)
	}
	return site
}

func (r *rig) open() *agent.Agent {
	r.t.Helper()
	log := zaptest.NewLogger(r.t)
	if r.log != nil {
		log = log.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return zapcore.NewTee(c, r.log) }))
	}
	a, err := agent.New(r.newSite(), agent.Options{
		StateDir: r.dir, Log: log, Reload: r.reload, Now: r.now,
		Decided: func(e journal.Entry) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.entries = append(r.entries, e)
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// start runs an agent until halt.
func (r *rig) start() *agent.Agent {
	r.t.Helper()
	return r.run(r.open())
}

func (r *rig) run(a *agent.Agent) *agent.Agent {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	r.agent = a
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
		if err := a.Close(); err != nil {
			r.t.Error(err)
		}
	}
	return a
}

// halt ends the agent that runs.
func (r *rig) halt() {
	if r.stop != nil {
		r.stop()
		r.stop, r.agent = nil, nil
	}
}

// once runs one cycle of every table.
func (r *rig) once() {
	r.t.Helper()
	a := r.open()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := a.Once(ctx, patience); err != nil {
		r.t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		r.t.Fatal(err)
	}
}

// loseState removes what a halted agent remembers.
func (r *rig) loseState() {
	r.t.Helper()
	if err := os.Remove(filepath.Join(r.dir, state.FileName)); err != nil {
		r.t.Fatal(err)
	}
}

// here returns the source's rows of a table as lines, sorted.
func (r *rig) here(name string) []string {
	r.t.Helper()
	src := r.db.Source(r.t, func(c *sqlserver.Config) { c.Connections = 1 })
	reader := src.Reader(r.db.Table(r.t, src, name), sqlserver.Limits{})
	var lines []string
	for at, done := sqlserver.Cursor(""), false; !done; {
		var out wire.Lines
		chunk, err := reader.Load(r.t.Context(), at, &out)
		if err != nil {
			r.t.Fatal(err)
		}
		for line := range bytes.Lines(out.Buf) {
			text := string(bytes.TrimSuffix(line, []byte("\n")))
			if r.holds != nil {
				text = r.holds(text)
			}
			lines = append(lines, text)
		}
		at, done = chunk.Next, chunk.Done
	}
	slices.Sort(lines)
	return lines
}

// there returns the cloud's rows of a dataset as lines, sorted.
func (r *rig) there(dataset string) []string {
	r.t.Helper()
	var lines []string
	err := r.store.Rows(r.t.Context(), customer, dataset, func(row cloud.Row) error {
		lines = append(lines, fmt.Sprintf(`["%d",%s]`, row.Version, bytes.Join(row.Values, []byte(","))))
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

// equal fails unless the cloud holds exactly the source's rows.
func (r *rig) equal(names ...string) {
	r.t.Helper()
	for _, name := range names {
		if diff := cmp.Diff(r.here(name), r.there(name)); diff != "" {
			r.t.Errorf("%s (-here +cloud):\n%.4000s", name, diff)
		}
	}
}

// until waits for a condition.
func (r *rig) until(what string, holds func() bool) {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			r.t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// settles waits until the cloud holds exactly the source's rows.
func (r *rig) settles(names ...string) {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	for _, name := range names {
		for began := time.Now(); !r.registered(name) || !slices.Equal(r.here(name), r.there(name)); began = time.Now() {
			if began.After(deadline) {
				r.equal(name)
				r.t.Fatalf("%s does not become equal", name)
			}
			time.Sleep(max(10*time.Millisecond, time.Since(began))) // of large tables a look costs more than the sync
		}
	}
}

func (r *rig) registered(name string) bool {
	_, err := r.store.Table(r.t.Context(), customer, name)
	return err == nil
}

// version is the cloud's.
func (r *rig) version(name string) wire.Version {
	r.t.Helper()
	table, err := r.store.Table(r.t.Context(), customer, name)
	if err != nil {
		r.t.Fatal(err)
	}
	return table.Version
}

// decisions returns what was decided about a table, in order.
func (r *rig) decisions(name string) []journal.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []journal.Entry
	for _, e := range r.entries {
		if e.Table == name {
			all = append(all, e)
		}
	}
	return all
}

// forget drops the decisions so far.
func (r *rig) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = nil
}

// decided counts the decisions of an action that went well.
func (r *rig) decided(name string, action scheduler.Action) int {
	n := 0
	for _, e := range r.decisions(name) {
		if e.Action == string(action) && e.Outcome.Error == "" {
			n++
		}
	}
	return n
}

// status is the running agent's of a table.
func (r *rig) status(name string) agent.TableStatus {
	r.t.Helper()
	s, err := r.agent.Status(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, t := range s.Tables {
		if t.Name == name {
			return t
		}
	}
	r.t.Fatalf("no table %s in the status", name)
	return agent.TableStatus{}
}
