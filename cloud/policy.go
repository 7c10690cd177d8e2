package cloud

import (
	"context"
	"encoding/json"

	"tidemark/internal/wire"
)

// effectivePolicy is what holds for a customer: the narrower, point by point,
// of its own policy and the fleet's.
func effectivePolicy(ctx context.Context, store Store, customer string) (wire.Policy, error) {
	fleet, err := store.Policy(ctx, Fleet)
	if err != nil {
		return wire.Policy{}, err
	}
	own, err := store.Policy(ctx, customer)
	if err != nil {
		return wire.Policy{}, err
	}
	return narrow(fleet, own), nil
}

func narrow(a, b wire.Policy) wire.Policy {
	out := wire.Policy{Paused: a.Paused || b.Paused, Reason: b.Reason}
	if a.Paused || out.Reason == "" {
		out.Reason = a.Reason
	}
	if out.Paused && out.Reason == "" {
		out.Reason = b.Reason
	}
	for _, p := range []wire.Policy{a, b} {
		for name := range p.Tables {
			if out.Tables == nil {
				out.Tables = make(map[string]wire.TablePolicy)
			}
			out.Tables[name] = narrowTable(tablePolicy(a, name), tablePolicy(b, name))
		}
	}
	return out
}

// tablePolicy is what a policy says of a table: by its name, else by "*".
func tablePolicy(p wire.Policy, name string) wire.TablePolicy {
	if t, ok := p.Tables[name]; ok {
		return t
	}
	return p.Tables["*"]
}

func narrowTable(a, b wire.TablePolicy) wire.TablePolicy {
	out := wire.TablePolicy{
		Disabled:    a.Disabled || b.Disabled,
		Reason:      b.Reason,
		MinInterval: max(a.MinInterval, b.MinInterval),
		ForcedSkips: max(a.ForcedSkips, b.ForcedSkips),
		MaxRows:     min(a.MaxRows, b.MaxRows),
	}
	if out.MaxRows == 0 { // one of them leaves it open
		out.MaxRows = max(a.MaxRows, b.MaxRows)
	}
	if out.Reason == "" || a.Disabled {
		out.Reason = a.Reason
	}
	if out.Disabled && out.Reason == "" {
		out.Reason = b.Reason
	}
	return out
}

// getPolicy answers the policy of the customer.
func (s *Server) getPolicy(c *call) error {
	p, err := s.policies.get(c.r.Context(), c.customer, s.now(), freshPolicy)
	if err != nil {
		return err
	}
	return c.answerTagged(p)
}

// announcePolicy puts the policy's ETag into every answer to a customer, so
// that agents need not ask whether it has changed.
func (s *Server) announcePolicy(ctx context.Context, c *call) error {
	p, err := s.policies.get(ctx, c.customer, s.now(), freshPolicy)
	if err != nil {
		return err
	}
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	c.w.Header().Set(wire.HeaderPolicy, etag(body))
	return nil
}
