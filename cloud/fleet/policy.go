package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tidemark/internal/wire"
)

// saying is a policy in words, a line each.
func saying(p wire.Policy) (lines []string) {
	if p.Paused {
		lines = append(lines, because("nothing moves", p.Reason))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Tables)) {
		t := p.Tables[name]
		if name == "*" {
			name = "every other table"
		}
		var parts []string
		if t.Disabled {
			parts = append(parts, because("off", t.Reason))
		}
		if t.MinInterval > 0 {
			parts = append(parts, "at most once in "+duration(time.Duration(t.MinInterval)*time.Second))
		}
		if t.ForcedSkips > 0 {
			parts = append(parts, fmt.Sprintf("skips %d times after each sync", t.ForcedSkips))
		}
		if t.MaxRows > 0 {
			parts = append(parts, "batches of at most "+count(t.MaxRows)+" rows")
		}
		lines = append(lines, name+": "+strings.Join(parts, "; "))
	}
	return lines
}

func because(what, why string) string {
	if why == "" {
		return what
	}
	return what + " (" + why + ")"
}
