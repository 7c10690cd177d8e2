package scheduler_test

import (
	"fmt"
	"maps"
	"time"

	"tidemark/scheduler"
)

// A world is a source, a cloud and an agent between them, small enough to be
// obviously right. Rows are keys with their row versions.
type world struct {
	epoch string
	dbts  uint64
	rows  map[int]uint64 // committed
	open  map[int]uint64 // one transaction that is still open: writes of these keys
	drift int64          // how wrong the cheap count is

	cloud   cloud
	backups []cloud

	state, disk scheduler.State
	known       *scheduler.Cloud // what the agent remembers of the cloud; lost with the process
	limits      scheduler.Limits
	now         time.Time
	skips       int // in a row, whatever the rule
	leased      bool
	asked       scheduler.Request
}

// checkIn is what a lease has an agent do: hear whether the cloud is what it
// remembers, and look at once when it is not.
func (w *world) checkIn(leased bool) {
	w.leased = leased
	if now := w.version(); w.known != nil && (w.known.Epoch != now.Epoch || w.known.Watermark != now.Watermark || w.known.Rows != now.Rows || w.known.Loaded != now.Loaded || w.known.Cursor != now.Cursor) {
		w.known, w.asked = now, scheduler.SyncNow
	}
}

type cloud struct {
	epoch     string
	watermark uint64
	loaded    bool
	cursor    int // keys at or below it are loaded
	ceiling   uint64
	rows      map[int]row
}

type row struct {
	epoch   string
	version uint64
}

// A fate is what becomes of one request to the cloud.
type fate int

const (
	arrives    fate = iota
	lostOnWay       // the cloud never saw it
	lostAnswer      // the cloud did it, the agent does not know
	killed          // the cloud did it, and the agent died before it knew
)

func newWorld(limits scheduler.Limits) *world {
	return &world{
		epoch: "e1", dbts: 10, rows: map[int]uint64{}, open: map[int]uint64{},
		cloud: cloud{rows: map[int]row{}}, limits: limits, now: now,
	}
}

func (w *world) ceiling() uint64 {
	c := w.dbts
	for _, rv := range w.open {
		c = min(c, rv-1)
	}
	return c
}

func (w *world) high() (high uint64) {
	for _, rv := range w.rows {
		if rv <= w.ceiling() {
			high = max(high, rv)
		}
	}
	return high
}

func (w *world) write(key int)  { w.dbts++; w.rows[key] = w.dbts; delete(w.open, key) }
func (w *world) begin(key int)  { w.dbts++; w.open[key] = w.dbts }
func (w *world) delete(key int) { delete(w.rows, key); delete(w.open, key) }
func (w *world) commit()        { maps.Copy(w.rows, w.open); clear(w.open) }
func (w *world) backup()        { b := w.cloud; b.rows = maps.Clone(b.rows); w.backups = append(w.backups, b) }
func (w *world) restart()       { w.state, w.known = w.disk, nil }
func (w *world) loseState()     { w.disk = scheduler.State{}; w.restart() }

func (w *world) restoreCloud(i int) {
	w.cloud = w.backups[i]
	w.cloud.rows = maps.Clone(w.cloud.rows)
}

// restoreSource puts back an older copy: fewer rows, a lower counter.
func (w *world) restoreSource(n int) {
	w.epoch = fmt.Sprintf("e%d", n)
	clear(w.open)
	w.dbts = w.dbts/2 + 10
	for key, rv := range w.rows {
		if rv > w.dbts {
			delete(w.rows, key)
		}
	}
}

// equal reports whether the cloud holds exactly the committed rows.
func (w *world) equal() bool {
	want := map[int]row{}
	for key, rv := range w.rows {
		want[key] = row{w.epoch, rv}
	}
	return w.cloud.loaded && maps.Equal(want, w.cloud.rows)
}

// identical reports whether neither rows nor versions differ.
func (w *world) identical() bool {
	return w.equal() && w.cloud.epoch == w.epoch && w.high() <= w.cloud.watermark
}

func (w *world) local() *scheduler.Version {
	rows := int64(len(w.rows)) + w.drift
	for key := range w.open {
		if _, old := w.rows[key]; !old {
			rows++ // the cheap count sees what is not committed
		}
	}
	return &scheduler.Version{Epoch: w.epoch, High: w.high(), Rows: max(rows, 0)}
}

func (w *world) version() *scheduler.Cloud {
	c := w.cloud
	return &scheduler.Cloud{Epoch: c.epoch, Watermark: c.watermark, Rows: int64(len(c.rows)), Loaded: c.loaded, Cursor: !c.loaded && c.cursor > 0}
}

// upload does what an agent does, up to the given share of a load.
func (w *world) upload(in scheduler.Input, d scheduler.Decision, whole bool) {
	c := &w.cloud
	if d.Upload == scheduler.Delta {
		for key, rv := range w.rows {
			if rv > c.watermark && rv <= in.Ceiling {
				c.rows[key] = row{w.epoch, rv}
			}
		}
		c.watermark = in.Ceiling
		return
	}
	if d.Upload != scheduler.Resume {
		c.epoch, c.loaded, c.cursor, c.ceiling, c.watermark = w.epoch, false, 0, in.Ceiling, 0
	}
	half := c.cursor + 5
	for key, rv := range w.rows {
		if key > c.cursor && (whole || key <= half) {
			c.rows[key] = row{w.epoch, rv}
		}
	}
	if c.cursor = half; whole {
		c.loaded, c.watermark = true, c.ceiling
	}
}

func (w *world) diff() {
	clear(w.cloud.rows)
	for key, rv := range w.rows {
		w.cloud.rows[key] = row{w.epoch, rv}
	}
}
