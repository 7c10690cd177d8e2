package fleet

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/rollout"
)

// A rolling is a rollout as it is shown.
type rolling struct {
	rollout.Versioned
	Tone   string
	Steps  []step
	In     int // customers that are in its share
	Of     int
	Bounds []string
}

// A step is one of a rollout's, and whether it is in force.
type step struct {
	Share string
	Done  bool
}

// rollouts shows which tables are on for whom, and the policies that hold.
func (p *Page) rollouts(r *http.Request) (string, any, error) {
	v, err := p.watcher.Look(r.Context())
	if err != nil {
		return "", nil, err
	}
	data := struct {
		At       time.Time
		Rollouts []rolling
		Policies []policy
	}{At: v.At, Policies: policies(v.rules)}
	for _, ro := range v.rules.Rollouts {
		one := rolling{Versioned: ro, Tone: toneOfState(ro.State)}
		for _, s := range ro.Rollout.Steps {
			one.Steps = append(one.Steps, step{s.String(), s <= ro.Share})
		}
		for _, b := range ro.Rollout.Bounds {
			one.Bounds = append(one.Bounds, b.String())
		}
		for _, c := range v.customers {
			in := v.rules.InGroup(c.ID, ro.Group)
			if ro.Group != "" && !in {
				continue
			}
			one.Of++
			if _, off := ro.Off(c.ID, in); !off {
				one.In++
			}
		}
		data.Rollouts = append(data.Rollouts, one)
	}
	return "rollouts.html", data, nil
}

func toneOfState(s rollout.State) string {
	switch s {
	case rollout.Running:
		return "good"
	case rollout.Paused:
		return "mild"
	}
	return "bad"
}

// A policy is what one scope is told.
type policy struct{ Scope, Says string }

func policies(r *cloud.Rules) (all []policy) {
	for scope, p := range r.Policies {
		for _, line := range saying(p) {
			all = append(all, policy{scope.String(), line})
		}
	}
	slices.SortFunc(all, func(a, b policy) int { return strings.Compare(a.Scope+a.Says, b.Scope+b.Says) })
	return all
}
