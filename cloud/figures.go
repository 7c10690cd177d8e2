package cloud

import (
	"math"
	"sync"
	"time"

	"tidemark/cloud/rollout"
)

// works counts how long requests worked, finely enough for a percentile.
type works struct {
	mu     sync.Mutex
	counts [96]uint64 // since the last look; each bucket is a fifth longer than the one before
}

// leastWork is the end of the first bucket; the last one ends beyond 8 hours.
const (
	leastWork = time.Millisecond
	workRatio = 1.2
)

// done counts a request that has had its body by begun.
func (w *works) done(begun time.Time) {
	bucket := math.Ceil(math.Log(float64(time.Since(begun))/float64(leastWork)) / math.Log(workRatio))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[int(max(0, min(bucket, float64(len(w.counts)-1))))]++
}

// look returns the time that 99 of 100 requests took at most, of those since
// the look before; 0 when there were none.
func (w *works) look() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all, sum uint64
	for _, n := range w.counts {
		all += n
	}
	defer func() { w.counts = [96]uint64{} }()
	if all == 0 {
		return 0
	}
	for i, n := range w.counts {
		if sum += n; sum*100 >= all*99 {
			return time.Duration(float64(leastWork) * math.Pow(workRatio, float64(i)))
		}
	}
	return 0
}

// Figures returns what a rollout watches of this server: how long requests
// took from their whole body on since the call before, and how many wait now.
// One watcher may call it.
func (s *Server) Figures() rollout.Sample {
	waiting := 0
	for _, f := range s.admission.Figures() {
		waiting += f.Waiting
	}
	return rollout.Sample{rollout.Latency: s.works.look().Seconds(), rollout.Queue: float64(waiting)}
}
