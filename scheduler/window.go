package scheduler

import "time"

// A Window is a time of the day, on some days of the week. One that ends at
// or before its beginning ends on the next day, and belongs to the day on
// which it begins.
type Window struct {
	Days [7]bool        // by time.Weekday
	From time.Duration  // since midnight, 0 to below 24 h
	To   time.Duration  // since midnight, over 0 to 24 h
	Zone *time.Location // nil means the machine's own
}

// Contains reports whether the time lies in the window, by the clock on the
// wall of its zone: when clocks change, the window follows them.
func (w Window) Contains(t time.Time) bool {
	zone := w.Zone
	if zone == nil {
		zone = time.Local
	}
	t = t.In(zone)
	hour, minute, second := t.Clock()
	at := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	today, yesterday := w.Days[t.Weekday()], w.Days[(t.Weekday()+6)%7]
	if w.From < w.To {
		return today && at >= w.From && at < w.To
	}
	return today && at >= w.From || yesterday && at < w.To
}

// Windows is several of them; none means always.
type Windows []Window

// Contain reports whether the time lies in one of the windows.
func (ws Windows) Contain(t time.Time) bool {
	for _, w := range ws {
		if w.Contains(t) {
			return true
		}
	}
	return len(ws) == 0
}
