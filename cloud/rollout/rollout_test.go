package rollout

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func sample(t testing.TB) Rollout {
	t.Helper()
	r := Rollout{Name: "orders", Tables: []string{"dbo.orders"}, Seed: "orders", Steps: []Share{100, 1000, All}, Hold: DefaultHold, Watch: DefaultWatch,
		State: Running, Created: noon}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseBound(t *testing.T) {
	for _, text := range []string{"reads=2000/s", "reads=2x", "latency=250ms", "latency=1.5x", "queue=40", "lag=10s"} {
		b, err := ParseBound(text)
		if err != nil || b.String() != text {
			t.Errorf("%s is read as %s, %v", text, b, err)
		}
	}
	for _, text := range []string{"", "reads", "reads=", "read=5", "reads=-1", "reads=0", "reads=1x", "reads=x", "reads=NaN", "latency=5", "latency=0s", "lag=1h1", "reads=Infx", "queue=1e300"} {
		if b, err := ParseBound(text); !errors.Is(err, ErrBound) {
			t.Errorf("%q is read as %s, %v", text, b, err)
		}
	}
}

func TestCheck(t *testing.T) {
	for name, change := range map[string]func(*Rollout){
		"no table":     func(r *Rollout) { r.Tables = nil },
		"no step":      func(r *Rollout) { r.Steps = nil },
		"steps fall":   func(r *Rollout) { r.Steps = []Share{1000, 100} },
		"a step twice": func(r *Rollout) { r.Steps = []Share{100, 100} },
		"a step to 0":  func(r *Rollout) { r.Steps = []Share{0, 100} },
		"hold":         func(r *Rollout) { r.Hold = time.Second },
		"hold for ever": func(r *Rollout) {
			r.Hold = time.Hour
		},
		"watch":        func(r *Rollout) { r.Watch = time.Minute },
		"bounds twice": func(r *Rollout) { r.Bounds = []Bound{{Figure: Lag, Most: 1}, {Figure: Lag, Times: 2}} },
	} {
		r := sample(t)
		change(&r)
		if err := r.Check(); err == nil {
			t.Errorf("%s: nothing is wrong", name)
		}
	}
}

// Whoever operates: nobody has the tables who is in no share that was asked
// for; a rollout that was taken back is on for nobody that was not in before.
func TestOperations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rollout{Name: "orders", Tables: []string{"t"}, Seed: "s", Steps: []Share{100, All}, Hold: DefaultHold, Watch: DefaultWatch, State: Running, Created: noon}
		if rapid.Bool().Draw(t, "bounded") {
			r.Bounds = []Bound{{Figure: Reads, Times: 2}}
		}
		now := noon
		for range rapid.IntRange(1, 12).Draw(t, "length") {
			now = now.Add(time.Minute)
			was := r
			share := rapid.SampledFrom([]Share{0, 100, 1000, 5000, All}).Draw(t, "share")
			var err error
			op := rapid.SampledFrom([]string{"step", "pause", "resume", "revert", "begin", "halt"}).Draw(t, "op")
			switch op {
			case "step":
				r, err = r.Step(share, now)
				if err == nil && r.Share > was.Share && len(r.Bounds) > 0 {
					t.Fatal("a larger share is in force without its figures")
				}
			case "pause":
				r, err = r.Pause("why")
			case "resume":
				r, err = r.Resume(now)
				if err == nil && r.Share != was.Share {
					t.Fatal("a pause lost the share")
				}
			case "revert":
				r, err = r.Revert(share, "why", now)
				if err == nil && (r.Share > was.Share || r.Share > share || r.Next != nil) {
					t.Fatalf("reverted to %s from %s", r.Share, was.Share)
				}
			case "begin":
				if r.Next != nil {
					r = r.begin(Sample{Reads: 1}, now)
				}
			case "halt":
				if r.Watched(now) {
					r = r.halt("why", now)
					if r.Share > was.Share || r.Share > was.Before || r.Next != nil || r.State != Halted {
						t.Fatalf("halted at %s, was %s before %s", r.Share, was.Share, was.Before)
					}
				}
			}
			if err != nil && !errors.Is(err, ErrState) {
				t.Fatal(err)
			}
			if r.Share < 0 || r.Share > All || r.Before < 0 || r.Next != nil && (*r.Next <= r.Share || len(r.Bounds) == 0) {
				t.Fatalf("%s made %+v", op, r)
			}
			_, off := r.Off("acme", false)
			if want := r.State == Paused || !r.Share.Has("s", "acme"); off != want {
				t.Fatalf("off %v, want %v: %+v", off, want, r)
			}
			if r.Ended() == nil && (r.Share != All || r.State != Running) {
				t.Fatalf("%+v can end", r)
			}
		}
	})
}

func TestOff(t *testing.T) {
	r := sample(t)
	r.Share = All
	if reason, off := r.Off("acme", false); off {
		t.Error("all are in:", reason)
	}
	r.Group = "pilots"
	if _, off := r.Off("acme", false); !off {
		t.Error("acme is not in the group")
	}
	if _, off := r.Off("acme", true); off {
		t.Error("acme is in the group")
	}
	r.Share = 0
	small, _ := r.Off("acme", true)
	r.Share = 1
	if larger, _ := r.Off("acme", true); small != larger || strings.Contains(small, "%") {
		t.Error("a step changes what those are told who are not concerned:", small, larger)
	}
	r.Share = All
	r, err := r.Pause("too slow")
	if reason, off := r.Off("acme", true); err != nil || !off || !strings.Contains(reason, "too slow") {
		t.Error("paused:", reason, err)
	}
}

func TestFollowing(t *testing.T) {
	r := sample(t)
	for _, c := range []struct {
		share, want Share
		ok          bool
	}{{0, 100, true}, {100, 1000, true}, {500, 1000, true}, {All, 0, false}} {
		r.Share = c.share
		if got, ok := r.Following(); got != c.want || ok != c.ok {
			t.Errorf("after %s comes %s %v", c.share, got, ok)
		}
	}
}
