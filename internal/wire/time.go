package wire

import "fmt"

// checkTime takes the text forms of dates and times. SQL Server's dates run
// from year 1 to 9999 and hours from 0 to 23; offsets to 14:00 either way.
func checkTime(t Type, raw []byte) error {
	s, err := plain(t, raw)
	if err != nil {
		return err
	}
	p := timeText{rest: s}
	if t.Kind != Time {
		p.date()
	}
	switch t.Kind {
	case Date:
	case Time:
		p.clock(int(t.Scale))
	default:
		p.literal('T')
		p.clock(t.FractionDigits())
	}
	if t.Kind == DateTimeOffset {
		p.offset()
	}
	if p.bad || len(p.rest) != 0 {
		return fmt.Errorf("%.60s is not the form of a %s", raw, t)
	}
	return nil
}

// timeText eats a text from its head; bad is set at the first misfit.
type timeText struct {
	rest []byte
	bad  bool
}

func (p *timeText) literal(c byte) {
	if p.bad || len(p.rest) == 0 || p.rest[0] != c {
		p.bad = true
		return
	}
	p.rest = p.rest[1:]
}

func (p *timeText) number(width, low, high int) int {
	if p.bad || len(p.rest) < width || digits(p.rest[:width]) != width {
		p.bad = true
		return 0
	}
	n := 0
	for _, c := range p.rest[:width] {
		n = n*10 + int(c-'0')
	}
	p.rest = p.rest[width:]
	p.bad = n < low || n > high
	return n
}

func (p *timeText) date() {
	year := p.number(4, 1, 9999)
	p.literal('-')
	month := p.number(2, 1, 12)
	p.literal('-')
	p.number(2, 1, daysIn(year, month))
}

func (p *timeText) clock(scale int) {
	p.number(2, 0, 23)
	p.literal(':')
	p.number(2, 0, 59)
	p.literal(':')
	p.number(2, 0, 59)
	if scale > 0 {
		p.literal('.')
		p.number(scale, 0, 9_999_999)
	}
}

func (p *timeText) offset() {
	if p.bad || len(p.rest) == 0 || p.rest[0] != '+' && p.rest[0] != '-' {
		p.bad = true
		return
	}
	p.rest = p.rest[1:]
	hours := p.number(2, 0, 14)
	p.literal(':')
	minutes := p.number(2, 0, 59)
	p.bad = p.bad || hours == 14 && minutes != 0
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
