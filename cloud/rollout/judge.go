package rollout

import (
	"fmt"
	"time"
)

// How figures are judged.
const (
	baselineAge = 5 * time.Minute // and at most
	blind       = 5 * time.Minute // without a figure that is bounded, a rollout is halted
	remembered  = mostHold + time.Minute
)

// A history is what was seen lately, oldest first.
type history []seen

type seen struct {
	at     time.Time
	sample Sample
}

// add adds a sample and forgets what is too old to matter.
func (h history) add(at time.Time, s Sample) history {
	h = append(h, seen{at, s})
	for at.Sub(h[0].at) > remembered {
		h = h[1:]
	}
	return h
}

// A past is what the history of the last minutes tells of a figure.
type past struct {
	known      int // samples that have it
	mean, last float64
	seen       time.Duration // since the first of them
}

func (h history) past(f Figure, now time.Time) (p past) {
	for _, s := range h {
		v, ok := s.sample[f]
		if !ok || now.Sub(s.at) > baselineAge {
			continue
		}
		if p.known == 0 {
			p.seen = now.Sub(s.at)
		}
		p.mean, p.last, p.known = p.mean+v, v, p.known+1
	}
	p.mean /= float64(max(p.known, 1))
	return p
}

// baseline is the mean of the figures of the last minutes that the bounds
// name, once they were seen for settle. Where it is not there, missing says
// which figure is not known yet, or which is out of its bounds before anything
// was done.
func (h history) baseline(bounds []Bound, now time.Time, settle time.Duration) (mean Sample, missing string) {
	mean = Sample{}
	for _, b := range bounds {
		p := h.past(b.Figure, now)
		switch {
		case p.known == 0:
			return nil, b.Figure.unknown()
		case p.seen < settle:
			return nil, string(b.Figure) + " is not known for long enough"
		case b.Most > 0 && p.last > b.Most:
			return nil, b.says(p.last, nil) + ", before the step"
		}
		mean[b.Figure] = p.mean
	}
	return mean, ""
}

// left tells whether a figure has been out of its bounds for the rollout's
// Hold since its last step, and why; or could not be seen for too long.
func (h history) left(r Rollout, now time.Time) (reason string, is bool) {
	for _, b := range r.Bounds {
		limit := b.limit(r.Baseline)
		if _, ok := r.Baseline[b.Figure]; b.Times > 0 && !ok {
			continue // made larger without a baseline, which only happens to one from elsewhere
		}
		var bad float64
		since, any := now, false
		for i := len(h) - 1; i >= 0 && h[i].at.After(r.Stepped); i-- {
			v, known := h[i].sample[b.Figure]
			if known && v <= limit {
				break
			}
			if known && !any {
				bad, any = v, true
			}
			since = h[i].at
		}
		switch out := now.Sub(since); {
		case any && out >= r.Hold:
			return fmt.Sprintf("%s, for %s", b.says(bad, r.Baseline), out.Round(time.Second)), true
		case !any && out >= max(blind, r.Hold):
			return fmt.Sprintf("%s could not be seen for %s", b.Figure, out.Round(time.Second)), true
		}
	}
	return "", false
}

// judge says what becomes of a rollout that is watched: itself, when nothing
// does. Why is for the record; waits says what a step waits for.
func (h history) judge(r Rollout, now time.Time, settle time.Duration) (next Rollout, why, waits string, changed bool) {
	// A step that was put into force is judged before a further one begins.
	if r.Share > 0 && !r.Stepped.IsZero() && now.Sub(r.Stepped) < r.Watch {
		if reason, is := h.left(r, now); is {
			return r.halt(reason, now), reason, "", true
		}
	}
	if r.Next == nil {
		return r, "", "", false
	}
	baseline, missing := h.baseline(r.Bounds, now, settle)
	if missing != "" {
		return r, "", missing, false
	}
	return r.begin(baseline, now), "the figures before the step are known", "", true
}
