package scheduler_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidemark/scheduler"
)

// cycle drives one cycle as an agent does, and holds every decision against
// the properties. Between its steps the source may go on changing.
func cycle(t *rapid.T, w *world, fate func() fate, meanwhile func()) {
	in := scheduler.Input{Table: "t", Now: w.now, Limits: w.limits, State: w.state, Cloud: w.known}
	if in.Cloud != nil {
		in.Cloud.Remembered, in.Cloud.Leased = true, w.leased
	}
	in.Asked, w.asked = w.asked, ""
	end := func(s scheduler.State) { w.state, w.disk = s, s }
	for range 12 {
		d := scheduler.Decide(in)
		if again := replay(t, in); again != d {
			t.Fatalf("decided %+v, replayed %+v", d, again)
		}
		w.check(t, in, d)
		switch d.Action {
		case scheduler.Skip, scheduler.Nothing:
			w.skips++
			if d.Action == scheduler.Nothing {
				w.skips = 0
			}
			end(scheduler.Next(in, d, scheduler.Done))
			return
		case scheduler.AskSource, scheduler.CheckEpoch:
			in.Local, in.Ceiling, in.Unsettled = w.local(), w.ceiling(), len(w.open) > 0
			in.EpochChecked = d.Action == scheduler.CheckEpoch
			meanwhile()
			continue
		case scheduler.Count:
			in.Count = &scheduler.Exact{Rows: int64(len(w.rows)), Cheap: w.local().Rows}
			in.Unsettled = len(w.open) > 0 || w.dbts > in.Ceiling
			continue
		}
		w.skips = 0
		f := fate()
		if d.Action != scheduler.AskCloud {
			w.disk = scheduler.Next(in, d, scheduler.Begun)
			in.State = w.disk
		}
		if f != lostOnWay && d.Action == scheduler.Upload {
			if in.Cloud.Remembered && in.Cloud.Watermark != w.cloud.watermark {
				in.Cloud = w.version() // a conflict tells the version
				continue
			}
			w.upload(in, d, f == arrives || d.Upload == scheduler.Delta)
		}
		if f != lostOnWay && d.Action == scheduler.Diff {
			w.diff()
		}
		switch {
		case f == killed:
			w.restart()
			return
		case f != arrives:
			w.known = nil
			end(scheduler.Next(in, d, scheduler.Failed))
			return
		}
		in.Cloud = w.version()
		w.known = w.version()
		if d.Action == scheduler.AskCloud {
			continue
		}
		in.State = scheduler.Next(in, d, scheduler.Done)
		if d.Action == scheduler.Diff {
			end(in.State)
			return
		}
		in.Uploaded = true
		if d.Upload != scheduler.Delta {
			meanwhile()
			in.Local, in.Ceiling, in.Unsettled = w.local(), w.ceiling(), len(w.open) > 0
		}
	}
	t.Fatalf("the cycle does not end: %+v", in)
}

// check holds one decision against the properties of the design.
func (w *world) check(t *rapid.T, in scheduler.Input, d scheduler.Decision) {
	work := d.Action == scheduler.Upload || d.Action == scheduler.Diff
	current := in.Local != nil && in.Local.High == w.high() && in.Cloud != nil && in.Cloud.Watermark == w.cloud.watermark
	switch {
	case d.Reason == "" || d.Rule < 1 || d.Rule > 11:
		t.Fatalf("no reason or no rule: %+v", d)
	case work && d.Rule != 10 && !in.State.Owed && current && w.identical() && w.cloud.watermark <= in.Ceiling:
		t.Fatalf("both sides are identical, and yet: %+v\n%+v", d, in)
	case d.Action == scheduler.Upload && in.Uploaded, d.Action == scheduler.Diff && in.Diffed:
		t.Fatalf("a second one in one cycle: %+v", d)
	case d.Action == scheduler.AskCloud && in.Cloud != nil && in.Cloud.Leased && current && w.identical() && w.cloud.watermark <= in.Ceiling && !in.State.Owed && w.drift == 0 && len(w.open) == 0:
		t.Fatalf("asked under a lease: %+v\n%+v", d, in)
	case d.Action == scheduler.Skip && w.skips >= w.limits.ForcedSkips+w.limits.MaxSkips:
		t.Fatalf("skip %d in a row, caps %+v: %+v", w.skips+1, w.limits, d)
	case d.Rule == 3 && d.Action == scheduler.Skip && in.State.Skips >= w.limits.MaxSkips:
		t.Fatalf("over the cap: %+v", d)
	case d.Rule == 2 && in.State.SinceSync >= w.limits.ForcedSkips:
		t.Fatalf("over the forced skips: %+v", d)
	}
}

