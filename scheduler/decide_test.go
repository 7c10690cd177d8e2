package scheduler_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidemark/scheduler"
)

var now = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// known is a table that both sides agree about, past its forced skips and at
// the cap of its unchanged ones.
func known() scheduler.Input {
	v := scheduler.Version{Epoch: "e1", High: 2001, Rows: 1000}
	return scheduler.Input{
		Table:   "dbo.orders",
		Now:     now,
		Limits:  scheduler.Limits{ForcedSkips: 12, MaxSkips: 30, VerifyEvery: 24 * time.Hour, CountEvery: 6 * time.Hour},
		State:   scheduler.State{SinceSync: 100, Skips: 30, FirstSync: true, Synced: v, Verified: now.Add(-time.Hour), Counted: now.Add(-time.Hour)},
		Local:   &v,
		Ceiling: 2010,
		Cloud:   &scheduler.Cloud{Epoch: "e1", Watermark: 2010, Rows: 1000, Loaded: true},
	}
}

func exactly(n int64) *scheduler.Exact { return &scheduler.Exact{Rows: n, Cheap: n} }

func TestDecide(t *testing.T) {
	type in = scheduler.Input
	tests := []struct {
		name string
		edit func(*in)
		want scheduler.Decision
	}{
		{"1 off", func(i *in) { i.Disabled = "paused by the operator"; i.Local = nil },
			scheduler.Decision{Action: scheduler.Skip, Rule: 1, Reason: "disabled: paused by the operator"}},
		{"1 wins over what a person asked for", func(i *in) { i.Disabled = "off"; i.Asked = scheduler.DiffNow },
			scheduler.Decision{Action: scheduler.Skip, Rule: 1, Reason: "disabled: off"}},
		{"2 forced", func(i *in) { i.State.SinceSync = 2; i.Local = nil },
			scheduler.Decision{Action: scheduler.Skip, Rule: 2, Reason: "forced, 3 of 12"}},
		{"2 not before the first sync", func(i *in) { i.State = scheduler.State{}; i.Local, i.Cloud = nil, nil },
			scheduler.Decision{Action: scheduler.AskSource, Rule: 3, Reason: "has the table changed?"}},
		{"2 not when asked", func(i *in) { i.State.SinceSync = 2; i.Asked = scheduler.SyncNow; i.Cloud = nil },
			scheduler.Decision{Action: scheduler.AskCloud, Rule: 4, Reason: "asked for: sync"}},
		{"3 unchanged", func(i *in) { i.State.Skips = 6 },
			scheduler.Decision{Action: scheduler.Skip, Rule: 3, Reason: "unchanged, 7 of 30"}},
		{"3 the cap asks even when a version is remembered", func(i *in) { i.Cloud.Remembered = true },
			scheduler.Decision{Action: scheduler.AskCloud, Rule: 4, Reason: "unchanged 30 times in a row, the cap: does the cloud agree?"}},
		{"3 not when work is open", func(i *in) { i.State.Skips, i.State.SinceSync, i.State.Open, i.Cloud = 0, 0, true, nil },
			scheduler.Decision{Action: scheduler.AskCloud, Rule: 4, Reason: "the last upload or diff did not end well"}},
		{"3 not by another count", func(i *in) { i.State.Skips = 0; i.Local.Rows = 999; i.Cloud = nil },
			scheduler.Decision{Action: scheduler.AskCloud, Rule: 4, Reason: "the row count changed from 1,000 to 999"}},
		{"4 changed", func(i *in) { i.Local.High = 2005; i.Cloud = nil },
			scheduler.Decision{Action: scheduler.AskCloud, Rule: 4, Reason: "the highest row version changed from 2,001 to 2,005"}},
		{"4 a delta needs no question", func(i *in) { i.Local.High = 2005; i.Cloud.Remembered = true; i.Cloud.Watermark = 2001 },
			scheduler.Decision{Action: scheduler.Upload, Rule: 7, Upload: scheduler.Delta, Reason: "local 2,005 is above the cloud's 2,001"}},
		{"4 nor does nothing, below the cap", func(i *in) { i.Local.High = 2005; i.Cloud.Remembered = true; i.State.Skips = 29 },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 11, Reason: "identical: 1,000 rows, row version 2,005"}},
		{"4 at the cap it does", func(i *in) { i.Local.High = 2005; i.Cloud.Remembered = true },
			scheduler.Decision{Action: scheduler.AskCloud, Rule: 4, Reason: "30 cycles without a word from the cloud: does it agree?"}},
		{"4 a load does", func(i *in) { i.Local.High = 2005; i.Cloud = &scheduler.Cloud{Remembered: true} },
			scheduler.Decision{Action: scheduler.AskCloud, Rule: 4, Reason: "to be sure before this: first load: the cloud has nothing"}},
		{"5 nothing there", func(i *in) { i.Cloud = &scheduler.Cloud{} },
			scheduler.Decision{Action: scheduler.Upload, Rule: 5, Upload: scheduler.FirstLoad, Reason: "first load: the cloud has nothing"}},
		{"5 a drop that was interrupted", func(i *in) { i.Cloud = &scheduler.Cloud{Rows: 7} },
			scheduler.Decision{Action: scheduler.Upload, Rule: 5, Upload: scheduler.FirstLoad, Reason: "first load, over 7 rows that were dropped and have not gone yet"}},
		{"5 resumes", func(i *in) { i.Cloud = &scheduler.Cloud{Epoch: "e1", Rows: 12000, Cursor: true} },
			scheduler.Decision{Action: scheduler.Upload, Rule: 5, Upload: scheduler.Resume, Reason: "first load, resumes behind 12,000 rows"}},
		{"5 no cursor", func(i *in) { i.Cloud = &scheduler.Cloud{Epoch: "e1", Rows: 1} },
			scheduler.Decision{Action: scheduler.Upload, Rule: 5, Upload: scheduler.FirstLoad, Reason: "first load, begins again: it has no cursor to resume at"}},
		{"5 another epoch", func(i *in) { i.Cloud = &scheduler.Cloud{Epoch: "e0", Rows: 12000, Cursor: true} },
			scheduler.Decision{Action: scheduler.Upload, Rule: 5, Upload: scheduler.NewEpoch, Reason: "first load, begins again: the source was restored or replaced under it"}},
		{"5 one upload a cycle", func(i *in) { i.Cloud = &scheduler.Cloud{Epoch: "e1", Rows: 1, Cursor: true}; i.Uploaded = true },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 5, Reason: "first load goes on in the next cycle, 1 row so far"}},
		{"6 new epoch", func(i *in) { i.Local.Epoch = "e2" },
			scheduler.Decision{Action: scheduler.Upload, Rule: 6, Upload: scheduler.NewEpoch, Reason: "new epoch: the source was restored or replaced; every row again, then a diff"}},
		{"6 then diff", func(i *in) { i.Local.Epoch, i.Cloud.Epoch, i.State.Owed, i.Uploaded = "e2", "e2", true, true },
			scheduler.Decision{Action: scheduler.Diff, Rule: 6, Reason: "new epoch: rows that the source no longer has must go"}},
		{"6 the diff rests", func(i *in) { i.State.Owed, i.Resting = true, "2,048 deletes wait for an approval" },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 6, Reason: "new epoch: the diff behind it waits: 2,048 deletes wait for an approval"}},
		{"6 a person does not wait", func(i *in) {
			i.State.Owed, i.Resting, i.Asked = true, "2,048 deletes wait for an approval", scheduler.DiffNow
		},
			scheduler.Decision{Action: scheduler.Diff, Rule: 6, Reason: "new epoch: rows that the source no longer has must go"}},
		{"7 one upload a cycle", func(i *in) { i.Local.High = 2011; i.Uploaded = true },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 7, Reason: "uploaded; local 2,011 went above the cloud's 2,010 meanwhile, which waits for the next cycle"}},
		{"8 is checked", func(i *in) { i.Ceiling = 1870 },
			scheduler.Decision{Action: scheduler.CheckEpoch, Rule: 8, Reason: "the cloud's 2,010 is above the source's 1,870: the source went back"}},
		{"8 then diff", func(i *in) { i.Ceiling = 1870; i.EpochChecked = true },
			scheduler.Decision{Action: scheduler.Diff, Rule: 8, Reason: "the cloud's 2,010 is above the source's 1,870: the source went back"}},
		{"8 the diff rests", func(i *in) { i.Ceiling, i.EpochChecked, i.Resting = 1870, true, "the last took 40s" },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 8, Reason: "the cloud's 2,010 is above the source's 1,870: the source went back; the diff waits: the last took 40s"}},
		{"9 fewer rows here", func(i *in) { i.Local.Rows = 997 },
			scheduler.Decision{Action: scheduler.Count, Rule: 9, Reason: "997 rows here, 1,000 in the cloud: to be confirmed by an exact count"}},
		{"9 confirmed", func(i *in) { i.Local.Rows, i.Count = 997, exactly(997) },
			scheduler.Decision{Action: scheduler.Diff, Rule: 9, Reason: "rows were deleted: 997 rows here, 1,000 in the cloud"}},
		{"9 not confirmed", func(i *in) { i.Local.Rows, i.Count = 997, exactly(1000) },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 11, Reason: "identical: 1,000 rows, row version 2,001"}},
		{"9 a cheap count known to be wrong", func(i *in) { i.Local.Rows, i.State.Drift = 997, 3 },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 11, Reason: "identical: 1,000 rows, row version 2,001"}},
		{"9 the gap explains it", func(i *in) { i.Local.Rows, i.Gap = 1002, 2 },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 11, Reason: "identical: 1,000 rows, row version 2,001"}},
		{"9 the gap does not explain it", func(i *in) { i.Local.Rows, i.Count, i.Gap = 1000, exactly(1000), 2 },
			scheduler.Decision{Action: scheduler.Diff, Rule: 9, Reason: "rows were deleted: 1,000 rows here, 1,000 in the cloud, 2 in quarantine"}},
		{"9 more rows, nothing open", func(i *in) { i.Local.Rows, i.Count = 1003, exactly(1003) },
			scheduler.Decision{Action: scheduler.Diff, Rule: 9, Reason: "the cloud lacks rows: 1,003 rows here, 1,000 in the cloud"}},
		{"9 more rows, a transaction open", func(i *in) { i.Local.Rows, i.Unsettled = 1003, true },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 9, Reason: "1,003 rows here, 1,000 in the cloud, while a transaction is open: they come when it ends"}},
		{"9 fewer rows, a transaction open", func(i *in) { i.Local.Rows, i.Count, i.Unsettled = 997, exactly(997), true },
			scheduler.Decision{Action: scheduler.Diff, Rule: 9, Reason: "rows were deleted: 997 rows here, 1,000 in the cloud"}},
		{"9 rests", func(i *in) { i.Local.Rows, i.Resting = 997, "1,200 deletes wait for approval" },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 9, Reason: "997 rows here, 1,000 in the cloud; the diff waits: 1,200 deletes wait for approval"}},
		{"9 unknown count", func(i *in) { i.Local.Rows = -1 },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 11, Reason: "identical: 1,000 rows, row version 2,001"}},
		{"9 unknown count, its own schedule", func(i *in) { i.Local.Rows = -1; i.State.Counted = now.Add(-7 * time.Hour) },
			scheduler.Decision{Action: scheduler.Count, Rule: 9, Reason: "the source has no figure for the rows: exact count every 6h"}},
		{"9 a wrong count, its own schedule", func(i *in) { i.Local.Rows, i.State.Drift, i.State.Counted = 997, 3, now.Add(-7*time.Hour) },
			scheduler.Decision{Action: scheduler.Count, Rule: 9, Reason: "the source's figure for the rows was wrong by 3: exact count every 6h"}},
		{"9 not after a diff", func(i *in) { i.Local.Rows, i.Count, i.Diffed = 997, exactly(997), true },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 11, Reason: "compared just now"}},
		{"10 scheduled", func(i *in) { i.State.Verified = now.Add(-25 * time.Hour) },
			scheduler.Decision{Action: scheduler.Diff, Rule: 10, Reason: "scheduled check, every 24h: last at 2026-11-22T09:00:00Z"}},
		{"10 never", func(i *in) { i.State.Verified = time.Time{} },
			scheduler.Decision{Action: scheduler.Diff, Rule: 10, Reason: "scheduled check: no comparison is known here"}},
		{"10 rests", func(i *in) { i.State.Verified = time.Time{}; i.Resting = "the last took 40s" },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 11, Reason: "identical: 1,000 rows, row version 2,001"}},
		{"10 asked for, by a remembered version", func(i *in) { i.Asked, i.Cloud.Remembered = scheduler.DiffNow, true },
			scheduler.Decision{Action: scheduler.Diff, Rule: 10, Reason: "check, asked for"}},
		{"11 not by a remembered version when asked", func(i *in) { i.Asked, i.Cloud.Remembered, i.Cloud.Leased = scheduler.SyncNow, true, true },
			scheduler.Decision{Action: scheduler.AskCloud, Rule: 4, Reason: "asked for: sync"}},
		{"10 asked for", func(i *in) { i.Asked = scheduler.DiffNow },
			scheduler.Decision{Action: scheduler.Diff, Rule: 10, Reason: "check, asked for"}},
		{"10 the clock was years ahead", func(i *in) { i.State.Verified = now.AddDate(9, 0, 0) },
			scheduler.Decision{Action: scheduler.Diff, Rule: 10, Reason: "scheduled check, every 24h: last at 2035-11-23T10:00:00Z"}},
		{"10 the clock was set back a little", func(i *in) { i.State.Verified = now.Add(time.Minute) },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 11, Reason: "identical: 1,000 rows, row version 2,001"}},
		{"11 identical", func(*in) {},
			scheduler.Decision{Action: scheduler.Nothing, Rule: 11, Reason: "identical: 1,000 rows, row version 2,001"}},
		{"content: no rules 7 and 8", func(i *in) { i.Content = true; i.Cloud.Watermark = 0; i.Ceiling = 0 },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 11, Reason: "identical as far as counts tell: 1,000 rows"}},
		{"content: a due check is not hidden", func(i *in) { i.Content = true; i.State.Skips = 0; i.State.Verified = now.Add(-25 * time.Hour) },
			scheduler.Decision{Action: scheduler.Diff, Rule: 10, Reason: "scheduled check, every 24h: last at 2026-11-22T09:00:00Z"}},
		{"content: unchanged", func(i *in) { i.Content = true; i.State.Skips = 0 },
			scheduler.Decision{Action: scheduler.Skip, Rule: 3, Reason: "unchanged, 1 of 30"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := known()
			tt.edit(&in)
			got := scheduler.Decide(in)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
			if again := replay(t, in); again != got {
				t.Errorf("replayed from JSON: %+v, decided: %+v", again, got)
			}
		})
	}
}

// replay decides once more from what a journal would hold.
func replay(t interface{ Fatal(...any) }, in scheduler.Input) scheduler.Decision {
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var back scheduler.Input
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	return scheduler.Decide(back)
}
