package differ

import "tidemark/internal/wire"

// Options of a diff.
type Options struct {
	Types     []wire.Type // of the key's columns, in key order
	Watermark uint64      // lines above it are left to the next delta; math.MaxUint64 when there are no deltas
	Rows      int64       // about how many rows the source has, to size the filter; 0 when unknown
	Approved  int64       // deletes that a person has approved
	DryRun    bool        // count only

	FilterBytes int // bound of the filter; 0 means 32 MiB
	Slice       int // differences held at a time; 0 means 10,000
	Lookup      int // keys read again at a time; 0 means 200

	// Progress is called after each chunk and slice; nil is allowed.
	Progress func(Report)
}

// Defaults of Options.
const (
	defaultFilterBytes = 32 << 20
	defaultSlice       = 10_000
	defaultLookup      = 200
	samples            = 5 // keys shown with an approval
)

func (o Options) withDefaults() Options {
	if o.FilterBytes <= 0 {
		o.FilterBytes = defaultFilterBytes
	}
	if o.Slice <= 0 {
		o.Slice = defaultSlice
	}
	if o.Lookup <= 0 {
		o.Lookup = defaultLookup
	}
	if o.Progress == nil {
		o.Progress = func(Report) {}
	}
	return o
}

// A Plan is what a comparison found. Figures are rows.
type Plan struct {
	Compared int64 // of the source
	Matched  int64 // equal on both sides
	Missing  int64 // the cloud lacks them
	Stale    int64 // the cloud holds them in another version
	Later    int64 // missing or stale above the watermark: the next delta brings them
	Surplus  int64 // the cloud holds them, and they were not seen at the source
	Cloud    int64 // of the cloud, before the repair
}

// ApprovalLimit is how many deletes go out without a person's approval from a
// table of so many rows in the cloud: 5 %, and never less than 1,000.
func ApprovalLimit(rows int64) int64 { return max(1000, rows/20) }

// NeedsApproval tells whether the plan's deletes must wait, given the number
// that a person has approved.
func (p Plan) NeedsApproval(approved int64) bool {
	return p.Surplus > ApprovalLimit(p.Cloud) && p.Surplus > approved
}

// A Report is a plan and what became of it.
type Report struct {
	Plan
	Inserted int64    // rows sent that the cloud lacked
	Updated  int64    // rows sent that it held otherwise
	Absent   int64    // rows that could not be sent and are not in the cloud
	Held     int64    // rows that could not be sent and are in the cloud in another version
	Deleted  int64    // rows deleted
	Unneeded int64    // differences that were none any more when they were confirmed
	Hidden   int64    // surplus that this run did not find; the next one does
	Waiting  bool     // the deletes wait for an approval
	Sample   []string // a few surplus keys, JSON arrays, when Waiting or on a dry run
	Version  wire.Version
}
