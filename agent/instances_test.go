package agent_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/pgtest"
)

// instances are servers of one database behind a balancer that gives each
// request to the next of them.
type instances struct {
	all  []http.Handler
	turn atomic.Uint64
	seen []atomic.Int64
}

func (i *instances) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := i.turn.Add(1) % uint64(len(i.all))
	i.seen[n].Add(1)
	i.all[n].ServeHTTP(w, r)
}

// TestInstancesBehindABalancer has the requests of a site go to two servers of
// one database in turn: a load, changes, deletes that a comparison finds, whose
// steps are of different servers, and the end of one of them.
func TestInstancesBehindABalancer(t *testing.T) {
	dsn := pgtest.Start(t)
	open := func() cloud.Store {
		s, err := postgres.Open(context.Background(), dsn, postgres.Options{Connections: 8})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	r := newRigOn(t, open)
	second := open()
	t.Cleanup(func() { second.Close() }) // where it is not yet
	both := &instances{all: []http.Handler{r.front.api, cloud.New(cloud.Config{Store: second})}, seen: make([]atomic.Int64, 2)}
	first := r.front.api
	r.front.api = both
	r.db.Exec(t, "CREATE TABLE {s}.t (id int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)")
	insert := func(from, to int) {
		var rows string
		for i := from; i < to; i++ {
			rows += fmt.Sprintf(", (%d, %d)", i, i)
		}
		r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES "+rows[2:])
	}
	for id := 1; id <= 2000; id += 100 {
		insert(id, id+100)
	}
	r.sync("t").start()
	r.settles("t")
	for id := 3000; id < 3200; id += 20 {
		insert(id, id+20)
		r.settles("t")
	}
	r.db.Exec(t, "UPDATE {s}.t SET v = 7 WHERE id % 9 = 0")
	r.settles("t")
	r.db.Exec(t, "DELETE FROM {s}.t WHERE id % 11 = 0")
	r.settles("t")
	r.quiet("t")
	for n := range both.seen {
		if both.seen[n].Load() < 5 {
			t.Errorf("server %d got %d requests", n, both.seen[n].Load())
		}
	}
	for _, e := range r.decisions("t") {
		if e.Outcome.Error != "" {
			t.Error(e.Outcome.Error)
		}
	}

	r.front.mu.Lock()
	r.front.api = first
	r.front.mu.Unlock()
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	insert(5000, 5050)
	r.db.Exec(t, "DELETE FROM {s}.t WHERE id % 13 = 0")
	r.settles("t")
	if wrong, err := r.store.Scrub(t.Context(), customer, "t"); err != nil || wrong != 0 {
		t.Errorf("%d leaves of the summary are wrong: %v", wrong, err)
	}
}
