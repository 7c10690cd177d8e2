package fleet

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
)

var units = []struct {
	unit time.Duration
	name string
}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}

// duration writes a duration in its largest unit, or the two largest.
func duration(d time.Duration) string {
	if d = d.Round(time.Second); d <= 0 {
		return "0s"
	}
	for i, u := range units {
		if d < u.unit {
			continue
		}
		text := fmt.Sprintf("%d%s", d/u.unit, u.name)
		if rest := d % u.unit; i < len(units)-1 && rest >= units[i+1].unit && d < 10*u.unit {
			text += fmt.Sprintf(" %d%s", rest/units[i+1].unit, units[i+1].name)
		}
		return text
	}
	return "0s"
}

// brief has at most three letters for a hundred days.
func brief(d time.Duration) string {
	for _, u := range units[:3] {
		if d >= u.unit {
			return fmt.Sprintf("%d%s", min(d/u.unit, 99), u.name)
		}
	}
	return "1m"
}

func ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return duration(now.Sub(t)) + " ago"
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func count(n any) string {
	switch n := n.(type) {
	case int:
		return humanize.Comma(int64(n))
	case int64:
		return humanize.Comma(n)
	case *int64:
		if n != nil {
			return humanize.Comma(*n)
		}
		return "?"
	}
	return fmt.Sprint(n)
}

func size(n any) string {
	switch n := n.(type) {
	case int:
		return humanize.IBytes(uint64(max(0, n)))
	case int64:
		return humanize.IBytes(uint64(max(0, n)))
	}
	return fmt.Sprint(n)
}

// shorten keeps the end of a name, which tells it from others.
func shorten(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return "…" + string(r[len(r)-most+1:])
}
