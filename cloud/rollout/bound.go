package rollout

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Bound is a limit of a figure: absolute (At Most) or a multiple of the
// baseline (Times).
type Bound struct {
	Figure Figure  `json:"figure"`
	Most   float64 `json:"most,omitempty"`
	Times  float64 `json:"times,omitempty"`
}

// ErrBound is found in errors about bounds that are none.
var ErrBound = fmt.Errorf("not a bound")

// ParseBound reads "reads=2000", "latency=250ms", or relative to the baseline
// "reads=2x".
func ParseBound(s string) (Bound, error) {
	name, value, ok := strings.Cut(s, "=")
	b := Bound{Figure: Figure(strings.TrimSpace(name))}
	value = strings.TrimSpace(value)
	if !slices.Contains(AllFigures, b.Figure) {
		return b, fmt.Errorf("%w: %q names no figure that is watched", ErrBound, name)
	}
	if !ok {
		return b, fmt.Errorf("%w: %q has no value", ErrBound, s)
	}
	var err error
	if times, relative := strings.CutSuffix(value, "x"); relative {
		b.Times, err = strconv.ParseFloat(times, 64)
		if err != nil || !(b.Times > 1) || b.Times > 1e6 {
			return b, fmt.Errorf("%w: %q is no multiple of the baseline above 1x, such as 2x", ErrBound, value)
		}
		return b, nil
	}
	if b.Most, err = b.Figure.parse(value); err != nil {
		return b, fmt.Errorf("%w: %w", ErrBound, err)
	}
	return b, nil
}

// String is the form that ParseBound reads.
func (b Bound) String() string {
	if b.Times > 0 {
		return fmt.Sprintf("%s=%gx", b.Figure, b.Times)
	}
	return string(b.Figure) + "=" + b.Figure.Format(b.Most)
}

// limit is the value that the figure may not pass.
func (b Bound) limit(baseline Sample) float64 {
	if b.Times > 0 {
		return max(b.Times*baseline[b.Figure], least[b.Figure])
	}
	return b.Most
}

// says tells why a value is not within the bound.
func (b Bound) says(v float64, baseline Sample) string {
	f := b.Figure
	text := fmt.Sprintf("%s is %s, over %s", f, f.Format(v), f.Format(b.limit(baseline)))
	if b.Times > 0 {
		text += fmt.Sprintf(" (%gx of %s before the step, at least %s)", b.Times, f.Format(baseline[f]), f.Format(least[f]))
	}
	return text
}
