package admission

import (
	"math"
	"math/bits"
	"time"
)

// How a limit follows what is measured.
const (
	tolerance  = 2.0  // times the usual time that is no sign of overload
	asUsual    = 1.25 // times the usual time in which a limit may still grow
	backoff    = 0.7  // of a limit, when work failed for overload
	steepest   = 0.5  // of a limit, that it shrinks by in a window
	growth     = 0.5  // of a limit's root, that it grows by in a window, at least 1
	faster     = 0.5  // of a difference, that the usual time follows work that is faster
	slower     = 1e-3 // the same for work that is slower: overload must not become usual
	fewest     = 10   // measurements that make a window
	windowTime = time.Second
)

// sizes of work have usual times of their own, a step for each factor of 4.
const sizes = 10

// A limit is how much work of a class may be inside. It is not safe for
// concurrent use.
type limit struct {
	Bounds
	now     float64
	usual   [sizes]float64 // seconds; 0: not known yet
	window  [sizes]tally
	failed  int
	peak    int  // most that was inside in this window
	pressed bool // somebody waited in it
	measure int
	begun   time.Time
}

type tally struct {
	sum float64
	n   int
}

func newLimit(b Bounds) *limit {
	if b.First == 0 {
		b.First = b.Most
	}
	return &limit{Bounds: b, now: float64(b.First)}
}

// value is the limit.
func (l *limit) value() int { return int(l.now) }

// sizeOf returns the step of a size in bytes: the first is up to 256.
func sizeOf(bytes int) int { return min(bits.Len(uint(max(0, bytes-1))>>8)+1, 2*sizes-1) / 2 }

// done takes note of work that took so long, or failed for overload, and of
// how much was inside with it.
func (l *limit) done(at time.Time, bytes int, took time.Duration, overload bool, inside int) {
	if l.begun.IsZero() {
		l.begun = at
	}
	l.peak = max(l.peak, inside)
	l.measure++
	if overload {
		l.failed++
	} else {
		t := &l.window[sizeOf(bytes)]
		t.sum += took.Seconds()
		t.n++
	}
	if l.measure >= fewest && at.Sub(l.begun) >= windowTime {
		l.close(at)
	}
}

// close ends a window and sets the limit from it.
func (l *limit) close(at time.Time) {
	gradient, ratio := 1.0, l.ratio()
	if ratio > tolerance {
		gradient = max(steepest, tolerance/ratio)
	}
	if l.failed > 0 {
		gradient = min(gradient, backoff)
	}
	switch {
	case gradient < 1:
		l.now *= gradient
	case ratio > asUsual: // it stays
	case l.pressed, float64(l.peak) >= 0.8*math.Floor(l.now): // one that is not used says nothing of what there is room for
		l.now += max(1, growth*math.Sqrt(l.now))
	}
	l.now = min(max(l.now, float64(l.Least)), float64(l.Most))
	l.window, l.failed, l.peak, l.pressed, l.measure, l.begun = [sizes]tally{}, 0, 0, false, 0, at
}

// ratio is how much longer work took than usual, over all sizes by their
// share of the time, and has the usual times follow.
func (l *limit) ratio() float64 {
	var took, expected float64
	for i, t := range l.window {
		if t.n == 0 {
			continue
		}
		mean := t.sum / float64(t.n)
		usual := &l.usual[i]
		switch {
		case *usual == 0:
			*usual = mean
		case mean < *usual:
			*usual += faster * (mean - *usual)
		default:
			*usual += slower * (mean - *usual)
		}
		took += t.sum
		expected += float64(t.n) * max(*usual, l.Quick.Seconds()/tolerance)
	}
	if expected == 0 {
		return 1
	}
	return took / expected
}
