package uploader

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// A pacer gives the waits between tries: full jitter, which is evenly spread
// between nothing and an interval that doubles up to a cap.
type pacer struct {
	intervals *backoff.ExponentialBackOff
	rand      func() float64
}

func newPacer(r Retry, rand func() float64) *pacer {
	b := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(r.Initial), backoff.WithMaxInterval(r.Max),
		backoff.WithMultiplier(2), backoff.WithRandomizationFactor(0),
		backoff.WithMaxElapsedTime(0)) // never gives up
	return &pacer{intervals: b, rand: rand}
}

// next returns the wait before the next try, not below floor. The jitter is
// on top of a floor, so that those who were told the same do not come at once.
func (p *pacer) next(floor time.Duration) time.Duration {
	return floor + jitter(p.rand, p.intervals.NextBackOff())
}

func (p *pacer) reset() { p.intervals.Reset() }

func jitter(rand func() float64, d time.Duration) time.Duration {
	return time.Duration(rand() * float64(d))
}

// retryAfter reads the header (RFC 9110, 10.2.3), seconds or a date, between
// nothing and most.
func retryAfter(h http.Header, now time.Time, most time.Duration) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	var d time.Duration
	if n, err := strconv.ParseUint(text, 10, 63); err == nil {
		d = most
		if n < uint64(most/time.Second) {
			d = time.Duration(n) * time.Second
		}
	} else if at, err := http.ParseTime(text); err == nil {
		// By the server's own clock where it tells it: ours may be wrong by years.
		if date, err := http.ParseTime(h.Get("Date")); err == nil {
			now = date
		}
		d = at.Sub(now)
	}
	if d < 0 {
		return 0
	}
	return min(d, most)
}
