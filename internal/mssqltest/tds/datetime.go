package tds

import (
	"encoding/binary"
	"fmt"
	"time"
)

const (
	secondsPerDay = 24 * 60 * 60
	ticksPerDay   = secondsPerDay * 300 // datetime counts 1/300 s
	days1900      = 693595              // from 1 January of the year 1 to 1900
	days1753      = 639905
	days9999      = 3652058 // the last day, 31 December 9999
)

// timeLen is the length of the time part at a scale of 0 to 7 digits
// (MS-TDS 2.2.5.5.1.9).
func timeLen(scale uint8) int {
	switch {
	case scale <= 2:
		return 3
	case scale <= 4:
		return 4
	}
	return 5
}

// unit is 10^-scale s in nanoseconds.
func unit(scale uint8) int64 {
	n := int64(time.Second)
	for range scale {
		n /= 10
	}
	return n
}

// clock splits what the clock of t shows into days since 1 January of the year
// 1 and nanoseconds of the day.
func clock(t time.Time) (days, nanos int64) {
	_, offset := t.Zone()
	const unixDays = 719162
	sec := t.Unix() + int64(offset) + unixDays*secondsPerDay
	days = sec / secondsPerDay
	if sec < 0 {
		return -1, 0
	}
	return days, sec%secondsPerDay*int64(time.Second) + int64(t.Nanosecond())
}

func appendTime(dst []byte, t Type, tm time.Time) ([]byte, error) {
	offset := 0
	if t.Kind == DateTimeOffset {
		_, offset = tm.Zone()
		tm = tm.UTC()
	}
	days, nanos := clock(tm)
	first, last := int64(0), int64(days9999)
	switch t.Kind {
	case Time:
		first, last = days, days
	case SmallDateTime:
		first, last = days1900, days1900+65535
	case DateTime:
		first = days1753
	}
	if days < first || days > last || t.Scale > 7 || offset < -14*3600 || offset > 14*3600 {
		return nil, fmt.Errorf("tds: %v is out of the range of %v", tm, t)
	}
	switch t.Kind {
	case SmallDateTime:
		dst = binary.LittleEndian.AppendUint16(dst, uint16(days-days1900))
		return binary.LittleEndian.AppendUint16(dst, uint16(nanos/int64(time.Minute))), nil
	case DateTime:
		ticks := (nanos*3 + 5e6) / 1e7
		if ticks >= ticksPerDay {
			ticks, days = 0, days+1
		}
		dst = binary.LittleEndian.AppendUint32(dst, uint32(days-days1900))
		return binary.LittleEndian.AppendUint32(dst, uint32(ticks)), nil
	}
	if t.Kind != Date {
		n := nanos / unit(t.Scale)
		for range timeLen(t.Scale) {
			dst = append(dst, byte(n))
			n >>= 8
		}
	}
	if t.Kind != Time {
		dst = append(dst, byte(days), byte(days>>8), byte(days>>16))
	}
	if t.Kind == DateTimeOffset {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(int16(offset/60)))
	}
	return dst, nil
}

func decodeTime(t Type, b []byte) (any, error) {
	switch t.Kind {
	case SmallDateTime:
		if len(b) != 4 {
			return nil, wrongSize(t, b)
		}
		days, minutes := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])
		return at(days1900+int64(days), int64(minutes)*int64(time.Minute)), nil
	case DateTime:
		if len(b) != 8 {
			return nil, wrongSize(t, b)
		}
		days, ticks := int32(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))
		// SQL Server shows thirds of a centisecond rounded to milliseconds.
		return at(days1900+int64(days), (ticks*20+3)/6*int64(time.Millisecond)), nil
	}
	want := 0
	if t.Kind != Date {
		want += timeLen(t.Scale)
	}
	if t.Kind != Time {
		want += 3
	}
	if t.Kind == DateTimeOffset {
		want += 2
	}
	if len(b) != want || t.Scale > 7 {
		return nil, wrongSize(t, b)
	}
	var nanos, days int64
	if t.Kind != Date {
		n := timeLen(t.Scale)
		for i := range n {
			nanos |= int64(b[i]) << (8 * i)
		}
		nanos, b = nanos*unit(t.Scale), b[n:]
	}
	if t.Kind != Time {
		days, b = int64(b[0])|int64(b[1])<<8|int64(b[2])<<16, b[3:]
	}
	tm := at(days, nanos)
	if t.Kind == DateTimeOffset {
		tm = tm.In(time.FixedZone("", int(int16(binary.LittleEndian.Uint16(b)))*60))
	}
	return tm, nil
}

func at(days, nanos int64) time.Time {
	return time.Date(1, 1, 1+int(days), 0, 0, 0, 0, time.UTC).Add(time.Duration(nanos))
}
