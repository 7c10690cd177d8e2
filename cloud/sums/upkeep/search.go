package upkeep

import (
	"context"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
)

// A Find looks at a page of tables behind a place, in an order that does not
// change, from the zero Table on. It returns those that lack a summary and can
// have one, and the last that it looked at; more is false at the end of all.
type Find func(ctx context.Context, behind Table) (lacking []Table, last Table, more bool, err error)

// Between two pages of a search somebody else has the store, and after one
// that failed for longer each time.
const (
	pagePause  = 100 * time.Millisecond // up to twice that
	mostPaused = time.Minute
)

// CatchUp goes through all tables in the background and makes the summaries
// that are lacking: those that a process left behind when it ended. The queue
// does so by itself when more was asked for than it holds.
func (q *Queue) CatchUp() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.catchUp()
}

// catchUp has a search begin, or the one under way begin anew behind its end:
// what it has passed may be what is lacking now.
func (q *Queue) catchUp() {
	q.owing = true
	if q.closed || q.searching || q.find == nil {
		return
	}
	q.searching = true
	q.done.Go(q.search)
}

// owes tells whether another pass is owed, and takes it on.
func (q *Queue) owes() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.searching = q.owing && !q.closed
	q.owing = false
	q.work() // another may have its place
	return q.searching
}

// search makes passes for as long as any is owed. It holds one page of names
// at a time, and looks after their tables one by one.
func (q *Queue) search() {
	for q.owes() {
		wait := pagePause
		for at, more := (Table{}), true; more; {
			lacking, last, further, err := q.find(q.ctx, at)
			if err == nil {
				at, more, wait = last, further, pagePause
				for _, t := range lacking {
					q.alone(t)
				}
			} else {
				if q.ctx.Err() == nil {
					q.log.Warn("tables without a summary not looked for", zap.Error(err))
				}
				wait = min(2*wait, mostPaused)
			}
			if more && !q.pause(wait+rand.N(wait)) {
				break
			}
		}
	}
}

// alone looks after a table, unless a worker does just now.
func (q *Queue) alone(t Table) {
	q.mu.Lock()
	if q.closed || q.busy[t.plain()] {
		q.mu.Unlock()
		return
	}
	q.busy[t.plain()] = true
	q.mu.Unlock()
	q.lookAfter(t)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.work() // what was asked for meanwhile was left
}

func (q *Queue) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-q.ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
