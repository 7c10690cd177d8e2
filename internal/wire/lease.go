package wire

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Lease tells a site how long what it knows of the cloud holds, and when to
// come back. It is in every answer to a customer, as a structured field
// (RFC 9651, a dictionary) of seconds:
//
//	Tidemark-Lease: hold=3600, return=1432, every=1800, pace=300
//
// A site comes back with a report. An answer to a report, or with all
// versions, starts the lease anew; what other answers say can only have the
// site come back earlier.
type Lease struct {
	// Hold is for how long the versions that the site was told hold, as long as
	// it alone writes them: until then it need not ask.
	Hold time.Duration
	// Return is when the site is expected back, at a place in time of its own.
	Return time.Duration
	// Every is how far apart these places are. A site that could not come
	// waits for the next one.
	Every time.Duration
	// Pace is the least time between two reports, and over which sites spread
	// one that something gave rise to.
	Pace time.Duration
}

// longestLease bounds what a site believes.
const longestLease = 7 * 24 * time.Hour

// String is the field's value, in milliseconds at the finest.
func (l Lease) String() string {
	return fmt.Sprintf("hold=%s, return=%s, every=%s, pace=%s", seconds(l.Hold), seconds(l.Return), seconds(l.Every), seconds(l.Pace))
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Round(time.Millisecond).Seconds(), 'f', -1, 64)
}

// ParseLease reads the field. Members that are not known are passed over, as
// are parameters; ok is false when one of the four is missing, not over 0, or
// beyond a week.
func ParseLease(field string) (l Lease, ok bool) {
	members := map[string]*time.Duration{"hold": &l.Hold, "return": &l.Return, "every": &l.Every, "pace": &l.Pace}
	for member := range strings.SplitSeq(field, ",") {
		key, value, _ := strings.Cut(strings.Trim(member, " \t"), "=")
		into := members[key]
		if into == nil { // also a piece of a string with a comma in it
			continue
		}
		value, _, _ = strings.Cut(value, ";")
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || !(n > 0 && n <= longestLease.Seconds()) {
			return Lease{}, false
		}
		*into = time.Duration(n * float64(time.Second))
	}
	return l, l.Hold > 0 && l.Return > 0 && l.Every > 0 && l.Pace > 0
}
