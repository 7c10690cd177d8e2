package cloud

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"tidemark/internal/wire"
)

// LeaseTerms say how often sites come back.
type LeaseTerms struct {
	// Every is how often a site comes back, over 0; what the cloud lost, or
	// somebody else changed there, is noticed within this time. 0: 30 minutes.
	// Below 0: there are no leases, and sites ask whenever their caps say so.
	Every time.Duration // at most MaxLease
	// Pace is the least time between two reports of a site. 0: a sixth of
	// Every.
	Pace time.Duration
}

// MaxLease bounds LeaseTerms.Every: agents believe a week.
const MaxLease = 24 * time.Hour

// terms with the defaults.
func (l LeaseTerms) terms() LeaseTerms {
	l.Every = min(cmp.Or(l.Every, 30*time.Minute), MaxLease)
	l.Pace = cmp.Or(l.Pace, l.Every/6)
	return l
}

// lease is what a customer is told at a time by a server that runs for so
// long; false when there are no leases.
//
// The places in time at which a customer comes back lie at a hash of its name,
// so that neither a start nor an outage ever lines customers up, and any
// instance says the same. A server that has just started doubles the distance
// for the length of one: after an outage there is other work.
func (l LeaseTerms) lease(customer string, now time.Time, runs time.Duration) (wire.Lease, bool) {
	l = l.terms()
	if l.Every < 0 {
		return wire.Lease{}, false
	}
	every := l.Every
	if runs < l.Every {
		every *= 2
	}
	soonest := now.Add(every / 2)
	next := (phase(customer, every) - time.Duration(soonest.UnixNano())%every) % every
	if next < 0 {
		next += every
	}
	return wire.Lease{Hold: 2 * every, Return: soonest.Add(next).Sub(now), Every: every, Pace: l.Pace}, true
}

// phase is where in a span a customer's place is.
func phase(customer string, span time.Duration) time.Duration {
	sum := sha256.Sum256([]byte(customer))
	share := float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
	return time.Duration(share * float64(span))
}

// announceLease puts the lease into an answer to a customer.
func (s *Server) announceLease(c *call) {
	now := s.now()
	if l, ok := s.leases.lease(c.customer, now, now.Sub(s.started)); ok {
		c.w.Header().Set(wire.HeaderLease, l.String())
	}
}
