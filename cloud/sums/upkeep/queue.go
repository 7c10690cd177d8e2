// Package upkeep does what a store puts off: folding logs and making
// summaries, one table at a time.
package upkeep

import (
	"context"
	"errors"
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

// maxWaiting bounds the tables that wait, and those that are remembered. One
// that finds no room is asked for again by its next batch.
const maxWaiting = 1 << 14

// A Queue looks after tables, each when it is asked for and one after the
// other, in a goroutine that lives while there are any.
type Queue struct {
	tend   func(context.Context, Table) error
	log    *zap.Logger
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	running bool
	waiting []Table
	isIn    map[Table]bool
	grown   map[Table]int64 // Mark.Logged when the table was last asked for
}

// New returns a queue that calls tend. What goes wrong is logged: nobody waits
// for it, and the table is asked for again.
func New(tend func(context.Context, Table) error, log *zap.Logger) *Queue {
	if log == nil {
		log = zap.NewNop()
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Queue{tend: tend, log: log, ctx: ctx, cancel: cancel, isIn: map[Table]bool{}, grown: map[Table]int64{}}
}

// Ask lets a table be looked after soon.
func (q *Queue) Ask(t Table) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ask(t)
}

func (q *Queue) ask(t Table) {
	if q.closed || q.isIn[t] || len(q.waiting) >= maxWaiting {
		return
	}
	q.isIn[t] = true
	q.waiting = append(q.waiting, t)
	if !q.running {
		q.running = true
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
	if !known && len(q.grown) >= maxWaiting {
		clear(q.grown)
	}
	q.grown[t] = m.Logged
	q.ask(t)
}

func (q *Queue) run() {
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 || q.closed {
			q.running = false
			q.mu.Unlock()
			return
		}
		t := q.waiting[0]
		q.waiting = q.waiting[1:]
		delete(q.isIn, t) // what is asked for from now on may not be seen
		q.mu.Unlock()
		err := q.tend(q.ctx, t)
		if err != nil && q.ctx.Err() == nil && !errors.As(err, new(*wire.Problem)) { // a problem: the table is gone, or loaded anew
			q.log.Warn("summary not kept up", zap.String("customer", t.Customer), zap.String("table", t.Name), zap.Error(err))
		}
	}
}

// Close ends what is being done and waits for its end.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.cancel()
	q.done.Wait()
}
