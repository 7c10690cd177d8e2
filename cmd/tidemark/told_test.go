package main

import (
	"context"
	"fmt"
	"time"

	"tidemark/agent"
	"tidemark/agent/journal"
	"tidemark/internal/fault"
)

// told is a running agent that says what it was told to say, so that scripts
// can show every word that a command prints. What real agents say is tested
// with them.
type told struct{ kind string }

var (
	now       = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	before    = func(d time.Duration) *time.Time { t := now.Add(-d); return &t }
	rows      = func(n int64) *int64 { return &n }
	wellTable = agent.TableStatus{
		Name: "dbo.orders", Source: "main", Table: "dbo.orders", State: agent.StateOK,
		Decision:  &agent.Decided{Time: *before(12 * time.Second), Action: "skip", Rule: 3, Reason: "unchanged, 7 of 60"},
		LocalRows: rows(2_001), CloudRows: rows(2_001), High: 9_000, Watermark: 9_000,
		Synced: before(7 * time.Minute), Verified: before(5 * time.Hour), Next: before(-48 * time.Second),
	}
	entry = journal.Entry{
		Time: *before(12 * time.Second), Table: "dbo.orders", Action: "upload", Rule: 7, Upload: "delta",
		Reason:  "local 2,001 is above the cloud's 1,870",
		Outcome: journal.Outcome{Rows: 131, Inserted: 100, Updated: 31, Bytes: 12_345, Requests: 1, Duration: 812 * time.Millisecond},
	}
	approval = agent.Approval{Deletes: 40_000, Limit: 2_000, Since: *before(26 * time.Hour), Sample: []string{"[1]", "[2]"}}
)

var toldStatus = map[string]func() agent.Status{
	"well": func() agent.Status {
		return agent.Status{
			SchemaVersion: agent.StatusVersion, Time: now, Live: true, Healthy: true, Started: before(50 * time.Hour),
			Customer: "acme", Instance: "site-1",
			Cloud: agent.CloudStatus{Answered: before(time.Minute), Requests: 12_345, Bytes: 7 << 20, CheckIn: before(-14 * time.Minute)},
			Sources: []agent.SourceStatus{{
				Name: "main", Server: "SQL Server 2019 15.0", Database: "sales", Probed: before(12 * time.Second), DBTS: 9_000, Ceiling: 9_000,
				Epoch: "8d3f", EpochSince: before(700 * time.Hour), Notes: []string{"no VIEW SERVER STATE: the holder of an old transaction is not known"},
			}},
			Tables: []agent.TableStatus{wellTable},
		}
	},
	"refusing": func() agent.Status { return agent.Status{} },
}

func init() {
	toldStatus["ill"] = func() agent.Status {
		s := toldStatus["well"]()
		s.Healthy = false
		s.Sources[0].Ceiling, s.Sources[0].CeilingSince, s.Sources[0].Holder = 8_000, before(40*time.Minute), "session 57, sa from WS-12, Management Studio"
		s.Sources[0].Problem = &agent.Problem{
			Kind: agent.ProblemCeiling, Scope: "source", Name: "main", Message: "an open transaction holds changes back", Since: *before(40 * time.Minute),
			Hint: "end the transaction of session 57", Times: 1,
		}
		lines := agent.TableStatus{
			Name: "dbo.lines", Source: "main", Table: "dbo.lines", State: agent.StateWaiting, LocalRows: rows(0), CloudRows: rows(40_000),
			Approval: &approval, Quarantine: &agent.QuarantineSize{Rows: 3, Bytes: 60 << 20}, Lag: 93_600, LagVersions: 131,
			Problem: &agent.Problem{
				Kind: agent.ProblemApproval, Scope: "table", Name: "dbo.lines", Message: "40,000 deletes wait for a person",
				Hint: "if the table really is empty: `tidemark approve dbo.lines`", Since: *before(26 * time.Hour), Times: 3, Next: before(-10 * time.Minute),
			},
		}
		loading := agent.TableStatus{
			Name: "dbo.big", Source: "main", Table: "dbo.big", State: agent.StateLoading, Running: "first load",
			Progress: &agent.Progress{Since: *before(time.Minute), Rows: 400_000, Of: 1_000_000, Sent: 350_000},
			Decision: &agent.Decided{Action: "upload", Rule: 5, Reason: "first load"},
		}
		still := wellTable
		still.Name, still.State, still.Paused = "dbo.still", agent.StatePaused, &agent.Pause{Since: *before(3 * time.Hour), By: "command", Reason: "stocktaking"}
		s.Tables = append(s.Tables, loading, lines, still)
		return s
	}
}

