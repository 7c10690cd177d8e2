package agent

import (
	"context"
	"errors"
	"time"

	"tidemark/agent/journal"
)

// A Viewer tells about a site. Both the running agent and, when it does not
// run, its state file (see OpenOffline) are viewers.
type Viewer interface {
	// Status tells everything. It never waits for a source or the cloud.
	Status(ctx context.Context) (Status, error)
	// Explain tells what was decided last about a table, and why.
	Explain(ctx context.Context, table string) (Explanation, error)
	// Journal returns the newest entries of a table, newest first, at most n
	// (0: all that are kept).
	Journal(ctx context.Context, table string, n int) ([]journal.Entry, error)
	// Quarantine lists the rows of a table ("" for all) that could not be sent.
	Quarantine(ctx context.Context, table string) ([]QuarantinedRow, error)
}

// Control is what can be asked of a running agent. A table is named by its
// dataset, or by schema.table where that is unambiguous; a name that is not
// known is ErrNoTable.
type Control interface {
	Viewer
	// Sync runs a cycle of the table now, whatever its skips say, and waits
	// for its end.
	Sync(ctx context.Context, table string) (SyncReport, error)
	// Diff compares the table now and repairs it, or with dryRun only counts
	// what a repair would do, and waits for its end.
	Diff(ctx context.Context, table string, dryRun bool) (DiffReport, error)
	// Approve lets the deletes that wait for a person go out. ErrNoApproval
	// when none wait.
	Approve(ctx context.Context, table string) (Approval, error)
	// Pause stops a table, or with "" all of them, until Resume; it survives
	// restarts. What is running ends at its next batch.
	Pause(ctx context.Context, table, reason string) error
	// Resume ends a pause.
	Resume(ctx context.Context, table string) error
	// RetryQuarantine reads the rows in quarantine again and sends them; keys
	// are JSON arrays as listed, none for all. It returns how many it will
	// try.
	RetryQuarantine(ctx context.Context, table string, keys []string) (int, error)
	// DropQuarantine forgets rows in quarantine without sending them.
	DropQuarantine(ctx context.Context, table string, keys []string) (int, error)
	// Reload reads the configuration again. On an error the agent goes on
	// with what it has.
	Reload(ctx context.Context) error
}

// Errors of Control, found with errors.Is.
var (
	ErrNoTable    = errors.New("there is no such table in the configuration")
	ErrAmbiguous  = errors.New("several tables have this name: use the dataset's")
	ErrNoApproval = errors.New("nothing waits for an approval")
	ErrBusy       = errors.New("the table is being worked on")
	ErrPaused     = errors.New("the table is paused")
)

// An Explanation is the last decision about a table with all that it was
// made from.
type Explanation struct {
	Table  string          `json:"table"`
	Entry  *journal.Entry  `json:"entry,omitempty"`  // the last decision; none before the first cycle
	Replay string          `json:"replay,omitempty"` // the reason when the decision is made again from Entry.Input now
	Same   bool            `json:"same"`             // Replay is what was said then
	Facts  []Fact          `json:"facts,omitempty"`  // Entry.Input for people
	Before []journal.Entry `json:"before,omitempty"` // a few entries before, newest first
	Status *TableStatus    `json:"status,omitempty"`
}

// A Fact is one thing that was known when a decision was made.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// QuarantinedRow is a row that could not be sent. Its values are not kept,
// only its key.
type QuarantinedRow struct {
	Table   string    `json:"table"`
	Key     string    `json:"key"` // JSON array
	Version uint64    `json:"version,string"`
	Reason  string    `json:"reason"`
	Bytes   int64     `json:"bytes"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Tries   int       `json:"tries"`
	Present bool      `json:"present"` // the cloud holds an older version of the row
}

// A SyncReport is what a cycle that was asked for decided last, and before.
type SyncReport struct {
	journal.Entry
	Before []journal.Entry `json:"before,omitempty"` // in order
}

// A DiffReport is what a diff found and did.
type DiffReport struct {
	Table     string        `json:"table"`
	DryRun    bool          `json:"dry_run,omitempty"`
	Compared  int64         `json:"compared"`         // rows of the source
	Equal     int64         `json:"equal"`            // of these, on both sides
	Missing   int64         `json:"missing"`          // rows that the cloud lacked
	Stale     int64         `json:"stale"`            // rows that the cloud held otherwise
	Surplus   int64         `json:"surplus"`          // rows that the cloud held and the source did not
	Hidden    int64         `json:"hidden,omitempty"` // of these, those that were counted and not found; the next diff finds them
	Repaired  int64         `json:"repaired"`         // rows sent
	Deleted   int64         `json:"deleted"`          // rows deleted
	Unneeded  int64         `json:"unneeded"`         // differences that were none any more when confirmed
	Approval  *Approval     `json:"approval,omitempty"`
	Requests  int           `json:"requests"`
	Bytes     int64         `json:"bytes"` // of questions and answers, before compression; the rows sent are not among them
	Duration  time.Duration `json:"duration_ns"`
	QueryTime time.Duration `json:"query_time_ns"` // of this, what the source took

	// By summaries: the cloud's root when the diff began and when it ended,
	// and what of the tree differed. Same tells that the source's rows, as
	// they were read, are those of After.
	Before string `json:"root_before,omitempty"`
	After  string `json:"root_after,omitempty"`
	Same   bool   `json:"same,omitempty"`
	Nodes  int64  `json:"nodes,omitempty"`
	Leaves int64  `json:"leaves,omitempty"`
	Passes int    `json:"passes,omitempty"` // over the source's keys
	// Manifest says why manifests were compared instead.
	Manifest string `json:"manifest,omitempty"`

	Remaining bool `json:"remaining,omitempty"` // differences may be left; the next diff goes on
}
