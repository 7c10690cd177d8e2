package rollout

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// A Figure is something that a rollout can watch.
type Figure string

// The figures. All are better when they are lower.
const (
	Reads   Figure = "reads"   // blocks that the database asks the system for, a second
	Latency Figure = "latency" // seconds that 99 of 100 requests are answered in
	Queue   Figure = "queue"   // requests that wait for a turn
	Lag     Figure = "lag"     // seconds that the last replica is behind; not known without a replica
)

// AllFigures are the figures there are.
var AllFigures = []Figure{Reads, Latency, Queue, Lag}

// least is the lowest limit that a bound relative to the baseline has, so
// that a quiet service does not halt a rollout by doing anything at all.
var least = map[Figure]float64{Reads: 100, Latency: 0.1, Queue: 10, Lag: 5}

// Format writes a value of the figure for people.
func (f Figure) Format(v float64) string {
	switch f {
	case Latency, Lag:
		return time.Duration(v * float64(time.Second)).Round(time.Millisecond).String()
	case Reads:
		return strconv.FormatFloat(v, 'f', 0, 64) + "/s"
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// parse reads a value as Format writes it.
func (f Figure) parse(s string) (v float64, err error) {
	switch f {
	case Latency, Lag:
		var d time.Duration
		d, err = time.ParseDuration(s)
		v = d.Seconds()
	default:
		v, err = strconv.ParseFloat(trimPerSecond(s), 64)
	}
	if err != nil || !(v > 0) || v > 1e12 {
		return 0, fmt.Errorf("%q is no value of %s, such as %s", s, f, f.Format(least[f]))
	}
	return v, nil
}

func trimPerSecond(s string) string {
	if n := len(s); n > 2 && s[n-2:] == "/s" {
		return s[:n-2]
	}
	return s
}

// A Sample is what is known of the figures at a time. What is not known is
// not in it.
type Sample map[Figure]float64

// Figures tells how the service does, seen from one instance.
type Figures interface {
	// Figures returns what is known now; latencies are those of the time since
	// the call before. It is called every few seconds while a rollout is
	// watched, and not at all otherwise.
	Figures(ctx context.Context) (Sample, error)
}

// Worst returns the highest of each figure that instances have told.
func Worst(all map[string]Sample) Sample {
	out := Sample{}
	for _, s := range all {
		for _, f := range AllFigures {
			v, known := s[f]
			if have, ok := out[f]; known && (!ok || v > have) {
				out[f] = v
			}
		}
	}
	return out
}
