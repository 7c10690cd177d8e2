package cloud_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/cloud/rollout"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// counting is a store that counts how often it is asked for documents, and is
// away when told so.
type counting struct {
	cloud.Store
	asked int
	away  bool
}

func (c *counting) Documents(ctx context.Context, known int64) (int64, []cloud.Document, error) {
	c.asked++
	if c.away {
		return 0, nil, cloud.ErrUnavailable
	}
	return c.Store.Documents(ctx, known)
}

// Servers that share a store hear of a change within the age of their rules,
// ask once in that time whatever the number of requests, and go by what they
// know for a minute when the store is away.
func TestPolicyOnSeveralServers(t *testing.T) {
	site := newSite(t, cloud.Config{})
	now := time.Now()
	var stores []*counting
	var servers []*cloud.Server
	for range 2 {
		c := &counting{Store: site.store}
		stores = append(stores, c)
		servers = append(servers, cloud.New(cloud.Config{Store: c, Now: func() time.Time { return now }}))
	}
	tag := func(s *cloud.Server, want int) string {
		t.Helper()
		r := httptest.NewRequest("GET", "/v1/customers/acme/policy", nil)
		r.Header.Set("Authorization", "Bearer "+site.key)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if w.Code == http.StatusOK && w.Header().Get("ETag") != w.Header().Get(wire.HeaderPolicy) {
			t.Error("what is announced is not what is answered")
		}
		return w.Header().Get(wire.HeaderPolicy)
	}
	before := tag(servers[0], 200)
	for range 50 {
		tag(servers[0], 200)
		tag(servers[1], 200)
	}
	if stores[0].asked != 1 || stores[1].asked != 1 {
		t.Errorf("asked %d and %d times", stores[0].asked, stores[1].asked)
	}
	o := cloud.Operator{Store: site.store, Who: "ann", Why: "test", NewTables: true}
	r, err := o.CreateRollout(t.Context(), rollout.Rollout{Name: "orders", Tables: []string{"dbo.orders"}, Seed: "s", Steps: []rollout.Share{100, rollout.All},
		Hold: rollout.DefaultHold, Watch: rollout.DefaultWatch})
	if err != nil || r.Share != 0 {
		t.Fatal(r, err)
	}
	now = now.Add(11 * time.Second)
	off := tag(servers[0], 200)
	if off == before || tag(servers[1], 200) != off {
		t.Error("the servers do not agree, or have not heard of the rollout")
	}
	if _, err := o.ChangeRollout(t.Context(), "step", "orders", func(r rollout.Rollout, at time.Time) (rollout.Rollout, error) {
		return r.Step(rollout.All, at)
	}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(11 * time.Second)
	if tag(servers[0], 200) != before {
		t.Error("everybody is in, and something is narrowed")
	}

	stores[0].away = true
	now = now.Add(30 * time.Second)
	if tag(servers[0], 200) != before {
		t.Error("a store that is away has changed the policy")
	}
	now = now.Add(2 * time.Minute)
	tag(servers[0], http.StatusServiceUnavailable)
	stores[0].away = false
	tag(servers[0], 200)
}

// Two who change one rollout: the second is told, and nothing of it is done.
func TestBoardAndOperator(t *testing.T) {
	site := newSite(t, cloud.Config{})
	o := cloud.Operator{Store: site.store, Who: "ann", Why: "test", NewTables: true}
	_, err := o.CreateRollout(t.Context(), rollout.Rollout{Name: "orders", Tables: []string{"t"}, Seed: "s", Steps: []rollout.Share{rollout.All},
		Hold: rollout.DefaultHold, Watch: rollout.DefaultWatch})
	if err != nil {
		t.Fatal(err)
	}
	board := &cloud.Board{Store: site.store}
	all, err := board.Rollouts(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	if _, err := o.ChangeRollout(t.Context(), "pause", "orders", func(r rollout.Rollout, _ time.Time) (rollout.Rollout, error) { return r.Pause("mine") }); err != nil {
		t.Fatal(err)
	}
	is := all[0].Rollout
	is.State, is.Reason = rollout.Halted, "theirs"
	if err := board.Decide(t.Context(), all[0], is, "halt", "theirs"); !errors.Is(err, rollout.ErrChanged) {
		t.Errorf("decided on what was changed: %v", err)
	}
	o.Seen = all[0].Revision
	if _, err := o.ChangeRollout(t.Context(), "revert", "orders", func(r rollout.Rollout, at time.Time) (rollout.Rollout, error) { return r.Revert(0, "late", at) }); err == nil {
		t.Error("changed what was changed")
	}
	all, err = board.Rollouts(t.Context())
	if err != nil || all[0].State != rollout.Paused || all[0].Reason != "mine" {
		t.Errorf("%+v %v", all, err)
	}
	is = all[0].Rollout
	is.State, is.Reason = rollout.Halted, "reads tripled"
	if err := board.Decide(t.Context(), all[0], is, "halt", "reads tripled"); err != nil {
		t.Fatal(err)
	}
	recorded, err := site.store.Recorded(t.Context(), cloud.RecordQuery{Subject: "rollout orders"})
	if err != nil || len(recorded) != 3 || recorded[0].Who != "the server" || recorded[0].Action != "rollout halt" || !strings.Contains(recorded[0].Before, `"paused"`) {
		t.Errorf("%+v %v", recorded, err)
	}
	seen, err := board.Observe(t.Context(), "a", rollout.Sample{rollout.Reads: 5})
	if err != nil || seen["a"][rollout.Reads] != 5 {
		t.Errorf("%v %v", seen, err)
	}
}

// told is a store whose database tells that of itself.
type told struct {
	cloud.Store
	counters cost.Counters
	err      error
}

func (s told) Counters(context.Context) (*cost.Counters, error) { return &s.counters, s.err }

// A rollout with a bound that nobody can see is refused to whoever asks.
func TestBoundsThatNobodySees(t *testing.T) {
	site := newSite(t, cloud.Config{})
	reads, lag, latency := rollout.Bound{Figure: rollout.Reads, Times: 2}, rollout.Bound{Figure: rollout.Lag, Most: 30}, rollout.Bound{Figure: rollout.Latency, Most: 1}
	create := func(store cloud.Store, bounds ...rollout.Bound) error {
		o := cloud.Operator{Store: store, Who: "ann", Why: "test", NewTables: true}
		_, err := o.CreateRollout(t.Context(), rollout.Rollout{Name: "orders", Tables: []string{"t"}, Seed: "s", Steps: []rollout.Share{rollout.All},
			Hold: rollout.DefaultHold, Watch: rollout.DefaultWatch, Bounds: bounds})
		return err
	}
	for what, test := range map[string]struct {
		store  cloud.Store
		bounds []rollout.Bound
		says   string
	}{
		"reads without Postgres":     {site.store.Store, []rollout.Bound{latency, reads}, "bound of reads: no server can see this figure: the store is not Postgres"},
		"lag without Postgres":       {site.store.Store, []rollout.Bound{lag}, "bound of lag: no server can see this figure: the store is not Postgres"},
		"a database that counts not": {told{Store: site.store.Store, err: cost.ErrNotCounted}, []rollout.Bound{reads}, "does not count"},
		"no replica":                 {told{Store: site.store.Store}, []rollout.Bound{reads, lag}, "bound of lag: no server can see this figure: the database has no replica"},
		"a user who may not see it":  {told{Store: site.store.Store, counters: cost.Counters{Replicas: 1, Lag: -1}}, []rollout.Bound{lag}, "does not let its user see"},
	} {
		if err := create(test.store, test.bounds...); !errors.Is(err, cloud.ErrUnseen) || !strings.Contains(err.Error(), test.says) || fault.Hint(err) == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := create(told{Store: site.store.Store, err: cloud.ErrUnavailable}, reads); !errors.Is(err, cloud.ErrUnavailable) {
		t.Errorf("a store that is away: %v", err)
	}
	if err := create(site.store, latency); err != nil {
		t.Errorf("latency, which every server sees: %v", err)
	}
}
