package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidemark/cloud"
	"tidemark/cloud/rollout"
	"tidemark/cloud/sqlite"
	"tidemark/internal/pgtest"
	"tidemark/internal/wire"
)

// An audience are the customers of a store: what commands are about, and whose
// agents are told.
type audience struct {
	t    *testing.T
	path string
	keys map[string]string
}

func newAudience(t *testing.T, customers ...string) *audience {
	f := &audience{t: t, path: filepath.Join(t.TempDir(), "cloud.db"), keys: map[string]string{}}
	t.Setenv("TIDEMARK_STORE", "sqlite:"+f.path)
	for _, id := range customers {
		f.keys[id] = strings.TrimSpace(f.command("customers", "add", id))
	}
	return f
}

// command runs a command, which has to end well.
func (f *audience) command(args ...string) string {
	f.t.Helper()
	var out bytes.Buffer
	if code := run(args, nil, &out, f.t.Output()); code != 0 {
		f.t.Fatalf("%v ended with %d", args, code)
	}
	return out.String()
}

// told is what a server answers to each agent that asks for its policy.
func (f *audience) told() map[string]wire.Policy {
	f.t.Helper()
	store, err := sqlite.Open(f.t.Context(), f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	defer store.Close()
	server := cloud.New(cloud.Config{Store: store})
	all := map[string]wire.Policy{}
	for id, key := range f.keys {
		r := httptest.NewRequest(http.MethodGet, "/v1/customers/"+id+"/policy", nil)
		r.Header.Set("Authorization", "Bearer "+key)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		var p wire.Policy
		if err := json.Unmarshal(w.Body.Bytes(), &p); w.Code != http.StatusOK || err != nil {
			f.t.Fatalf("%d %v: %s", w.Code, err, w.Body)
		}
		all[id] = p
	}
	return all
}

// on are the customers who have a table.
func (f *audience) on(table string) string {
	f.t.Helper()
	var in []string
	for id, p := range f.told() {
		if !p.Tables[table].Disabled {
			in = append(in, id)
		}
	}
	slices.Sort(in)
	return strings.Join(in, " ")
}

// A rollout reaches the agents of its share, the same ones always: who is in
// by the hash of seed and customer stays in when the share grows, and comes
// back after a pause, a step back and another store.
func TestRolloutReachesAgents(t *testing.T) {
	var customers []string
	for i := range 20 {
		customers = append(customers, fmt.Sprintf("c%02d", i))
	}
	const (
		few  = "c14"
		half = "c01 c02 c04 c06 c07 c09 c12 c13 c14 c15 c17"
	)
	all := strings.Join(customers, " ")
	f := newAudience(t, customers...)
	because := []string{"--reason", "to see"}
	change := func(want string, args ...string) {
		t.Helper()
		f.command(append(args, because...)...)
		if got := f.on("dbo.orders"); got != want {
			t.Errorf("%v: on for %q, not for %q", args, got, want)
		}
		if args[1] == "end" {
			return
		}
		var shown shownRollout
		if err := json.Unmarshal([]byte(f.command("rollout", "show", "orders", "--json")), &shown); err != nil {
			t.Fatal(err)
		}
		if shown.In != len(strings.Fields(want)) || shown.Of != 20 {
			t.Errorf("%v: %d of %d are shown", args, shown.In, shown.Of)
		}
	}
	change("", "rollout", "create", "orders", "--table", "dbo.orders", "--new", "--seed", "spring", "--steps", "10%,50%,100%")
	change(few, "rollout", "step", "orders")
	change(half, "rollout", "step", "orders")
	change("", "rollout", "pause", "orders")
	if got := f.told()["c14"].Tables["dbo.orders"].Reason; got != "rollout orders is paused: to see" {
		t.Errorf("an agent is told %q", got)
	}
	change(half, "rollout", "resume", "orders")
	change(all, "rollout", "step", "orders")
	change(half, "rollout", "revert", "orders")
	change("", "rollout", "revert", "orders", "--to", "0%")
	change(few, "rollout", "step", "orders")
	change(all, "rollout", "step", "orders", "--to", "all")
	change(all, "rollout", "end", "orders")
	if p := f.told()["c14"]; len(p.Tables) != 0 {
		t.Errorf("after the end an agent is told %+v", p)
	}

	// Of a group, nobody else; by the same seed, who was first before.
	for _, args := range [][]string{
		{"groups", "add", "pilots", "c01", "c03", "c14"},
		{"rollout", "create", "lines", "--table", "dbo.lines", "--new", "--group", "pilots", "--seed", "spring", "--steps", "50%,100%"},
		{"rollout", "step", "lines"},
	} {
		f.command(append(args, because...)...)
	}
	if got := f.on("dbo.lines"); got != "c01 c14" {
		t.Errorf("of the group it is on for %q", got)
	}
	f.command(append([]string{"rollout", "step", "lines"}, because...)...)
	if got := f.on("dbo.lines"); got != "c01 c03 c14" {
		t.Errorf("at the end it is on for %q", got)
	}
}

// What has to be watched, and is not by anybody, says so.
func TestRolloutThatNobodyWatches(t *testing.T) {
	f := newAudience(t, "acme")
	f.command("rollout", "create", "orders", "--table", "dbo.orders", "--new", "--bound", "latency=1s", "--bound", "queue=9", "--reason", "new")
	store, err := sqlite.Open(t.Context(), f.path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	o := cloud.Operator{Store: store, Who: "the server", Why: "test"}
	if _, err := o.ChangeRollout(t.Context(), "begin", "orders", func(r rollout.Rollout, now time.Time) (rollout.Rollout, error) {
		r.Share, r.Stepped = rollout.All, now // as a server did that is gone
		return r, nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := f.command("rollout", "show", "orders"); !strings.Contains(got, "; but no server tells its figures now\n") {
		t.Errorf("nobody watches:\n%s", got)
	}
	if _, err := (&cloud.Board{Store: store}).Observe(t.Context(), "a", rollout.Sample{rollout.Latency: 0.25}); err != nil {
		t.Fatal(err)
	}
	got := f.command("rollout", "show", "orders")
	for _, want := range []string{"latency=1s, is 250ms now\n", "queue=9, is not seen now\n", "out of bounds\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// Caps and pace for the fleet, a group and a customer, of a table and of all
// others, are what the agents are told: the narrowest of each.
func TestPolicyReachesAgents(t *testing.T) {
	f := newAudience(t, "acme", "beta", "gamma")
	for _, args := range [][]string{
		{"groups", "add", "pilots", "acme", "beta"},
		{"policy", "set", "--table", "dbo.orders", "--new", "--min-interval", "10m", "--forced-skips", "2"},
		{"policy", "set", "--group", "pilots", "--table", "dbo.orders", "--min-interval", "5m", "--max-batch-rows", "500"},
		{"policy", "set", "--customer", "beta", "--table", "*", "--max-batch-rows", "100"},
		{"policy", "set", "--customer", "beta", "--table", "dbo.orders", "--max-batch-rows", "1000", "--forced-skips", "6"},
		{"policy", "set", "--customer", "gamma", "--table", "dbo.blobs", "--new", "--off"},
	} {
		f.command(append(args, "--reason", "slow")...)
	}
	are := func(want map[string]wire.Policy) {
		t.Helper()
		if d := cmp.Diff(want, f.told()); d != "" {
			t.Error(d)
		}
	}
	orders := func(p wire.TablePolicy) map[string]wire.TablePolicy {
		p.Reason = "slow"
		return map[string]wire.TablePolicy{"dbo.orders": p}
	}
	acme := wire.Policy{Tables: orders(wire.TablePolicy{MinInterval: 600, ForcedSkips: 2, MaxRows: 500})}
	beta := wire.Policy{Tables: orders(wire.TablePolicy{MinInterval: 600, ForcedSkips: 6, MaxRows: 500})}
	beta.Tables["*"] = wire.TablePolicy{MaxRows: 100, Reason: "slow"}
	gamma := wire.Policy{Tables: orders(wire.TablePolicy{MinInterval: 600, ForcedSkips: 2})}
	gamma.Tables["dbo.blobs"] = wire.TablePolicy{Disabled: true, Reason: "slow"}
	are(map[string]wire.Policy{"acme": acme, "beta": beta, "gamma": gamma})

	f.command("policy", "pause", "--group", "pilots", "--reason", "their night")
	acme.Paused, acme.Reason, beta.Paused, beta.Reason = true, "their night", true, "their night"
	are(map[string]wire.Policy{"acme": acme, "beta": beta, "gamma": gamma})
	f.command("policy", "resume", "--group", "pilots", "--reason", "morning")
	acme.Paused, acme.Reason, beta.Paused, beta.Reason = false, "", false, ""
	f.command("policy", "pause", "--table", "dbo.orders", "--reason", "all of it")
	for _, p := range []wire.Policy{acme, beta, gamma} {
		o := p.Tables["dbo.orders"]
		o.Disabled, o.Reason = true, "all of it"
		p.Tables["dbo.orders"] = o
	}
	are(map[string]wire.Policy{"acme": acme, "beta": beta, "gamma": gamma})
	f.command("policy", "clear", "--reason", "over")
	f.command("policy", "clear", "--group", "pilots", "--reason", "over")
	f.command("policy", "clear", "--customer", "beta", "--reason", "over")
	f.command("policy", "clear", "--customer", "gamma", "--reason", "over")
	are(map[string]wire.Policy{"acme": {}, "beta": {}, "gamma": {}})
}

// A bound that nobody can see is refused: its step would wait for ever.
func TestLagNeedsAReplica(t *testing.T) {
	dsn := pgtest.Start(t)
	t.Setenv("TIDEMARK_STORE", dsn)
	create := func(name string, want int) string {
		t.Helper()
		var out bytes.Buffer
		if code := run([]string{"rollout", "create", name, "--table", "dbo." + name, "--new", "--bound", "reads=2x", "--bound", "lag=30s", "--reason", "new"}, nil, &out, &out); code != want {
			t.Fatalf("ended with %d, not %d: %s", code, want, &out)
		}
		return out.String()
	}
	if got := create("orders", 2); !strings.Contains(got, "the database has no replica") || !strings.Contains(got, "hint: connect the replica first") {
		t.Error(got)
	}
	pgtest.Replica(t, dsn)
	create("orders", 0)
	var shown bytes.Buffer
	if code := run([]string{"rollout", "step", "orders", "--reason", "begin"}, nil, &shown, t.Output()); code != 0 || !strings.Contains(shown.String(), "no server has looked yet") {
		t.Errorf("%d: %s", code, &shown)
	}
	var r rollout.Rollout
	shown.Reset()
	if code := run([]string{"rollout", "show", "orders", "--json"}, nil, &shown, t.Output()); code != 0 || json.Unmarshal(shown.Bytes(), &r) != nil || r.Next == nil || r.Asked.IsZero() {
		t.Errorf("%d: %s", code, &shown)
	}
}
