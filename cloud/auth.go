package cloud

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tidemark/internal/wire"
)

// How long a server goes by what it read of keys and policies. A key that is
// not among the ones it knows makes it look again, at most once a second.
const (
	freshKeys   = 15 * time.Second
	recheckKeys = time.Second
	freshPolicy = 10 * time.Second
)

// keyLookups is how many keys are looked up in the store at a time. Anybody can
// cause a lookup, with a key of a customer that there is not.
const keyLookups = 4

func (s *Server) lookUpKeys(ctx context.Context, customer string) ([]Key, error) {
	leave, err := s.entry.enter(ctx, "", 1)
	if err != nil {
		return nil, err
	}
	defer leave()
	return s.store.Keys(ctx, customer)
}

// authenticate finds the customer that the request's key opens, and holds it
// against the one in the path.
func (s *Server) authenticate(ctx context.Context, c *call) error {
	if len(c.r.Header["Authorization"]) > 1 { // a proxy may go by another one
		return wire.NewProblem(wire.Unauthorized, "the request has several keys", "Send one Authorization header.")
	}
	scheme, secret, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return wire.NewProblem(wire.Unauthorized, "the request has no bearer key", "Send the key as \"Authorization: Bearer tmk_...\".")
	}
	secret = strings.TrimSpace(secret)
	owner, ok := keyCustomer(secret)
	if ok {
		var err error
		if ok, err = s.opens(ctx, owner, secret); err != nil {
			return err
		}
	}
	if !ok {
		return wire.NewProblem(wire.Unauthorized, "", "The key was mistyped, rotated or removed. The operator makes a code with \"tidemark-cloud customers invite\", and \"tidemark enroll\" at the site exchanges it for a new key.")
	}
	if asked := c.r.PathValue("customer"); asked != owner {
		return wire.NewProblem(wire.Forbidden, fmt.Sprintf("the key opens %q, not %q", owner, asked), "Check the customer in the agent's configuration.")
	}
	c.customer = owner
	return nil
}

func (s *Server) opens(ctx context.Context, owner, secret string) (bool, error) {
	for _, age := range []time.Duration{freshKeys, recheckKeys} {
		now := s.now()
		keys, err := s.keys.get(ctx, owner, now, age)
		if err != nil {
			return false, err
		}
		if opens(secret, keys, now) {
			return true, nil
		}
	}
	return false, nil
}
