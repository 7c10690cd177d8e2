package agent

import (
	"context"
	"errors"
	"fmt"

	"tidemark/agent/state"
	"tidemark/internal/fault"
	"tidemark/scheduler"
)

// maxRequests bounds how many people may wait for one table.
const maxRequests = 8

// find returns the table of a name: a dataset, or schema.table of a source
// where that names one only.
func (a *Agent) find(name string) (*table, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return byName(name, a.allTables(), func(t *table) TableSite { return t.site })
}

// ask has a cycle of the table run now and waits for its end.
func (a *Agent) ask(ctx context.Context, op, name string, r *request) (outcome, error) {
	t, err := a.find(name)
	if err != nil {
		return outcome{}, err
	}
	op += " " + t.site.Dataset
	r.done = make(chan outcome, 1)
	a.mu.Lock()
	running, queue := a.running, a.queue
	a.mu.Unlock()
	if !running {
		return outcome{}, fault.New(op, errEnded, "")
	}
	if !t.wait(r) {
		return outcome{}, fault.New(op, ErrBusy, fmt.Sprintf("%d others wait for it already", maxRequests))
	}
	if err := queue.Now(t.site.Dataset); err != nil {
		t.forget(r)
		if errors.Is(err, scheduler.ErrPaused) {
			return outcome{}, fault.New(op, ErrPaused, "`tidemark resume` ends the pause")
		}
		return outcome{}, fault.New(op, err, "")
	}
	select {
	case o := <-r.done:
		return o, o.err
	case <-ctx.Done():
		t.forget(r)
		return outcome{}, fault.New(op, ctx.Err(), "the cycle goes on by itself when it has begun")
	}
}

// wait lets a request wait for the table's next cycle.
func (t *table) wait(r *request) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.requests) >= maxRequests {
		return false
	}
	t.requests = append(t.requests, r)
	return true
}

func (t *table) forget(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, waiting := range t.requests {
		if waiting == r {
			t.requests = append(t.requests[:i:i], t.requests[i+1:]...)
			return
		}
	}
}

// drain returns the requests that wait, and forgets them.
func (t *table) drain() []*request {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.requests
	t.requests = nil
	return all
}

// Sync implements Control.
func (a *Agent) Sync(ctx context.Context, table string) (SyncReport, error) {
	o, err := a.ask(ctx, "sync", table, &request{what: scheduler.SyncNow})
	return SyncReport{Entry: o.entry, Before: o.before}, err
}

// Diff implements Control.
func (a *Agent) Diff(ctx context.Context, table string, dryRun bool) (DiffReport, error) {
	o, err := a.ask(ctx, "diff", table, &request{what: scheduler.DiffNow, dryRun: dryRun})
	switch {
	case err != nil:
		return DiffReport{}, err
	case o.report == nil: // it decided otherwise: disabled, or the first load is not complete
		return DiffReport{}, fault.New("diff "+table, fmt.Errorf("not compared: %s", o.entry.Reason), "")
	}
	return *o.report, nil
}

// Approve implements Control.
func (a *Agent) Approve(_ context.Context, name string) (Approval, error) {
	a.reloading.Lock() // what is booked for a table goes over to the next one of its name
	defer a.reloading.Unlock()
	t, err := a.find(name)
	if err != nil {
		return Approval{}, err
	}
	var given *state.Approval
	t.change(func(r *state.Table) {
		if r.Approval != nil {
			granted := *r.Approval
			granted.Granted = true
			given, r.Approval = &granted, &granted
		}
	})
	if given == nil {
		return Approval{}, fault.New("approve "+t.site.Dataset, ErrNoApproval, "`tidemark status` shows what waits")
	}
	if err := a.remember(t); err != nil {
		return Approval{}, err
	}
	a.kick(t, scheduler.DiffNow)
	return *approvalOf(given), nil
}

// kick asks for a cycle that nobody waits for.
func (a *Agent) kick(t *table, what scheduler.Request) {
	a.mu.Lock()
	running, queue := a.running, a.queue
	a.mu.Unlock()
	if running && t.wait(&request{what: what, done: make(chan outcome, 1)}) {
		_ = queue.Now(t.site.Dataset) // paused: the request waits for the end of the pause
	}
}

// remember writes the table's record at once.
func (a *Agent) remember(t *table) error {
	a.books.touchTable(t.site.Dataset, a.now())
	return a.flush()
}

// Pause implements Control.
func (a *Agent) Pause(_ context.Context, name, reason string) error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	p := &state.Pause{Since: a.now(), Reason: reason}
	if name == "" {
		return a.pauseAll(p)
	}
	t, err := a.find(name)
	if err != nil {
		return err
	}
	t.change(func(r *state.Table) { r.Paused = p })
	a.turns().Pause(t.site.Dataset)
	return a.remember(t)
}

// Resume implements Control.
func (a *Agent) Resume(_ context.Context, name string) error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	if name == "" {
		return a.pauseAll(nil)
	}
	t, err := a.find(name)
	if err != nil {
		return err
	}
	t.change(func(r *state.Table) { r.Paused = nil })
	a.turns().Resume(t.site.Dataset)
	return a.remember(t)
}

func (a *Agent) pauseAll(p *state.Pause) error {
	a.mu.Lock()
	a.paused = p
	queue := a.queue
	a.mu.Unlock()
	if p == nil {
		queue.Resume("")
	} else {
		queue.Pause("")
	}
	return a.writeSite()
}

// RetryQuarantine implements Control.
func (a *Agent) RetryQuarantine(_ context.Context, name string, keys []string) (int, error) {
	t, err := a.find(name)
	if err != nil {
		return 0, err
	}
	n, err := a.held.Retry(t.site.Dataset, keys...)
	if err == nil && n > 0 {
		a.kick(t, scheduler.SyncNow)
	}
	return n, err
}

// DropQuarantine implements Control.
func (a *Agent) DropQuarantine(_ context.Context, name string, keys []string) (int, error) {
	t, err := a.find(name)
	if err != nil {
		return 0, err
	}
	return a.held.Drop(t.site.Dataset, keys...)
}

var _ Control = (*Agent)(nil)
