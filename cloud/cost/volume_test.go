package cost_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidemark/cloud/cost"
)

func TestParseVolume(t *testing.T) {
	for s, want := range map[string]cost.Volume{
		"gp2:500":           {Baseline: 1500, Burst: 3000, Credits: 5.4e6},
		"gp2:20GiB":         {Baseline: 100, Burst: 3000, Credits: 5.4e6},
		"gp2:1000":          {Baseline: 3000, Burst: 3000},
		"gp2:9000":          {Baseline: 16000, Burst: 16000},
		"1500/3000/5400000": {Baseline: 1500, Burst: 3000, Credits: 5.4e6},
		"3000/3000/0":       {Baseline: 3000, Burst: 3000},
	} {
		if got, err := cost.ParseVolume(s); err != nil || got != want {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "gp2", "gp2:", "gp2:0", "gp2:-1", "gp2:1e3", "100", "100/3000", "0/3000/1", "3000/100/1", "1/2/x", "1/2/3/4", "99999999999999/1/1"} {
		if got, err := cost.ParseVolume(s); err == nil {
			t.Errorf("%q is %+v", s, got)
		}
	}
}

// A new volume of 500 GiB that is read at its burst lasts an hour: 5.4 million
// credits, of which 1,500 more are spent than earned in a second.
func TestBurstLasts(t *testing.T) {
	v, err := cost.ParseVolume("gp2:500")
	if err != nil {
		t.Fatal(err)
	}
	b := cost.NewBalance(v)
	for minute := range 61 {
		in, ok := b.Empty()
		left := time.Duration(60-minute) * time.Minute
		if minute > 0 && (!ok || (in-left).Abs() > time.Second) {
			t.Fatalf("after %d minutes: empty in %v, %v", minute, in, ok)
		}
		b.Spend(60*9000, time.Minute) // more than the volume takes
	}
	if b.Left != 0 {
		t.Errorf("%g are left", b.Left)
	}
	for range 60 { // an idle hour earns 1,500 a second
		b.Spend(0, time.Minute)
	}
	if _, ok := b.Empty(); ok || math.Abs(b.Left-5.4e6) > 1 {
		t.Errorf("%g are left, runs out: %v", b.Left, ok)
	}
}

// Whatever is spent, the balance keeps its bounds; more spent never leaves
// more; and what is predicted comes true when things go on as they do.
func TestBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := cost.Volume{Baseline: rapid.Float64Range(1, 1e4).Draw(t, "baseline")}
		v.Burst = v.Baseline * rapid.Float64Range(1, 30).Draw(t, "burst")
		v.Credits = rapid.Float64Range(0, 1e7).Draw(t, "credits")
		a, b := cost.NewBalance(v), cost.NewBalance(v)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			in := time.Duration(rapid.IntRange(1, 600).Draw(t, "seconds")) * time.Second
			rate := rapid.Float64Range(0, 2*v.Burst).Draw(t, "rate")
			a.Spend(rate*in.Seconds(), in)
			b.Spend(rate*in.Seconds()*rapid.Float64Range(1, 2).Draw(t, "more"), in)
			if a.Left < 0 || a.Left > v.Credits {
				t.Fatalf("%g of %g", a.Left, v.Credits)
			}
			if b.Left > a.Left+1e-6*v.Credits {
				t.Fatalf("%g left where less was spent, %g where more", a.Left, b.Left)
			}
		}
		in, ok := a.Empty()
		if !ok || in == 0 {
			return
		}
		if a.Rate() <= v.Baseline {
			t.Fatalf("runs out at %g of %g", a.Rate(), v.Baseline)
		}
		a.Spend(a.Rate()*in.Seconds(), in)
		if a.Left > 1e-6*v.Credits+1 {
			t.Fatalf("%g left when it should be empty", a.Left)
		}
	})
}

// Counters that begin anew, as after a crash, neither fill nor empty it.
func TestReplay(t *testing.T) {
	v := cost.Volume{Baseline: 100, Burst: 3000, Credits: 1e6}
	b := cost.NewBalance(v)
	var all []*cost.Counters
	for i, reads := range []int64{1_000_000, 1_060_000, 30_000, 90_000} { // 60,000, then 30,000 since the crash, then 60,000
		all = append(all, &cost.Counters{At: noon.Add(time.Duration(i) * time.Minute), Reads: reads / 2, Writes: reads / 2})
	}
	b.Replay(all)
	if want := 1e6 - 150_000 + 3*60*100.0; math.Abs(b.Left-want) > 1 {
		t.Errorf("%g left, not %g", b.Left, want)
	}
}