// TestHistories runs generated histories of changes, cycles, restarts, lost
// state, lost answers, leases and restores of either side. After the last
// change, and the check-in of a lease, both sides are equal within forced_skips
// + max_skips + 1 cycles. One more is
// allowed where a load resumes: its ceiling is that of its beginning, and what
// changed behind its cursor takes a delta, with one upload a cycle.
func TestHistories(t *testing.T) {
	for range 20 { // rare histories are what this is about
		rapid.Check(t, history)
	}
}

func history(t *rapid.T) {
	w := newWorld(scheduler.Limits{
		ForcedSkips: rapid.IntRange(0, 3).Draw(t, "forced"),
		MaxSkips:    rapid.IntRange(0, 4).Draw(t, "max"),
		VerifyEvery: time.Duration(rapid.IntRange(0, 2).Draw(t, "verify")) * time.Hour,
	})
	w.drift = int64(rapid.IntRange(0, 2).Draw(t, "drift"))
	key := rapid.IntRange(1, 12)
	fates := rapid.SampledFrom([]fate{arrives, arrives, arrives, lostOnWay, lostAnswer, killed})
	changes := rapid.SampledFrom([]func(int){func(int) {}, w.write, w.delete})
	change := func() { changes.Draw(t, "change")(key.Draw(t, "key")) }
	restores := 1
	cycles := func(t *rapid.T) {
		w.now = w.now.Add(time.Minute)
		cycle(t, w, func() fate { return fates.Draw(t, "fate") }, change)
	}
	t.Repeat(map[string]func(*rapid.T){
		"write":     func(t *rapid.T) { w.write(key.Draw(t, "key")) },
		"delete":    func(t *rapid.T) { w.delete(key.Draw(t, "key")) },
		"begin":     func(t *rapid.T) { w.begin(key.Draw(t, "key")) },
		"commit":    func(*rapid.T) { w.commit() },
		"cycle":     cycles,
		"cycle too": cycles,
		"restart":   func(*rapid.T) { w.restart() },
		"lose":      func(*rapid.T) { w.loseState() },
		"backup":    func(*rapid.T) { w.backup() },
		"restore the cloud": func(t *rapid.T) {
			if len(w.backups) == 0 {
				t.Skip("no backup yet")
			}
			w.restoreCloud(rapid.IntRange(0, len(w.backups)-1).Draw(t, "backup"))
		},
		"check in":           func(t *rapid.T) { w.checkIn(rapid.Bool().Draw(t, "leased")) },
		"restore the source": func(*rapid.T) { restores++; w.restoreSource(restores) },
		"the clock jumps": func(t *rapid.T) {
			w.now = w.now.AddDate(rapid.IntRange(-9, 9).Draw(t, "years"), 0, 0)
		},
	})
	w.commit()
	w.checkIn(w.leased) // what a lease promises
	bound := w.limits.ForcedSkips + w.limits.MaxSkips + 1
	if !w.cloud.loaded && w.cloud.cursor > 0 {
		bound++
	}
	if w.drift != 0 { // a wrong count may hide a delete from rule 9, never from a check
		w.limits.VerifyEvery = time.Hour
		for range bound {
			cycle(t, w, func() fate { return arrives }, func() {})
		}
		w.now = w.now.Add(2 * time.Hour)
	}
	for range bound {
		cycle(t, w, func() fate { return arrives }, func() {})
	}
	if !w.equal() {
		t.Fatalf("not equal after %d cycles: source %v, cloud %+v, state %+v", bound, w.rows, w.cloud, w.state)
	}
	for range 2 * bound { // and it stays so
		cycle(t, w, func() fate { return arrives }, func() {})
	}
	if !w.equal() || !w.identical() {
		t.Fatalf("not identical in the end: source %v, cloud %+v, state %+v", w.rows, w.cloud, w.state)
	}
}
