package agent_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"tidemark/agent"
)

// A watchdog hears of the agent while it runs, also when the cloud is away,
// and not when it does not.
func TestAlive(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, "CREATE TABLE {s}.a (id int NOT NULL PRIMARY KEY, rv rowversion NOT NULL)")
	r.sync("a")
	var signs atomic.Int32
	a, err := agent.New(r.newSite(), agent.Options{StateDir: r.dir, Alive: func() { signs.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	if signs.Load() != 0 {
		t.Error("it does not run yet")
	}
	r.front.set(func(*http.Request) fate { return lostOnWay })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	r.until("three signs of life", func() bool { return signs.Load() >= 3 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	was := signs.Load()
	if err := a.Close(); err != nil || signs.Load() != was {
		t.Errorf("%v; told after the end", err)
	}
}
