package agent

import (
	"context"
	"slices"
	"time"

	"tidemark/agent/journal"
	"tidemark/agent/state"
	"tidemark/internal/fault"
	"tidemark/uploader/quarantine"
)

// Status implements Viewer.
func (a *Agent) Status(context.Context) (Status, error) {
	a.mu.Lock()
	site, sources, paused, narrowed, queue, running := a.site, a.sources, a.paused, a.narrowed, a.queue, a.running
	started, refused, checksIn := a.started, a.refused, a.checksIn
	a.mu.Unlock()
	s := Status{
		SchemaVersion: StatusVersion, Time: a.now(), Live: true, Started: &started,
		Customer: site.Customer, Instance: a.instance,
		Paused: pauseOf(paused), Unprotected: site.Unprotected, Cloud: cloudStatus(site.Cloud), Config: refused, Notes: notes(a.dir),
	}
	if !checksIn.IsZero() {
		next := s.Time.Add(time.Until(checksIn))
		s.Cloud.CheckIn = &next
	}
	if s.Paused == nil && narrowed.Paused {
		s.Paused = &Pause{By: "policy", Reason: narrowed.Reason, Since: a.started}
	}
	if since, err := a.books.problem(); err != nil {
		s.State = Problem{Kind: ProblemState, Scope: "state", Message: err.Error(), Hint: fault.Hint(err)}.since(nil, since, 0)
	}
	for _, src := range sources {
		s.Sources = append(s.Sources, src.status(s.Time))
		for _, t := range src.tables {
			ts := t.status(s.Time, narrowed)
			if due, ok := queue.Due(t.site.Dataset); ok && running {
				next := s.Time.Add(time.Until(due)) // the queue's clock is the monotonic one
				ts.Next = &next
			}
			s.Tables = append(s.Tables, ts)
		}
	}
	s.finish()
	return s, nil
}

// finish says what follows from the rest.
func (s *Status) finish() {
	s.Healthy = s.Live && len(s.Problems()) == 0 && s.Paused == nil && !slices.ContainsFunc(s.Tables, func(t TableStatus) bool { return t.Paused != nil })
}

// Journal implements Viewer.
func (a *Agent) Journal(_ context.Context, name string, n int) ([]journal.Entry, error) {
	t, err := a.find(name)
	if err != nil {
		return nil, err
	}
	if err := a.flush(); err != nil { // what was not written is not read
		return nil, err
	}
	return a.db.Journal(t.site.Dataset, n)
}

// Statistics tells how full the state file is.
func (a *Agent) Statistics(context.Context) (state.Statistics, error) { return a.db.Statistics() }

// Explain implements Viewer.
func (a *Agent) Explain(ctx context.Context, name string) (Explanation, error) {
	t, err := a.find(name)
	if err != nil {
		return Explanation{}, err
	}
	entries, err := a.Journal(ctx, t.site.Dataset, explained)
	if err != nil {
		return Explanation{}, err
	}
	e, err := explain(t.site.Dataset, entries)
	if err != nil {
		return Explanation{}, err
	}
	s := t.status(a.now(), a.policy())
	e.Status = &s
	return e, nil
}

// Quarantine implements Viewer.
func (a *Agent) Quarantine(_ context.Context, name string) ([]QuarantinedRow, error) {
	if name != "" {
		t, err := a.find(name)
		if err != nil {
			return nil, err
		}
		name = t.site.Dataset
	}
	return quarantined(a.held.List(name)), nil
}

func quarantined(rows []quarantine.Row) []QuarantinedRow {
	out := make([]QuarantinedRow, len(rows))
	for i, r := range rows {
		out[i] = QuarantinedRow{
			Table: r.Table, Key: r.Key, Version: r.Version, Reason: r.Reason, Bytes: r.Bytes,
			First: r.First, Last: r.Last, Tries: r.Tries, Present: r.Present,
		}
	}
	return out
}
