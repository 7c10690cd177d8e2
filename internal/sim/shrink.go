package sim

import (
	"slices"
	"strings"
	"testing"
)

// Shrink leaves out of a plan that fails what it fails without, in at most so
// many histories. A history that fails otherwise does not count.
func Shrink(t *testing.T, p Plan, failure string, most int) Plan {
	same := func(p Plan) bool {
		most--
		return most >= 0 && first(Run(t, p).Failure) == first(failure)
	}
	for size := max(1, len(p.Steps)/2); size > 0; size /= 2 {
		for at := 0; at < len(p.Steps); {
			less := p
			less.Steps = slices.Delete(slices.Clone(p.Steps), at, min(at+size, len(p.Steps)))
			if same(less) {
				p = less
			} else {
				at += size
			}
		}
	}
	for _, name := range slices.Clone(p.Setup.Tables) {
		less := p
		less.Setup.Tables = slices.DeleteFunc(slices.Clone(p.Setup.Tables), func(n string) bool { return n == name })
		used := slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Table == name })
		if len(less.Setup.Tables) > 0 && !used && same(less) {
			p = less
		}
	}
	return p
}

// first is what a failure is told from others by: its words without numbers.
func first(failure string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, failure[:min(len(failure), 40)])
}
