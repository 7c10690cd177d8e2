package rollout

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// A State says who decides about a rollout next.
type State string

// The states.
const (
	Running  State = "running"
	Paused   State = "paused"   // its tables are off for everybody, by an operator
	Halted   State = "halted"   // taken back by the watcher
	Reverted State = "reverted" // taken back by an operator
)

// A Rollout turns tables on for a share of the customers.
type Rollout struct {
	Name   string   `json:"name"`
	Tables []string `json:"tables"`          // off for whoever is not in the share
	Group  string   `json:"group,omitempty"` // only its customers can be in the share; "": all
	Seed   string   `json:"seed"`
	Steps  []Share  `json:"steps"` // rising; where Step goes when it is not told
	Bounds []Bound  `json:"bounds,omitempty"`
	// Hold is how long a figure has to be out of its bounds, Watch for how
	// long after a step that counts.
	Hold  time.Duration `json:"hold_ns"`
	Watch time.Duration `json:"watch_ns"`
	// ToZero has a halt take the tables from everybody, not only from those
	// that the last step added.
	ToZero bool `json:"halt_to_zero,omitempty"`

	State    State     `json:"state"`
	Reason   string    `json:"reason,omitempty"` // of the state
	Share    Share     `json:"share"`            // in force
	Before   Share     `json:"before"`           // the last step
	Next     *Share    `json:"next,omitempty"`   // asked for, waits for its baseline
	Asked    time.Time `json:"asked,omitzero"`   // when Next was
	Baseline Sample    `json:"baseline,omitempty"`
	Created  time.Time `json:"created"`
	Stepped  time.Time `json:"stepped,omitzero"` // when Share came into force
}

// Bounds of a rollout's times.
const (
	DefaultHold  = 2 * time.Minute
	DefaultWatch = 24 * time.Hour
	leastHold    = 10 * time.Second
	mostHold     = 20 * time.Minute
)

// ErrState says that a rollout cannot do that in the state it is in.
var ErrState = errors.New("the rollout cannot do that now")

// Check reports what is wrong with a new rollout, or nil.
func (r Rollout) Check() error {
	switch {
	case len(r.Tables) == 0:
		return errors.New("a rollout has one table at least")
	case len(r.Steps) == 0:
		return errors.New("a rollout has one step at least")
	case r.Hold < leastHold || r.Hold > mostHold:
		return fmt.Errorf("a figure is out of its bounds for %s to %s before a rollout is halted, not %s", leastHold, mostHold, r.Hold)
	case r.Watch < r.Hold:
		return fmt.Errorf("a step is watched for longer (%s) than figures are out of their bounds (%s)", r.Watch, r.Hold)
	}
	for i, s := range r.Steps {
		if s <= 0 || s > All || i > 0 && s <= r.Steps[i-1] {
			return fmt.Errorf("steps rise, from over 0%% to 100%%: %v do not", r.Steps)
		}
	}
	for i, b := range r.Bounds {
		for _, other := range r.Bounds[:i] {
			if other.Figure == b.Figure {
				return fmt.Errorf("%w: %s is bounded twice", ErrBound, b.Figure)
			}
		}
	}
	return nil
}

// Off tells whether the rollout's tables are off for a customer, and what its
// agent is told. That does not name the share: a step that changes nothing for
// a customer must not change its policy.
func (r Rollout) Off(customer string, inGroup bool) (reason string, off bool) {
	switch {
	case r.State == Paused:
		return "rollout " + r.Name + " is paused: " + r.Reason, true
	case r.Group != "" && !inGroup || !r.Share.Has(r.Seed, customer):
		return "not yet in rollout " + r.Name, true
	}
	return "", false
}

// Following returns the step after the present share; not ok at the last one.
func (r Rollout) Following() (Share, bool) {
	i := slices.IndexFunc(r.Steps, func(s Share) bool { return s > r.Share })
	if i < 0 {
		return 0, false
	}
	return r.Steps[i], true
}

// Step asks for a share. A smaller one, and any of a rollout without bounds,
// is in force at once; a larger one waits for the watcher.
func (r Rollout) Step(to Share, now time.Time) (Rollout, error) {
	switch {
	case r.State == Paused:
		return r, fmt.Errorf("%w: it is paused", ErrState)
	case to == r.Share && r.Next == nil && r.State == Running:
		return r, fmt.Errorf("%w: it is at %s already", ErrState, to)
	}
	r.State, r.Reason = Running, ""
	if to > r.Share && len(r.Bounds) > 0 {
		r.Next, r.Asked = &to, now.UTC()
		return r, nil
	}
	baseline := r.Baseline
	r = r.put(to, now)
	if r.Share < r.Before { // what was before the larger share is before the smaller one, too
		r.Baseline = baseline
	}
	return r, nil
}

// put brings a share into force.
func (r Rollout) put(to Share, now time.Time) Rollout {
	r.Before, r.Share, r.Stepped, r.Baseline = r.Share, to, now.UTC(), nil
	r.Next, r.Asked = nil, time.Time{}
	return r
}

// begin brings the share that was asked for into force.
func (r Rollout) begin(baseline Sample, now time.Time) Rollout {
	r = r.put(*r.Next, now)
	r.Baseline = baseline
	return r
}

// Pause turns the tables off for everybody; Resume turns them on again for
// the same share.
func (r Rollout) Pause(reason string) (Rollout, error) {
	if r.State == Paused {
		return r, fmt.Errorf("%w: it is paused already", ErrState)
	}
	r.State, r.Reason = Paused, reason
	r.Next, r.Asked = nil, time.Time{}
	return r, nil
}

// Resume ends a pause. The step is watched anew, against the same baseline.
func (r Rollout) Resume(now time.Time) (Rollout, error) {
	if r.State != Paused {
		return r, fmt.Errorf("%w: it is not paused", ErrState)
	}
	r.State, r.Reason, r.Stepped = Running, "", now.UTC()
	return r, nil
}

// Revert takes the tables back from those that are not in a smaller share, and
// a step that waits. Where that is all, what is in force stays watched.
func (r Rollout) Revert(to Share, reason string, now time.Time) (Rollout, error) {
	if to >= r.Share && r.Next == nil {
		return r, fmt.Errorf("%w: it is at %s, which is not above %s", ErrState, r.Share, to)
	}
	if to >= r.Share && r.Share > 0 {
		r.Next, r.Asked = nil, time.Time{}
		return r, nil
	}
	r = r.put(min(to, r.Share), now)
	r.State, r.Reason, r.Before = Reverted, reason, min(r.Before, to)
	return r, nil
}

// halt is what the watcher does to a rollout that is too much.
func (r Rollout) halt(reason string, now time.Time) Rollout {
	to := min(r.Before, r.Share)
	if r.ToZero {
		to = 0
	}
	r = r.put(to, now)
	r.State, r.Reason, r.Before = Halted, reason, to
	return r
}

// Ended reports what keeps a rollout from being removed, which turns its
// tables on for everybody, or nil.
func (r Rollout) Ended() error {
	if r.State != Running || r.Share != All || r.Next != nil {
		return fmt.Errorf("%w: to end it would turn its tables on for everybody, and it is %s at %s", ErrState, r.State, r.Share)
	}
	return nil
}

// Watched tells whether the figures matter to the rollout now.
func (r Rollout) Watched(now time.Time) bool {
	return len(r.Bounds) > 0 && r.State == Running && (r.Next != nil || r.Share > 0 && now.Sub(r.Stepped) < r.Watch)
}
