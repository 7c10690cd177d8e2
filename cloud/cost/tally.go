package cost

import (
	"context"
	"sync/atomic"
)

// A Tally is what is found out about a request while it is worked on. A nil
// Tally forgets.
type Tally struct {
	rows, changed, read, hit atomic.Int64
}

type tallyKey struct{}

// With returns a context that carries a new Tally.
func With(ctx context.Context) (context.Context, *Tally) {
	t := new(Tally)
	return context.WithValue(ctx, tallyKey{}, t), t
}

// From returns the Tally of a context, or nil.
func From(ctx context.Context) *Tally {
	t, _ := ctx.Value(tallyKey{}).(*Tally)
	return t
}

// Blocks counts blocks that a database read and found in its memory.
func (t *Tally) Blocks(read, hit int64) {
	if t != nil {
		t.read.Add(read)
		t.hit.Add(hit)
	}
}

// Rows counts lines of a body, and how many rows they changed.
func (t *Tally) Rows(n, changed int) {
	if t != nil {
		t.rows.Add(int64(n))
		t.changed.Add(int64(changed))
	}
}

// Sums returns what was counted.
func (t *Tally) Sums() Sums {
	if t == nil {
		return Sums{}
	}
	return Sums{Rows: t.rows.Load(), Changed: t.changed.Load(), Read: t.read.Load(), Hit: t.hit.Load()}
}
