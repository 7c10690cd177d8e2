package accesslog

import (
	"bytes"
	"time"
)

func isNone(b []byte) bool { return len(b) == 1 && b[0] == '-' }

// parseInt reads a decimal number that fits in 18 digits.
func parseInt(b []byte) (n int64, ok bool) {
	negative := len(b) > 1 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// parseSeconds reads a number of seconds with up to nine decimals. None, which
// AWS writes as -1, is -1.
func parseSeconds(b []byte) (time.Duration, bool) {
	if isNone(b) || string(b) == "-1" {
		return -1, true
	}
	whole, part, _ := bytes.Cut(b, []byte{'.'})
	s, ok := parseInt(whole)
	if !ok || s < 0 || s > 1e9 || len(part) > 9 {
		return 0, false
	}
	n := int64(0)
	if len(part) > 0 {
		if n, ok = parseInt(part); !ok || n < 0 {
			return 0, false
		}
	}
	for range 9 - len(part) {
		n *= 10
	}
	return time.Duration(s)*time.Second + time.Duration(n), true
}

// parseStamp reads a time of ISO 8601 in UTC: YYYY-MM-DDThh:mm:ss[.fraction][Z].
// Network load balancers leave the Z away.
func parseStamp(b []byte) (time.Time, bool) {
	const form = "0000-00-00T00:00:00"
	if len(b) < len(form) {
		return time.Time{}, false
	}
	for i := range len(form) {
		if digit := b[i] >= '0' && b[i] <= '9'; form[i] == '0' && !digit || form[i] != '0' && b[i] != form[i] {
			return time.Time{}, false
		}
	}
	two := func(i int) int { return int(b[i]-'0')*10 + int(b[i+1]-'0') }
	year, month, day, hour, minute, second := two(0)*100+two(2), two(5), two(8), two(11), two(14), two(17)
	if month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	rest, nanoseconds := b[len(form):], int64(0)
	if n := len(rest); n > 0 && rest[n-1] == 'Z' {
		rest = rest[:n-1]
	}
	if len(rest) > 0 {
		if rest[0] != '.' || len(rest) < 2 || len(rest) > 10 || rest[1] == '-' {
			return time.Time{}, false
		}
		var ok bool
		if nanoseconds, ok = parseInt(rest[1:]); !ok {
			return time.Time{}, false
		}
		for range 10 - len(rest) {
			nanoseconds *= 10
		}
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, int(nanoseconds), time.UTC), true
}

// cutEndpoint parts address:port at the last colon: addresses of IPv6 have
// others. The brackets that may be around one are taken off.
func cutEndpoint(b []byte) (address, port []byte, ok bool) {
	i := bytes.LastIndexByte(b, ':')
	if i <= 0 {
		return nil, nil, false
	}
	address, port = b[:i], b[i+1:]
	if n, digits := parseInt(port); !digits || n < 0 || n > 65535 {
		return nil, nil, false
	}
	if len(address) > 2 && address[0] == '[' && address[len(address)-1] == ']' {
		address = address[1 : len(address)-1]
	}
	return address, port, true
}