// refusal is what the refusing kind answers to everything.
func (t told) refusal() error {
	if t.kind == "refusing" {
		return fault.New("sync dbo.orders", agent.ErrBusy, "try again in a minute")
	}
	return nil
}

// known is the error for a table that is not there.
func (t told) known(table string) error {
	if table != "dbo.orders" && table != "" {
		return fault.New("find "+table, agent.ErrNoTable, "`tidemark status` lists the tables")
	}
	return t.refusal()
}

func (t told) Status(context.Context) (agent.Status, error) {
	return toldStatus[t.kind](), t.refusal()
}

func (t told) Explain(_ context.Context, table string) (agent.Explanation, error) {
	earlier := entry
	earlier.Time, earlier.Action, earlier.Reason = *before(time.Minute), "skip", "unchanged, 6 of 60"
	earlier.Repeated, earlier.Since = 5, *before(6 * time.Minute)
	return agent.Explanation{
		Table: table, Entry: &entry, Replay: entry.Reason, Same: true,
		Facts:  []agent.Fact{{Name: "highest local row version", Value: "2,001"}, {Name: "watermark", Value: "1,870"}},
		Before: []journal.Entry{earlier},
	}, t.known(table)
}

func (t told) Journal(_ context.Context, table string, n int) ([]journal.Entry, error) {
	if table == "dbo.lines" {
		return nil, t.refusal()
	}
	idle, failed := entry, entry
	idle.Action, idle.Rule, idle.Upload, idle.Reason, idle.Outcome = "skip", 3, "", "unchanged, 6 of 60", journal.Outcome{}
	idle.Time, idle.Repeated, idle.Since = *before(time.Minute), 5, *before(6 * time.Minute)
	failed.Time, failed.Outcome = *before(7 * time.Minute), journal.Outcome{Error: "login failed", Hint: "see user and password"}
	all := []journal.Entry{entry, idle, failed}
	if n > 0 {
		all = all[:min(n, len(all))]
	}
	return all, t.known(table)
}

func (t told) Quarantine(_ context.Context, table string) ([]agent.QuarantinedRow, error) {
	if t.kind == "well" {
		return nil, t.known(table)
	}
	return []agent.QuarantinedRow{{
		Table: "dbo.orders", Key: `[4711,"a b"]`, Reason: "limits.row_bytes", Bytes: 20 << 20, First: *before(time.Hour), Tries: 2, Present: true,
	}}, t.known(table)
}

func (t told) Sync(_ context.Context, table string) (agent.SyncReport, error) {
	r := agent.SyncReport{Entry: entry}
	if t.kind == "ill" {
		r.Outcome.Error, r.Outcome.Hint = "login failed", "see user and password"
		return r, t.known(table)
	}
	r.Action, r.Rule, r.Upload, r.Reason, r.Outcome = "nothing", 11, "", "identical: 2,001 rows, row version 9,000", journal.Outcome{}
	r.Before = []journal.Entry{entry}
	return r, t.known(table)
}

func (t told) Diff(_ context.Context, table string, dry bool) (agent.DiffReport, error) {
	const root = "2001:00f3c1aa5b7e94d20c8812f7a6b3e5d1"
	r := agent.DiffReport{
		Table: table, DryRun: dry, Compared: 2_001, Equal: 2_001, Duration: 3 * time.Second, QueryTime: 2 * time.Second,
		Requests: 1, Bytes: 1_100, Before: root, After: root, Same: true, Passes: 1,
	}
	if t.kind == "ill" {
		r.Missing, r.Stale, r.Surplus, r.Unneeded = 5, 4, 40_002, 1
		r.Equal, r.Same, r.Requests, r.Bytes, r.Nodes, r.Leaves = 1_991, false, 6, 345_678, 2, 37
		if !dry {
			r.Repaired, r.Approval, r.After = 9, &approval, "2010:7f00000000000000000000000000beef"
		}
	}
	return r, t.known(table)
}

func (t told) Approve(_ context.Context, table string) (agent.Approval, error) {
	if t.kind == "well" {
		return agent.Approval{}, fault.New("approve "+table, agent.ErrNoApproval, "")
	}
	return approval, t.known(table)
}

func (t told) Pause(_ context.Context, table, reason string) error {
	if reason != "" && reason != "stocktaking" {
		return fmt.Errorf("reason %q", reason)
	}
	return t.known(table)
}
func (t told) Resume(_ context.Context, table string) error { return t.known(table) }

func (t told) RetryQuarantine(_ context.Context, table string, keys []string) (int, error) {
	return max(1, len(keys)), t.known(table)
}

func (t told) DropQuarantine(_ context.Context, table string, keys []string) (int, error) {
	return max(1, len(keys)), t.known(table)
}

func (t told) Reload(context.Context) error { return t.refusal() }
