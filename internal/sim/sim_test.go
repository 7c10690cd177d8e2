package sim

import (
	"flag"
	"os"
	"runtime"
	"testing"
	"time"
)

var (
	seed   = flag.Uint64("sim.seed", 1, "seed of the first history")
	stride = flag.Uint64("sim.stride", 1, "from one seed to the next")
	count  = flag.Int("sim.n", 12, "histories; 0 for no end")
	all    = flag.Bool("sim.all", false, "go on behind a history that failed, and tell one line of each")
	until  = flag.Duration("sim.for", 0, "begin no history after this time; 0 for no end")
)

// One thing at a time: see the package's documentation.
func TestMain(m *testing.M) {
	flag.Parse()
	runtime.GOMAXPROCS(1)
	os.Exit(m.Run())
}

// TestHistories runs histories until one fails.
func TestHistories(t *testing.T) {
	began := time.Now()
	n := 0
	for s := *seed; (*count == 0 || n < *count) && (*until == 0 || time.Since(began) < *until); s += *stride {
		r := Run(t, Generate(s))
		switch {
		case r.Failure == "":
		case *all:
			t.Errorf("seed %d: %s", s, r.Failure)
		default:
			t.Fatalf("%s\n%d histories; %s", r, n+1, r.Failure)
		}
		n++
	}
	t.Logf("%d histories in %s", n, time.Since(began).Round(time.Second))
}
