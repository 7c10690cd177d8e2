package cloud

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"tidemark/internal/wire"
)

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
	p, err := s.policies.get(c.r.Context(), c.customer, s.now())
	if err != nil {
		return err
	}
	return c.answerTagged(p.policy)
}

// announcePolicy puts the policy's ETag into every answer to a customer, so
// that agents need not ask whether it has changed.
func (s *Server) announcePolicy(ctx context.Context, c *call) error {
	p, err := s.policies.get(ctx, c.customer, s.now())
	if err != nil {
		return err
	}
	c.w.Header().Set(wire.HeaderPolicy, p.tag)
	return nil
}

// stalePolicy is how old rules may be while the store cannot be asked.
const stalePolicy = time.Minute

// policies keep the rules in memory, so that the policy of a customer costs
// the store nothing: one small row in freshPolicy, whatever the fleet.
type policies struct {
	store Control

	asking chan struct{} // held by the one who asks the store
	mu     sync.Mutex
	rules  *Rules
	loaded time.Time
	known  map[string]announced
}

// announced is a customer's policy, and the ETag of its document.
type announced struct {
	policy wire.Policy
	tag    string
}

func newPolicies(store Control) *policies {
	return &policies{store: store, asking: make(chan struct{}, 1)}
}

// get returns what holds for a customer, by rules read at most freshPolicy ago.
func (p *policies) get(ctx context.Context, customer string, now time.Time) (announced, error) {
	if _, err := p.current(ctx, now); err != nil {
		return announced{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if a, ok := p.known[customer]; ok {
		return a, nil
	}
	policy := p.rules.Effective(customer)
	body, err := json.Marshal(policy)
	if err != nil {
		return announced{}, err
	}
	if len(p.known) >= maxCached {
		clear(p.known)
	}
	a := announced{policy, etag(body)}
	p.known[customer] = a
	return a, nil
}

// current returns the rules. One caller asks the store; the others go by what
// there is, or wait where that is nothing. A store that is away is no reason
// to refuse anybody for a minute: agents do not get more by it than they had.
func (p *policies) current(ctx context.Context, now time.Time) (*Rules, error) {
	rules, age := p.age(now)
	if rules != nil && age <= freshPolicy {
		return rules, nil
	}
	if rules == nil || age > stalePolicy {
		select {
		case p.asking <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	} else {
		select {
		case p.asking <- struct{}{}:
		default:
			return rules, nil
		}
	}
	defer func() { <-p.asking }()
	if again, age := p.age(now); again != nil && age <= freshPolicy { // the one before has asked
		return again, nil
	}
	read, err := p.read(ctx, rules)
	if err != nil {
		if rules != nil && age <= stalePolicy {
			return rules, nil
		}
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if read != p.rules {
		p.rules, p.known = read, map[string]announced{}
	}
	p.loaded = now
	return read, nil
}

// age returns the rules and how old they are, a clock that went back included.
func (p *policies) age(now time.Time) (*Rules, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rules, now.Sub(p.loaded).Abs()
}

func (p *policies) read(ctx context.Context, have *Rules) (*Rules, error) {
	known := int64(-1)
	if have != nil {
		known = have.Revision
	}
	revision, all, err := p.store.Documents(ctx, known)
	if err != nil {
		return nil, err
	}
	if revision == known {
		return have, nil
	}
	return ReadRules(revision, all)
}
