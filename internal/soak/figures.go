//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// figures are what must not grow.
type figures struct {
	agentGoroutines, apiGoroutines int
	agentOpen, apiOpen             int // descriptors: files and sockets
	connections                    int // of the API to Postgres
	agentRSS, apiRSS               int64
	state, agentLogs               int64 // bytes of the agent's files
}

// measure takes them; each process must be running.
func (w *world) measure(ctx context.Context) (f figures, err error) {
	d, err := w.source.ask(order{Get: w.agentURL + "/metrics"})
	if err != nil {
		return f, err
	}
	text, err := get(ctx, w.apiURL+"/metrics")
	if err != nil {
		return f, err
	}
	var errs [3]error
	f.agentGoroutines, errs[0] = metric(d.Text, "go_goroutines")
	f.apiGoroutines, errs[1] = metric(text, "go_goroutines")
	f.connections, errs[2] = w.db.connections(ctx)
	agent, api := w.agent.pid(), w.api.pid()
	f.agentOpen, f.apiOpen = descriptors(agent), descriptors(api)
	f.agentRSS, f.apiRSS = resident(agent), resident(api)
	f.state, f.agentLogs = sizeBelow(filepath.Join(w.siteDisk.dir, "state")), sizeBelow(filepath.Join(w.siteDisk.dir, "log"))
	if agent == 0 || api == 0 {
		errs[0] = errors.Join(errs[0], errors.New("a process is not running"))
	}
	return f, errors.Join(errs[:]...)
}

// Bounds at the end. What waits for the next cycle comes and goes, so counts
// have some room; what leaks with each of hundreds of faults has not.
const (
	roomGoroutines  = 12
	roomOpen        = 12
	roomConnections = 10              // --connections
	mostAgentRSS    = 128 << 20       // twice the goal of the bench, which has no kills
	mostAPIRSS      = 512 << 20       // 256 MiB of bodies at once are allowed
	mostState       = 32 << 20        // of a few ten thousand rows
	mostLogs        = 3 * 1 << 20 * 2 // three files of 1 MiB, and rotation is not by the byte
)

// within holds the end against the base.
func (f figures) within(base figures) error {
	var errs []error
	most := func(what string, is, limit int64) {
		if is > limit {
			errs = append(errs, fmt.Errorf("%s: %d, more than %d", what, is, limit))
		}
	}
	most("goroutines of the agent", int64(f.agentGoroutines), int64(base.agentGoroutines+roomGoroutines))
	most("goroutines of the API", int64(f.apiGoroutines), int64(base.apiGoroutines+roomGoroutines))
	most("descriptors of the agent", int64(f.agentOpen), int64(base.agentOpen+roomOpen))
	most("descriptors of the API", int64(f.apiOpen), int64(base.apiOpen+roomOpen))
	most("connections to Postgres", int64(f.connections), roomConnections)
	most("memory of the agent", f.agentRSS, mostAgentRSS)
	most("memory of the API", f.apiRSS, mostAPIRSS)
	most("the agent's state", f.state, mostState)
	most("the agent's logs", f.agentLogs, mostLogs)
	return errors.Join(errs...)
}

// A peak is the most that was seen.
type peak struct {
	mu         sync.Mutex
	agent, api int64
	state      int64
}

// watch looks once a second until ctx ends.
func (p *peak) watch(ctx context.Context, w *world) {
	for pause(ctx, time.Second) {
		agent, api := resident(w.agent.pid()), resident(w.api.pid())
		state := sizeBelow(filepath.Join(w.siteDisk.dir, "state"))
		p.mu.Lock()
		p.agent, p.api, p.state = max(p.agent, agent), max(p.api, api), max(p.state, state)
		p.mu.Unlock()
	}
}
