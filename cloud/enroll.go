package cloud

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"tidemark/internal/wire"
)

// maxEnrollment bounds the body of an enrolment.
const maxEnrollment = 4 << 10

// postEnroll gives a key for a one-time code. It needs no key, so it is paced,
// and a wrong code costs one look at the store.
func (s *Server) postEnroll(c *call) error {
	if !s.strangers.admit(c.r.RemoteAddr, time.Now()) {
		return wire.NewProblem(wire.Overloaded, "too many enrolments", "Try again after the seconds in Retry-After.")
	}
	var err error
	if c.body, err = s.read(c, maxEnrollment); err != nil {
		return err
	}
	var asked wire.Enrollment
	if err := c.decode(&asked); err != nil {
		return err
	}
	customer, hash, ok := readCode(asked.Code)
	if !ok {
		return errNotInvited()
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), s.limits.Patience)
	defer cancel()
	leave, err := s.entry.enter(ctx, "", 1)
	if err != nil {
		return err
	}
	defer leave()
	all, err := s.store.Invitations(ctx, customer)
	if err != nil {
		return err
	}
	now := s.now()
	if !invited(hash, all, now) {
		return errNotInvited()
	}
	secret, key := NewKey(customer, now)
	if err := s.store.Redeem(ctx, customer, hash, key, now); errors.Is(err, ErrNoInvitation) {
		return errNotInvited()
	} else if err != nil {
		return err
	}
	s.keys.forget(customer) // the new key is used next
	c.customer = customer
	s.log.Info("enrolled", zap.String("request_id", c.id), zap.String("customer", customer), zap.String("remote", c.r.RemoteAddr))
	c.w.Header().Set("Cache-Control", "no-store")
	return c.answer(wire.Enrolled{Customer: customer, Key: secret})
}

// errNotInvited is the same for every code that is not good: it does not tell
// which customers there are.
func errNotInvited() error {
	return wire.NewProblem(wire.NotFound, "no invitation has this code: it was used, has expired, or was mistyped",
		"The operator makes another with \"tidemark-cloud customers invite\".")
}

// Paces of those who have no key: of one address, and of all.
const (
	strangerRate  = rate.Limit(1) // a second
	strangerBurst = 10
	strangersRate = rate.Limit(20)
	strangersMost = 50
	strangersKept = 4096 // addresses remembered
)

// strangers paces those who have no key. The zero value is ready.
type strangers struct {
	mu  sync.Mutex
	all *rate.Limiter
	by  map[netip.Prefix]*rate.Limiter
}

// admit tells whether a request from that address may come in now.
func (s *strangers) admit(address string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.all, s.by = rate.NewLimiter(strangersRate, strangersMost), map[netip.Prefix]*rate.Limiter{}
	}
	from := network(address)
	l := s.by[from]
	if l == nil {
		if len(s.by) >= strangersKept {
			s.forget(now)
		}
		l = rate.NewLimiter(strangerRate, strangerBurst)
		s.by[from] = l
	}
	return l.AllowN(now, 1) && s.all.AllowN(now, 1)
}

// forget forgets those who have not come for a while; where all of them have,
// everybody: the pace of all still holds.
func (s *strangers) forget(now time.Time) {
	for from, l := range s.by {
		if l.TokensAt(now) >= strangerBurst {
			delete(s.by, from)
		}
	}
	if len(s.by) >= strangersKept {
		clear(s.by)
	}
}

// network is the address without its port, of IPv6 the half that a provider
// gives to one house.
func network(address string) netip.Prefix {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Prefix{}
	}
	ip := at.Addr().Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	p, _ := ip.Prefix(bits) // bits fit
	return p
}
