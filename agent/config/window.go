package config

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Window is a time of the day, on some days of the week, in which a table
// may move: "22:00-06:00", "sat,sun 00:00-24:00" or
// "mon-fri 20:00-06:30 Europe/Berlin". Where To is not after From the window
// ends on the next day; it belongs to the day on which it begins.
type Window struct {
	Days [7]bool        // by time.Weekday
	From time.Duration  // since midnight, below 24 h
	To   time.Duration  // since midnight, at most 24 h
	Zone *time.Location // the machine's own where none is named

	text string
}

// String returns the window as it was written.
func (w Window) String() string { return w.text }

func (*Window) expected() string {
	return `times such as "22:00-06:00", "mon-fri 20:00-06:30" or "sat,sun 00:00-24:00 Europe/Berlin"`
}

var weekdays = map[string]int{"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}

func (w *Window) parse(text string) error {
	*w = Window{Zone: time.Local, text: text}
	parts := strings.Fields(text)
	if len(parts) > 0 && strings.Contains(parts[0], ":") {
		parts = append([]string{"mon-sun"}, parts...)
	}
	if len(parts) < 2 || len(parts) > 3 {
		return errors.New("not a window")
	}
	for span := range strings.SplitSeq(strings.ToLower(parts[0]), ",") {
		first, last, isRange := strings.Cut(span, "-")
		if !isRange {
			last = first
		}
		from, ok1 := weekdays[first]
		to, ok2 := weekdays[last]
		if !ok1 || !ok2 {
			return fmt.Errorf("%q is not a day: mon, tue, wed, thu, fri, sat, sun", span)
		}
		for d := from; ; d = (d + 1) % 7 {
			w.Days[d] = true
			if d == to {
				break
			}
		}
	}
	from, to, _ := strings.Cut(parts[1], "-")
	var err1, err2 error
	w.From, err1 = timeOfDay(from)
	w.To, err2 = timeOfDay(to)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if w.From == 24*time.Hour || w.From == w.To {
		return errors.New("the window is empty")
	}
	if len(parts) == 3 {
		zone, err := time.LoadLocation(parts[2])
		if err != nil {
			return fmt.Errorf("%q is not a time zone such as Europe/Berlin", parts[2])
		}
		w.Zone = zone
	}
	return nil
}

func timeOfDay(text string) (time.Duration, error) {
	if text == "24:00" {
		return 24 * time.Hour, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time of day such as 22:00", text)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}
