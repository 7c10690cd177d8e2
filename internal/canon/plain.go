package canon

import (
	"errors"
	"math"

	"tidemark/internal/wire"
)

// plainInteger reads an int or bigint of up to 18 digits. What it does not
// take is left to wire.CheckValue, which can say what is wrong.
func plainInteger(t wire.Type, raw []byte) (int64, bool) {
	if t.Kind == wire.BigInt {
		if len(raw) < 3 || raw[0] != '"' || raw[len(raw)-1] != '"' {
			return 0, false
		}
		raw = inner(raw)
	}
	negative := len(raw) > 0 && raw[0] == '-'
	if negative {
		raw = raw[1:]
	}
	if len(raw) == 0 || len(raw) > 18 || raw[0] == '0' && (len(raw) > 1 || negative) {
		return 0, false
	}
	n := int64(0)
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, t.Kind == wire.BigInt || n >= math.MinInt32 && n <= math.MaxInt32
}

var errGUID = errors.New("not the form of a uniqueidentifier")

// nibbles are the values of hexadecimal digits in lower case; notHex for all
// else.
var nibbles = func() (t [256]byte) {
	for i := range t {
		t[i] = notHex
	}
	for i, c := range []byte("0123456789abcdef") {
		t[c] = byte(i)
	}
	return t
}()

const notHex = 0x80

// guidAt are the places of a uniqueidentifier's bytes in its quoted text.
var guidAt = [16]int{1, 3, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 29, 31, 33, 35}

// plainGUID reads the text form of a uniqueidentifier.
func plainGUID(raw []byte) (b [16]byte, ok bool) {
	if len(raw) != 38 || raw[0] != '"' || raw[9] != '-' || raw[14] != '-' || raw[19] != '-' || raw[24] != '-' || raw[37] != '"' {
		return b, false
	}
	bad := byte(0)
	for i, at := range guidAt {
		high, low := nibbles[raw[at]], nibbles[raw[at+1]]
		bad |= high | low
		b[i] = high<<4 | low
	}
	return b, bad < notHex
}
