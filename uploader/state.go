package uploader

import "time"

// ClockOff is the difference of two clocks that a person should hear of: a
// round trip, with a body, is not that long.
const ClockOff = 5 * time.Minute

// A State is how the cloud stands, as its client sees it. The zero State is
// that of a cloud that answers, or was not asked yet.
type State struct {
	Away  bool      // requests fail for a reason that is the cloud's or the network's
	Since time.Time // Away: the first failure
	Next  time.Time // Away or Refused: no try before
	Err   error     // Away: the last failure; its hint is found with fault.Hint

	Refused *Stop // the key is refused, or cannot be read

	Clock Clock // of this machine
}

// A Clock is how this machine's stands to the cloud's, by the last answer's
// Date. The observer is not told of it.
type Clock struct {
	Ahead time.Duration // negative: behind; 0 while they differ by less than ClockOff
	Since time.Time     // Ahead is not 0 since then, by this machine's clock
}

func (c *Clock) compare(theirs, ours time.Time) {
	ahead := ours.Sub(theirs)
	if ahead.Abs() < ClockOff {
		*c = Clock{}
		return
	}
	c.Ahead = ahead
	if c.Since.IsZero() {
		c.Since = ours
	}
}
