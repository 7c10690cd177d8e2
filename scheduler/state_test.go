package scheduler_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidemark/scheduler"
)

// After a sync there are exactly as many forced skips as allowed, then exactly
// as many unchanged ones, then a question; and only the latter begin anew.
func TestCaps(t *testing.T) {
	in := known()
	in.Limits.ForcedSkips, in.Limits.MaxSkips = 2, 3
	in.State.SinceSync, in.State.Skips = 0, 0
	var got []string
	for range 11 {
		d := scheduler.Decide(in)
		got = append(got, fmt.Sprintf("%d %s", d.Rule, d.Action))
		in.State = scheduler.Next(in, d, scheduler.Done)
	}
	want := []string{
		"2 skip", "2 skip",
		"3 skip", "3 skip", "3 skip", "11 nothing",
		"3 skip", "3 skip", "3 skip", "11 nothing",
		"3 skip",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cycles (-want +got):\n%s", diff)
	}
}

func TestNext(t *testing.T) {
	type in = scheduler.Input
	tests := []struct {
		name    string
		edit    func(*in)
		d       scheduler.Decision
		outcome scheduler.Outcome
		want    func(*scheduler.State)
	}{
		{"a question that stays unanswered counts as an evaluation", func(*in) {},
			scheduler.Decision{Action: scheduler.AskCloud, Rule: 4}, scheduler.Failed,
			func(s *scheduler.State) { s.SinceSync++ }},
		{"a question that is answered changes nothing", func(*in) {},
			scheduler.Decision{Action: scheduler.AskCloud, Rule: 4}, scheduler.Done,
			func(*scheduler.State) {}},
		{"a table that is off goes on counting", func(*in) {},
			scheduler.Decision{Action: scheduler.Skip, Rule: 1}, scheduler.Done,
			func(s *scheduler.State) { s.SinceSync++ }},
		{"a load into an empty table begins", func(i *in) { i.Cloud = &scheduler.Cloud{} },
			scheduler.Decision{Action: scheduler.Upload, Rule: 5, Upload: scheduler.FirstLoad}, scheduler.Begun,
			func(s *scheduler.State) { s.Open, s.Fresh = true, true }},
		{"and ends: nothing to compare", func(i *in) { i.Cloud = &scheduler.Cloud{}; i.State.Fresh = true; i.State.Verified = time.Time{} },
			scheduler.Decision{Action: scheduler.Upload, Rule: 5, Upload: scheduler.FirstLoad}, scheduler.Done,
			func(s *scheduler.State) { s.Open, s.Fresh, s.Verified = true, false, now }},
		{"a load that resumes without memory of its beginning leaves the comparison due", func(i *in) { i.State.Verified = time.Time{} },
			scheduler.Decision{Action: scheduler.Upload, Rule: 5, Upload: scheduler.Resume}, scheduler.Done,
			func(s *scheduler.State) { s.Open = true }},
		{"a new epoch owes a diff", func(*in) {},
			scheduler.Decision{Action: scheduler.Upload, Rule: 6, Upload: scheduler.NewEpoch}, scheduler.Begun,
			func(s *scheduler.State) { s.Open, s.Owed = true, true }},
		{"an upload that failed stays open", func(*in) {},
			scheduler.Decision{Action: scheduler.Upload, Rule: 7, Upload: scheduler.Delta}, scheduler.Failed,
			func(s *scheduler.State) { s.Open = true; s.SinceSync++ }},
		{"identical after an upload is a sync", func(i *in) { i.Uploaded, i.State.Open = true, true },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 11}, scheduler.Done,
			func(s *scheduler.State) { s.Open, s.SinceSync, s.Skips = false, 0, 0 }},
		{"a load that is not whole is no first sync", func(i *in) { i.Uploaded = true },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 5}, scheduler.Done,
			func(s *scheduler.State) { s.Open, s.FirstSync, s.SinceSync, s.Skips = true, false, 0, 0 }},
		{"what came while a load ran is fetched at once", func(i *in) { i.Uploaded = true },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 7}, scheduler.Done,
			func(s *scheduler.State) { s.Open, s.SinceSync, s.Skips = true, 0, 0 }},
		{"a diff settles everything", func(i *in) { i.State.Open, i.State.Owed = true, true; i.Count = exactly(1003) },
			scheduler.Decision{Action: scheduler.Diff, Rule: 6}, scheduler.Done,
			func(s *scheduler.State) {
				s.Open, s.Owed, s.SinceSync, s.Skips, s.Verified, s.Counted = false, false, 0, 0, now, now
			}},
		{"a diff that failed settles nothing", func(i *in) { i.State.Owed = true; i.Uploaded = true },
			scheduler.Decision{Action: scheduler.Diff, Rule: 6}, scheduler.Failed,
			func(s *scheduler.State) { s.Open = true }},
		{"a count teaches how wrong the cheap one is", func(i *in) { i.Count = &scheduler.Exact{Rows: 1000, Cheap: 997} },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 11}, scheduler.Done,
			func(s *scheduler.State) { s.Drift, s.Counted, s.Skips = 3, now, 0; s.SinceSync++ }},
		{"but not while a transaction is open", func(i *in) { i.Count = &scheduler.Exact{Rows: 1000, Cheap: 997}; i.Unsettled = true },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 11}, scheduler.Done,
			func(s *scheduler.State) { s.Counted, s.Skips = now, 0; s.SinceSync++ }},
		{"identical by a remembered version goes on with the row", func(i *in) { i.Cloud.Remembered = true; i.State.Skips = 7 },
			scheduler.Decision{Action: scheduler.Nothing, Rule: 11}, scheduler.Done,
			func(s *scheduler.State) { s.Skips = 8; s.SinceSync++ }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := known()
			tt.edit(&in)
			want := in.State
			tt.want(&want)
			if diff := cmp.Diff(want, scheduler.Next(in, tt.d, tt.outcome)); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}
