package rollout

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// seconds is where an instance tells, beside a figure, for how long it has
// seen it. It is no figure's name, so that older instances pass over it.
func (f Figure) seconds() Figure { return f + " seen for" }

// tell is what an instance puts down for others: what it sees, and for how
// long it has seen each figure on whatever instance.
func (h history) tell(mine Sample, now time.Time) Sample {
	told := Sample{}
	maps.Copy(told, mine)
	for _, f := range AllFigures {
		if p := h.past(f, now); p.known > 0 {
			told[f.seconds()] = p.seen.Seconds()
		}
	}
	return told
}

// Waits says what the step that was asked for waits for, by what each instance
// has told lately: a line for each bound, or why there is none. Nothing where
// no step waits.
func (r Rollout) Waits(told map[string]Sample, now time.Time) (lines []string) {
	switch {
	case r.Next == nil:
		return nil
	case len(told) == 0 && now.Sub(r.Asked) < 2*lookEvery:
		return []string{fmt.Sprintf("no server has looked yet; each does once in %s", lookEvery)}
	case len(told) == 0:
		return []string{"no server tells its figures: one has to run"}
	}
	seen := Worst(told)
	decides := told[slices.Min(slices.Collect(maps.Keys(told)))]
	for _, b := range r.Bounds {
		v, known := seen[b.Figure]
		since := time.Duration(decides[b.Figure.seconds()] * float64(time.Second)).Round(time.Second)
		switch {
		case !known:
			lines = append(lines, b.Figure.unknown())
		case b.Most > 0 && v > b.Most:
			lines = append(lines, b.says(v, nil)+", before the step")
		case since < settle:
			lines = append(lines, fmt.Sprintf("%s is %s, seen for %s: %s more", b.Figure, b.Figure.Format(v), since, settle-since))
		default:
			lines = append(lines, fmt.Sprintf("%s is %s, seen for long enough", b.Figure, b.Figure.Format(v)))
		}
	}
	return lines
}

// unknown says that nobody sees a figure, and what that can come from.
func (f Figure) unknown() string {
	text := string(f) + " is not known"
	switch f {
	case Reads:
		text += ": the database does not tell, or not yet, what it reads"
	case Lag:
		text += ": the database has no replica, or its user may not see that (pg_monitor)"
	}
	return text
}
