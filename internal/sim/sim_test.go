//go:build !race

// Not with the race detector: what the invariants look at belongs to one
// virtual instant, and is looked at without locks. `make sim-ci` runs them.

package sim

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"
)

var (
	seed   = flag.Uint64("sim.seed", 1, "seed of the first history")
	stride = flag.Uint64("sim.stride", 1, "from one seed to the next")
	count  = flag.Int("sim.n", 12, "histories; 0 for no end")
	all    = flag.Bool("sim.all", false, "go on behind a history that failed, and tell one line of each")
	shrink = flag.Int("sim.shrink", 0, "histories to spend on a shorter plan of one that failed; the plan is printed")
	until  = flag.Duration("sim.for", 0, "begin no history after this time; 0 for no end")
)

// One thing at a time: see the package's documentation.
func TestMain(m *testing.M) {
	flag.Parse()
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1) // a history is small, and collected by Run when it has ended
	debug.SetMemoryLimit(128 << 20)
	os.Exit(m.Run())
}

// TestHistories runs histories until one fails.
func TestHistories(t *testing.T) {
	began := time.Now()
	n, commits, faults := 0, 0, map[string]int{}
	var virtual time.Duration
	for s := *seed; (*count == 0 || n < *count) && (*until == 0 || time.Since(began) < *until); s += *stride {
		r := Run(t, Generate(s))
		virtual, commits = virtual+r.Virtual, commits+r.Commits
		for kind, times := range r.Faults {
			faults[kind] += times
		}
		switch {
		case r.Failure == "":
		case *all:
			t.Errorf("seed %d: %s", s, r.Failure)
		default:
			if *shrink > 0 {
				less := Shrink(t, r.Plan, r.Failure, *shrink)
				text, err := json.MarshalIndent(less, "", "\t")
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("for testdata:\n%s", text)
				r = Run(t, less)
			}
			t.Fatalf("%s\n%d histories; %s", r, n+1, r.Failure)
		}
		n++
	}
	for _, kind := range slices.Sorted(maps.Keys(faults)) {
		t.Logf("%7d  %s", faults[kind], kind)
	}
	t.Logf("%d histories of %.0f hours with %d commits in %s", n, virtual.Hours(), commits, time.Since(began).Round(time.Second))
}

// TestRegressions runs what failed once.
func TestRegressions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no plans: %v", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var p Plan
			if err := json.Unmarshal(text, &p); err != nil {
				t.Fatal(err)
			}
			if r := Run(t, p); r.Failure != "" {
				t.Errorf("%s", r)
			}
		})
	}
}
