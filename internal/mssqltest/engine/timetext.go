package engine

import (
	"fmt"
	"math"
	"strings"
	"time"

	"tidemark/internal/mssqltest/tds"
)

// parseTime reads the ISO 8601 forms and yyyymmdd. Forms that depend on
// language or DATEFORMAT are not known. hasDate is false for a bare time.
func parseTime(s string) (ticks int64, off int, hasDate, ok bool) {
	s = strings.TrimSpace(s)
	base := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	var y, mo, d int
	switch {
	case len(s) >= 10 && s[4] == '-' && s[7] == '-':
		if n, _ := fmt.Sscanf(s[:10], "%4d-%2d-%2d", &y, &mo, &d); n != 3 {
			return
		}
		s, hasDate = s[10:], true
	case len(s) >= 8 && allDigits(s[:8]):
		_, _ = fmt.Sscanf(s[:8], "%4d%2d%2d", &y, &mo, &d)
		s, hasDate = s[8:], true
	}
	if hasDate {
		base = time.Date(y, time.Month(mo), d, 0, 0, 0, 0, time.UTC)
		if y < 1 || base.Day() != d || int(base.Month()) != mo {
			return
		}
		s = strings.TrimPrefix(s, "T")
	}
	s = strings.TrimSpace(s)
	ticks = ticksOf(base)
	if s == "" {
		return ticks, 0, hasDate, hasDate
	}
	clock := s
	if strings.HasSuffix(s, "Z") {
		clock = s[:len(s)-1]
	} else if i := strings.LastIndexAny(s, "+-"); i >= 0 {
		var h, m int
		if n, _ := fmt.Sscanf(s[i+1:], "%2d:%2d", &h, &m); n != 2 || len(s[i+1:]) != 5 || h > 14 || m > 59 {
			return
		}
		off = h*60 + m
		if s[i] == '-' {
			off = -off
		}
		clock = strings.TrimSpace(s[:i])
	}
	n, good := parseClock(clock)
	return ticks + n - int64(off)*60*ticksPerSecond, off, hasDate, good
}

// parseClock reads hh:mm[:ss[.fffffff]]; an eighth digit rounds.
func parseClock(s string) (int64, bool) {
	whole, frac, _ := strings.Cut(s, ".")
	parts := strings.Split(whole, ":")
	if len(parts) < 2 || len(parts) > 3 || len(parts) == 2 && frac != "" || len(frac) > 9 {
		return 0, false
	}
	var n [3]int64
	for i, p := range parts {
		if len(p) == 0 || len(p) > 2 || !allDigits(p) {
			return 0, false
		}
		_, _ = fmt.Sscanf(p, "%d", &n[i])
	}
	if n[0] > 23 || n[1] > 59 || n[2] > 59 || !allDigits(frac) {
		return 0, false
	}
	var f int64
	for i := range 8 {
		f *= 10
		if i < len(frac) {
			f += int64(frac[i] - '0')
		}
	}
	return (n[0]*3600+n[1]*60+n[2])*ticksPerSecond + (f+5)/10, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

var (
	minDateTime      = ticksOf(time.Date(1753, 1, 1, 0, 0, 0, 0, time.UTC))
	minSmallDateTime = ticksOf(time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC))
	maxSmallDateTime = ticksOf(time.Date(2079, 6, 6, 23, 59, 30, 0, time.UTC))
	maxTicks         = ticksOf(time.Date(9999, 12, 31, 23, 59, 59, 999999900, time.UTC))
)

// roundTime brings ticks to the precision of a type; false is out of range.
func roundTime(n int64, t tds.Type) (int64, bool) {
	switch t.Kind {
	case tds.Date:
		return n - n%ticksPerDay, n >= 0 && n <= maxTicks
	case tds.Time:
		n = roundScale(n%ticksPerDay, t.Scale)
		if n >= ticksPerDay { // 23:59:59.9999999 does not become midnight
			n = ticksPerDay - int64(math.Pow10(7-int(t.Scale)))
		}
		return n, true
	case tds.SmallDateTime:
		const minute = 60 * ticksPerSecond
		return (n + minute/2) / minute * minute, n >= minSmallDateTime && n < maxSmallDateTime
	case tds.DateTime: // 1/300 s, shown as .000 .003 .007
		day, in := n/ticksPerDay, n%ticksPerDay
		units := (in*300 + ticksPerSecond/2) / ticksPerSecond
		return day*ticksPerDay + (units*10+1)/3*10_000, n >= minDateTime && n <= maxTicks
	}
	n = roundScale(n, t.Scale)
	return min(n, maxTicks), n >= 0
}

func roundScale(n int64, scale uint8) int64 {
	unit := int64(math.Pow10(7 - int(scale)))
	return (n + unit/2) / unit * unit
}

// timeString is the text of a date or time in a style of CONVERT; false
// where the style is not known here.
func timeString(v value, t tds.Type, style int, explicit bool) (string, bool) {
	wall := timeOf(v.i + int64(v.off)*60*ticksPerSecond)
	digits := int(fraction(t))
	frac := ""
	if digits > 0 {
		frac = "." + fmt.Sprintf("%07d", wall.Nanosecond()/100)[:digits]
	}
	zone := ""
	if t.Kind == tds.DateTimeOffset {
		sign, o := '+', int(v.off)
		if o < 0 {
			sign, o = '-', -o
		}
		zone = fmt.Sprintf("%c%02d:%02d", sign, o/60, o%60)
	}
	if style == 0 && (!explicit || t.Kind != tds.DateTime && t.Kind != tds.SmallDateTime) {
		switch t.Kind {
		case tds.DateTime, tds.SmallDateTime:
		default:
			style = 121
		}
	}
	switch style {
	case 0, 100:
		if t.Kind == tds.Time || t.Kind == tds.Date {
			return "", false
		}
		return wall.Format("Jan _2 2006 ") + fmt.Sprintf("%2s", wall.Format("3")) + wall.Format(":04PM"), true
	case 23:
		return wall.Format("2006-01-02"), t.Kind != tds.Time
	case 20, 120:
		frac = ""
		fallthrough
	case 21, 121, 25:
		switch t.Kind {
		case tds.Date:
			return wall.Format("2006-01-02"), true
		case tds.Time:
			return wall.Format("15:04:05") + frac, true
		case tds.SmallDateTime:
			frac = ".000"
		}
		if zone != "" {
			zone = " " + zone
		}
		return wall.Format("2006-01-02 15:04:05") + frac + zone, true
	case 126, 127:
		if strings.Trim(frac, ".0") == "" {
			frac = ""
		}
		switch t.Kind {
		case tds.Date:
			return wall.Format("2006-01-02"), true
		case tds.Time:
			return wall.Format("15:04:05") + frac, true
		}
		if style == 127 && zone != "" {
			wall, zone = timeOf(v.i), "Z"
		}
		return wall.Format("2006-01-02T15:04:05") + frac + zone, true
	}
	return "", false
}
