package page

import (
	"fmt"
	"math"
	"time"

	"github.com/dustin/go-humanize"
)

// short writes a duration in its largest unit, or the two largest.
func short(d time.Duration) string {
	parts := []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}
	if d = d.Round(time.Second); d <= 0 {
		return "0s"
	}
	for i, p := range parts {
		if d < p.unit {
			continue
		}
		text := fmt.Sprintf("%d%s", d/p.unit, p.name)
		if rest := d % p.unit; i < len(parts)-1 && rest >= parts[i+1].unit {
			text += fmt.Sprintf(" %d%s", rest/parts[i+1].unit, parts[i+1].name)
		}
		return text
	}
	return "0s"
}

func seconds(s float64) string { return short(time.Duration(s * float64(time.Second))) }

// count has a digit behind the point where that says something.
func count(n float64) string {
	if n < 10 {
		return humanize.Ftoa(math.Round(10*n) / 10)
	}
	return humanize.Comma(int64(math.Round(n)))
}

func size(n float64) string { return humanize.IBytes(uint64(max(0, n))) }

func rows(n *int64) string {
	if n == nil {
		return "?"
	}
	return humanize.Comma(*n)
}

func ago(now time.Time, t *time.Time) string {
	if t == nil || t.IsZero() {
		return "never"
	}
	return short(now.Sub(*t)) + " ago"
}

func in(now time.Time, t *time.Time) string {
	switch {
	case t == nil || t.IsZero():
		return "–"
	case !t.After(now):
		return "now"
	}
	return "in " + short(t.Sub(now))
}

func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }
