package scheduler

import (
	"time"

	"tidemark/internal/wire"
)

// An Input is everything a decision depends on. It survives JSON, so that a
// journal can replay the decision with the same words.
type Input struct {
	Table    string    `json:"table"`
	Now      time.Time `json:"now"`
	Disabled string    `json:"disabled,omitempty"` // why the table is off; "" when it is on
	Content  bool      `json:"content,omitempty"`  // versions are hashes of the content
	Limits   Limits    `json:"limits"`
	State    State     `json:"state"`
	Asked    Request   `json:"asked,omitempty"`   // what a person asked for
	Resting  string    `json:"resting,omitempty"` // why no count and no diff may begin now; "" when they may

	Local        *Version `json:"local,omitempty"`          // nil: not read in this cycle
	Ceiling      uint64   `json:"ceiling,string,omitempty"` // MIN_ACTIVE_ROWVERSION() - 1, read with Local
	Unsettled    bool     `json:"unsettled,omitempty"`      // rows may exist above the ceiling; read with Local, and again with Count
	EpochChecked bool     `json:"epoch_checked,omitempty"`  // Local and Ceiling were read again for CheckEpoch
	Count        *Exact   `json:"count,omitempty"`          // nil: not counted in this cycle
	Gap          int64    `json:"gap,omitempty"`            // quarantined rows that the cloud lacks

	Cloud    *Cloud `json:"cloud,omitempty"` // nil: not known
	Uploaded bool   `json:"uploaded,omitempty"`
	Diffed   bool   `json:"diffed,omitempty"`
}

// Request is what a person asked for.
type Request string

// The requests. Both pass over rules 2 and 3, neither over rule 1.
const (
	SyncNow Request = "sync"
	DiffNow Request = "diff"
)

// Limits pace a table.
type Limits struct {
	ForcedSkips int           `json:"forced_skips"`    // evaluations skipped after each sync, 0 or more
	MaxSkips    int           `json:"max_skips"`       // skips in a row while unchanged, 0 or more
	VerifyEvery time.Duration `json:"verify_every_ns"` // between scheduled checks; 0 or less: none
	CountEvery  time.Duration `json:"count_every_ns"`  // between exact counts of a table whose cheap count is unknown or wrong; 0 or less: none
}

// A Version is what a table looks like at the source.
type Version struct {
	Epoch string `json:"epoch"`
	High  uint64 `json:"high,string"` // highest row version known to be at or below the ceiling; 0 by content
	Rows  int64  `json:"rows"`        // the cheap count, which may be wrong; -1: unknown
}

// An Exact is the exact count of a table's rows, and the cheap one read again
// just before it.
type Exact struct {
	Rows  int64 `json:"rows"`
	Cheap int64 `json:"cheap"` // -1: unknown
}

// A Cloud is what the cloud holds of the table.
type Cloud struct {
	Epoch     string `json:"epoch"` // "": it has nothing
	Watermark uint64 `json:"watermark,string"`
	Rows      int64  `json:"rows"`
	Loaded    bool   `json:"loaded"`
	Cursor    bool   `json:"cursor,omitempty"` // an unfinished load can resume

	// Remembered: the version is the answer to the agent's own last batch
	// and was not asked for in this cycle. It is good enough for a delta, for
	// a check and for finding both sides identical, not for a first load or
	// for a diff that something gave rise to.
	Remembered bool `json:"remembered,omitempty"`
	// Leased: the cloud has said that what is remembered holds, and tells when
	// it no longer does. A cap of skips then asks nobody.
	Leased bool `json:"leased,omitempty"`
}

// doubted reports whether the version may have become another one.
func (c *Cloud) doubted() bool { return c.Remembered && !c.Leased }

// CloudVersion reads what a decision needs from the version of the wire. The
// zero version is that of a table that the cloud does not know.
func CloudVersion(v wire.Version, remembered bool) *Cloud {
	return &Cloud{Epoch: v.Epoch, Watermark: v.Watermark, Rows: v.Rows, Loaded: v.Loaded, Cursor: v.Cursor != "", Remembered: remembered}
}

// Action is what to do.
type Action string

// The actions. The first four end a decision; after an upload and after each
// of the others the caller decides again.
const (
	Skip    Action = "skip"
	Nothing Action = "nothing"
	Upload  Action = "upload"
	Diff    Action = "diff"

	AskSource  Action = "ask-source"  // set Local, Ceiling and Unsettled
	AskCloud   Action = "ask-cloud"   // set Cloud, not remembered
	CheckEpoch Action = "check-epoch" // read the marks again: set Local, Ceiling and EpochChecked
	Count      Action = "count"       // set Count, and Unsettled again
)

// Kind of an upload.
type Kind string

// The kinds of an upload.
const (
	FirstLoad Kind = "first-load" // from the first key
	Resume    Kind = "resume"     // a load, from the cursor that the cloud holds
	NewEpoch  Kind = "new-epoch"  // a load over the rows of another epoch
	Delta     Kind = "delta"      // (watermark, ceiling]
)

// A Decision says what to do and why.
type Decision struct {
	Action Action `json:"action"`
	Rule   int    `json:"rule"`             // 1 to 11, of the package's table
	Upload Kind   `json:"upload,omitempty"` // set with Upload
	Reason string `json:"reason"`           // for people
}
