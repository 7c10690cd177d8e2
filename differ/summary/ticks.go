package summary

import (
	"fmt"
	"time"

	"tidemark/internal/wire"
)

// Ticks of 100 ns, the finest that SQL Server has, since midnight or since
// the beginning of year 1.
const (
	ticksPerSecond = 10_000_000
	ticksPerDay    = 86400 * ticksPerSecond
	maxTicks       = 3_652_059 * ticksPerDay // behind 9999-12-31
)

// ticksOf reads the canonical text of a date, a time or both, without a zone
// and with at most 7 digits of a fraction.
func ticksOf(s []byte) (ticks uint64, ok bool) {
	if len(s) >= 10 && s[4] == '-' {
		y, ok1 := number(s[:4])
		m, ok2 := number(s[5:7])
		d, ok3 := number(s[8:10])
		if !ok1 || !ok2 || !ok3 || y < 1 || m < 1 || m > 12 || d < 1 {
			return 0, false
		}
		ticks = days(y, m, d) * ticksPerDay
		if len(s) == 10 {
			return ticks, true
		}
		if s[10] != 'T' {
			return 0, false
		}
		s = s[11:]
	}
	if len(s) < 8 || s[2] != ':' || s[5] != ':' {
		return 0, false
	}
	h, ok1 := number(s[:2])
	m, ok2 := number(s[3:5])
	sec, ok3 := number(s[6:8])
	if !ok1 || !ok2 || !ok3 {
		return 0, false
	}
	ticks += (h*3600 + m*60 + sec) * ticksPerSecond
	if len(s) == 8 {
		return ticks, true
	}
	fraction, ok := number(s[9:])
	if !ok || s[8] != '.' || len(s) > 16 {
		return 0, false
	}
	for range 16 - len(s) {
		fraction *= 10
	}
	return ticks + fraction, true
}

// days since 0001-01-01. Years are counted from March, so that a leap day is
// the last of its year.
func days(y, m, d uint64) uint64 {
	if m <= 2 {
		y, m = y-1, m+12
	}
	return y*365 + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 306
}

// textOf is the wire value of a tick, cut to what the type can hold.
func textOf(t wire.Type, ticks uint64) []byte {
	at := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	at = at.AddDate(0, 0, int(ticks/ticksPerDay)).Add(time.Duration(ticks%ticksPerDay) * 100)
	date, clock := at.Format("2006-01-02"), at.Format("15:04:05")
	if t.Kind == wire.SmallDateTime {
		clock = at.Format("15:04:00")
	}
	if n := t.FractionDigits(); n > 0 {
		clock += "." + fmt.Sprintf("%07d", ticks%ticksPerSecond)[:n]
	}
	switch t.Kind {
	case wire.Date:
		return fmt.Appendf(nil, "%q", date)
	case wire.Time:
		return fmt.Appendf(nil, "%q", clock)
	}
	return fmt.Appendf(nil, "%q", date+"T"+clock)
}

// step is how many ticks apart two neighbouring values of the type are.
func step(t wire.Type) uint64 {
	switch t.Kind {
	case wire.Date:
		return ticksPerDay
	case wire.SmallDateTime:
		return 60 * ticksPerSecond
	}
	n := uint64(ticksPerSecond)
	for range t.FractionDigits() {
		n /= 10
	}
	return n
}
