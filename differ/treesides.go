package differ

import (
	"context"
	"errors"

	"tidemark/differ/summary"
)

// A TreeCloud is a copy that keeps a summary. What its methods return is as
// the readers of package summary leave it: within bounds, and adding up. An
// error that is summary.ErrLayout tells that the layout asked for is no
// longer the cloud's.
type TreeCloud interface {
	Cloud
	// Tree returns the summary with sums of width bytes, for width 0 without
	// nodes. The error is ErrNoTree when the cloud keeps none for the table,
	// or none at the moment.
	Tree(ctx context.Context, width int) (*summary.Tree, error)
	// Leaves returns the leaves of nodes.
	Leaves(ctx context.Context, q summary.LeavesQuestion) (*summary.LeavesAnswer, error)
	// Differences compares the rows of leaves and calls fn for each leaf asked
	// for, in order, while the answer is read: fn makes no request. What it
	// gets is valid until it returns.
	Differences(ctx context.Context, q summary.CompareQuestion, fn func(asked int, d *summary.LeafDifference) error) error
}

// ErrNoTree is the error of a cloud that has no summary of the table.
var ErrNoTree = errors.New("the cloud has no summary of the table")

// TreeOptions are those of a diff by summaries.
type TreeOptions struct {
	Options
	Secret summary.Secret // of the customer's table

	// Resume is a token that Save was given in a run that did not end; "" to
	// begin at the first row. A token that does not fit any more is ignored.
	Resume string
	// Save is called at most once for every chunk of keys, when a later run
	// need not compare again what has been compared; nil is allowed.
	Save func(token string)

	// Ahead has the next chunk of keys read while one is compared: the source
	// is then asked beside the cloud, by another goroutine, but never for two
	// things at a time.
	Ahead bool

	Width       int // bytes of a sum or fingerprint on the wire; 0 means 4
	BufferBytes int // bound of the rows held to be listed; 0 means 12 MiB
	CellBytes   int // bound of the cells held for a hashed layout; 0 means 8 MiB
	HoldBytes   int // bound of the deletes held until their number is known; 0 means 4 MiB

	// For tests: the bits that are left of a row's hash, 0 for all, and where
	// salts come from.
	weak int
	salt func() summary.Salt
}

// Defaults of TreeOptions.
const (
	defaultWidth       = 4
	defaultBufferBytes = 12 << 20
	defaultCellBytes   = 8 << 20
	defaultHoldBytes   = 4 << 20
)

func (o TreeOptions) withDefaults() TreeOptions {
	o.Options = o.Options.withDefaults()
	for _, d := range []struct {
		at  *int
		def int
	}{{&o.Width, defaultWidth}, {&o.BufferBytes, defaultBufferBytes}, {&o.CellBytes, defaultCellBytes}, {&o.HoldBytes, defaultHoldBytes}} {
		if *d.at <= 0 {
			*d.at = d.def
		}
	}
	if o.salt == nil {
		o.salt = summary.NewSalt
	}
	if o.Save == nil {
		o.Save = func(string) {}
	}
	return o
}

// A TreeReport is what a diff by summaries found and did.
type TreeReport struct {
	Report
	Layout summary.Layout
	Source summary.Cell // the source's rows at or below the watermark, as they were streamed
	Before summary.Cell // the cloud's root when the diff began
	After  summary.Cell // and when it ended
	Nodes  int64        // that differed
	Leaves int64        // that differed
	Passes int          // reads of the source's keys, from the first or where the last run stopped
	// Manifest tells why the diff went on by manifests; "" when it did not.
	Manifest string
}

// Equal tells whether both sides were found or made equal.
func (r *TreeReport) Equal() bool { return r.Manifest == "" && r.Source == r.After }
