// Package upkeep does what a store puts off: folding logs and making
// summaries, a few tables at a time.
package upkeep

import (
	"context"
	"errors"
	"slices"
	"sync"

	"go.uber.org/zap"

	"tidemark/cloud/sums"
	"tidemark/internal/wire"
)

// A Table names what is to be looked after.
type Table struct {
	Customer, Name string
	Soon           bool // somebody will ask for its leaves: a long tail is folded before it is due
}

// maxWaiting bounds the tables that wait. When one finds no room all are gone
// through for those that lack a summary; whose log has grown is asked for again
// by its next batch.
const maxWaiting = 1 << 12

// maxKnown bounds the tables that are remembered.
const maxKnown = 1 << 14

// workers is how many tables are looked after at once: a table that takes long
// must not keep all others waiting.
const workers = 2

// A Queue looks after tables, each when it is asked for and never twice at the
// same time, in goroutines that live while there are any.
type Queue struct {
	tend   func(context.Context, Table) error
	find   Find
	log    *zap.Logger
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	running int            // workers
	busy    map[Table]bool // being looked after; without Soon
	waiting []Table
	isIn    map[Table]bool
	grown   map[Table]int64 // Mark.Logged when the table was last asked for

	searching bool // there is a search
	owing     bool // another pass of it is wanted
}

// New returns a queue that calls tend, and find where it has to look for tables
// itself. What goes wrong is logged: nobody waits for it, and the table is asked
// for again.
func New(tend func(context.Context, Table) error, find Find, log *zap.Logger) *Queue {
	if log == nil {
		log = zap.NewNop()
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Queue{tend: tend, find: find, log: log, ctx: ctx, cancel: cancel, busy: map[Table]bool{}, isIn: map[Table]bool{}, grown: map[Table]int64{}}
}

// Ask lets a table be looked after soon.
func (q *Queue) Ask(t Table) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ask(t)
}

func (q *Queue) ask(t Table) {
	if q.closed || q.isIn[t] {
		return
	}
	if len(q.waiting) >= maxWaiting {
		q.catchUp()
		return
	}
	q.isIn[t] = true
	q.waiting = append(q.waiting, t)
	q.work()
}

// work has another worker begin, where there may be one and something waits.
func (q *Queue) work() {
	if !q.closed && len(q.waiting) > 0 && q.running < q.places() {
		q.running++
		q.done.Go(q.run)
	}
}

// Applied is told of every batch: the table's mark after it, and whether a
// load is complete with it. It asks for the table when that is worth it.
func (q *Queue) Applied(t Table, m sums.Mark, complete bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	last, known := q.grown[t]
	switch {
	case m.Number == 0 && complete:
	case m.Number == 0:
		return
	case known && m.Logged >= last && m.Logged < last+sums.LookEvery:
		return
	}
	if !known && len(q.grown) >= maxKnown {
		clear(q.grown)
	}
	q.grown[t] = m.Logged
	q.ask(t)
}

// places is how many workers there may be: a search has the place of one, so
// that the store's connections suffice.
func (q *Queue) places() int {
	if q.searching {
		return workers - 1
	}
	return workers
}

// take returns the first table that nobody looks after, and marks it; without
// one the worker ends.
func (q *Queue) take() (t Table, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := slices.IndexFunc(q.waiting, func(t Table) bool { return !q.busy[t.plain()] })
	if at < 0 || q.closed || q.running > q.places() {
		q.running--
		return t, false
	}
	t = q.waiting[at]
	q.waiting = slices.Delete(q.waiting, at, at+1)
	delete(q.isIn, t) // what is asked for from now on may not be seen
	q.busy[t.plain()] = true
	return t, true
}

func (t Table) plain() Table { return Table{Customer: t.Customer, Name: t.Name} }

func (q *Queue) run() {
	for {
		t, ok := q.take()
		if !ok {
			return
		}
		q.lookAfter(t)
	}
}

// lookAfter tends a table that is marked as busy.
func (q *Queue) lookAfter(t Table) {
	err := q.tend(q.ctx, t)
	if err != nil && q.ctx.Err() == nil && !errors.As(err, new(*wire.Problem)) { // a problem: the table is gone, or loaded anew
		q.log.Warn("summary not kept up", zap.String("customer", t.Customer), zap.String("table", t.Name), zap.Error(err))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.busy, t.plain())
}

// Close ends what is being done and waits for its end.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.cancel()
	q.done.Wait()
}
