package scheduler

import (
	"fmt"
	"strings"
	"time"
)

func decision(a Action, rule int, reason string, args ...any) Decision {
	return Decision{Action: a, Rule: rule, Reason: fmt.Sprintf(reason, args...)}
}

func upload(k Kind, rule int, reason string, args ...any) Decision {
	d := decision(Upload, rule, reason, args...)
	d.Upload = k
	return d
}

func (in Input) whyAsk(capped bool) string {
	s := in.State
	switch {
	case in.Asked != "":
		return "asked for: " + string(in.Asked)
	case capped:
		return fmt.Sprintf("unchanged %s times in a row, the cap: does the cloud agree?", num(s.Skips))
	case s.Open || s.Owed:
		return "the last upload or diff did not end well"
	case s.Synced == Version{}:
		return "not synced before, as far as is known here"
	case s.Synced.Epoch != in.Local.Epoch:
		return "the epoch changed"
	case s.Synced.High != in.Local.High:
		return fmt.Sprintf("the highest row version changed from %s to %s", num(s.Synced.High), num(in.Local.High))
	case s.Synced.Rows != in.Local.Rows:
		return fmt.Sprintf("the row count changed from %s to %s", count(s.Synced.Rows), count(in.Local.Rows))
	}
	return "a check is due"
}

func (in Input) wentBack() string {
	return fmt.Sprintf("the cloud's %s is above the source's %s: the source went back", num(in.Cloud.Watermark), num(in.Ceiling))
}

func (in Input) differ(here int64) string {
	s := fmt.Sprintf("%s here, %s in the cloud", rows(here), num(in.Cloud.Rows))
	if in.Gap != 0 {
		s += fmt.Sprintf(", %s in quarantine", num(in.Gap))
	}
	return s
}

func (in Input) whyCheck() string {
	if in.State.Verified.IsZero() {
		return "scheduled check: no comparison is known here"
	}
	return fmt.Sprintf("scheduled check, every %s: last at %s", every(in.Limits.VerifyEvery), in.State.Verified.UTC().Format(time.RFC3339))
}

func (in Input) identical() string {
	if in.Content {
		return fmt.Sprintf("identical as far as counts tell: %s", rows(in.Cloud.Rows))
	}
	return fmt.Sprintf("identical: %s, row version %s", rows(in.Cloud.Rows), num(in.Local.High))
}

// every writes a period without its zero parts: 24h, 1h30m.
func every(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func rows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return num(n) + " rows"
}

func count(n int64) string {
	if n < 0 {
		return "unknown"
	}
	return num(n)
}

// num writes an integer with its thousands apart: 2,001.
func num[N int | int64 | uint64](n N) string {
	digits, minus := strings.CutPrefix(fmt.Sprint(n), "-")
	var b strings.Builder
	if minus {
		b.WriteByte('-')
	}
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}
