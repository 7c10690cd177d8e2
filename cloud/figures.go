package cloud

import (
	"math"
	"sync"
	"time"

	"tidemark/cloud/rollout"
)

// works counts how long requests worked, finely enough for a percentile. Those
// that still do count with the time so far: a database that answers nobody
// must not look like one that nobody asks.
type works struct {
	mu     sync.Mutex
	inWork map[*time.Time]struct{}
	last   time.Duration // what look returned
	counts [96]uint64    // since the last look; each bucket is a fifth longer than the one before
}

// leastWork is the end of the first bucket; the last one ends beyond 8 hours.
const (
	leastWork = time.Millisecond
	workRatio = 1.2
)

// begin counts a request that has its body, until done.
func (w *works) begin() (done func()) {
	begun := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.inWork == nil {
		w.inWork = map[*time.Time]struct{}{}
	}
	w.inWork[&begun] = struct{}{}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.inWork, &begun)
		w.counts[bucket(begun)]++
	}
}

// bucket is where a request counts that began then.
func bucket(begun time.Time) int {
	n := math.Ceil(math.Log(float64(time.Since(begun))/float64(leastWork)) / math.Log(workRatio))
	return int(max(0, min(n, float64(len(works{}.counts)-1))))
}

// look returns the time that 99 of 100 requests took at most, of those that
// ended since the look before or are in work; 0 when there were none. While
// none ends it is as slow as it was, at least.
func (w *works) look() (most time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts := w.counts
	ended := counts != [96]uint64{}
	w.counts = [96]uint64{}
	defer func() { w.last = most }()
	for begun := range w.inWork {
		counts[bucket(*begun)]++
	}
	var all, sum uint64
	for _, n := range counts {
		all += n
	}
	if all == 0 {
		return 0
	}
	for i, n := range counts {
		if sum += n; sum*100 >= all*99 {
			most = time.Duration(float64(leastWork) * math.Pow(workRatio, float64(i)))
			break
		}
	}
	if !ended {
		most = max(most, w.last)
	}
	return most
}

// Figures returns what a rollout watches of this server: how long requests
// took from their whole body on since the call before, or take by now, and how
// many wait now.
// One watcher may call it.
func (s *Server) Figures() rollout.Sample {
	waiting := 0
	for _, f := range s.admission.Figures() {
		waiting += f.Waiting
	}
	return rollout.Sample{rollout.Latency: s.works.look().Seconds(), rollout.Queue: float64(waiting)}
}
