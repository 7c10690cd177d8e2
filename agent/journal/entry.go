// Package journal keeps what was decided about each table, from what, and
// what came of it: a ring of entries per table, bounded in number and bytes.
// Cycles in a row that did nothing by the same rule take one place in it.
package journal

import (
	"encoding/json"
	"time"
)

// An Entry is one decision. Input is the scheduler's input as JSON, so that
// the decision can be made again from it, also by a later program.
type Entry struct {
	Time     time.Time       `json:"time"`
	Table    string          `json:"table"`
	Input    json.RawMessage `json:"input,omitempty"`
	Action   string          `json:"action"` // skip, nothing, upload, diff, count
	Rule     int             `json:"rule"`   // 1 to 11
	Reason   string          `json:"reason"`
	Upload   string          `json:"upload,omitempty"` // which kind of upload
	Outcome  Outcome         `json:"outcome,omitzero"`
	Repeated int             `json:"repeated,omitempty"` // this many cycles before it did nothing, by the same rule
	Since    time.Time       `json:"since,omitzero"`     // the first of these
}

// Outcome is what came of a decision.
type Outcome struct {
	Rows        int64         `json:"rows,omitempty"`     // read at the source
	Inserted    int64         `json:"inserted,omitempty"` // in the cloud, as are the next three
	Updated     int64         `json:"updated,omitempty"`
	Deleted     int64         `json:"deleted,omitempty"`
	Unchanged   int64         `json:"unchanged,omitempty"`
	Quarantined int64         `json:"quarantined,omitempty"`
	Bytes       int64         `json:"bytes,omitempty"` // of row lines before compression
	Requests    int           `json:"requests,omitempty"`
	Batches     int           `json:"batches,omitempty"`
	Request     string        `json:"request,omitempty"` // the ID of the last batch's, as the cloud's log has it
	Duration    time.Duration `json:"duration_ns,omitempty"`
	Stopped     bool          `json:"stopped,omitempty"` // before its end, by a pause or because the agent ended
	Note        string        `json:"note,omitempty"`    // what else happened: "conflict: adopted the cloud's version"
	Error       string        `json:"error,omitempty"`
	Hint        string        `json:"hint,omitempty"`
	Kind        string        `json:"kind,omitempty"` // of the error, as status names it
}
