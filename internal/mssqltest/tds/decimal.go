package tds

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
)

// A scaled is a decimal number as SQL Server holds it: a sign and a magnitude
// of up to 38 digits, without its scale.
type scaled struct {
	neg    bool
	hi, lo uint64
}

// timesTenPlus multiplies by ten and adds a digit. 38 digits fit in 127 bits.
func (d *scaled) timesTenPlus(digit byte) {
	carry, lo := bits.Mul64(d.lo, 10)
	lo, c := bits.Add64(lo, uint64(digit), 0)
	d.hi, d.lo = d.hi*10+carry+c, lo
}

// parseScaled reads plain digits with an optional sign and point into a number
// of the given scale with at most prec digits. Digits beyond the scale must be
// zeros.
func parseScaled(s string, prec, scale uint8) (scaled, error) {
	var d scaled
	rest := s
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		d.neg = rest[0] == '-'
		rest = rest[1:]
	}
	whole, frac, _ := strings.Cut(rest, ".")
	if whole == "" && frac == "" {
		return d, fmt.Errorf("tds: %q is no decimal number", s)
	}
	digits := 0
	put := func(c byte) bool {
		if c < '0' || c > '9' {
			return false
		}
		if digits > 0 || c != '0' {
			digits++
		}
		if digits <= 38 {
			d.timesTenPlus(c - '0')
		}
		return true
	}
	ok := true
	for i := range len(whole) {
		ok = ok && put(whole[i])
	}
	for i := range max(int(scale), len(frac)) {
		switch {
		case i >= len(frac):
			ok = ok && put('0')
		case i < int(scale):
			ok = ok && put(frac[i])
		default:
			ok = ok && frac[i] == '0'
		}
	}
	if !ok || digits > int(prec) {
		return d, fmt.Errorf("tds: %q is no decimal number of %d digits, %d of them after the point", s, prec, scale)
	}
	d.neg = d.neg && d.hi|d.lo != 0
	return d, nil
}

// format writes the number with all digits of its scale.
func (d scaled) format(scale uint8) string {
	var buf [48]byte
	at, n := len(buf), 0
	for n == 0 || d.hi|d.lo != 0 || n <= int(scale) {
		if n == int(scale) && n > 0 {
			at--
			buf[at] = '.'
		}
		var rem uint64
		d.hi, rem = d.hi/10, d.hi%10
		d.lo, rem = bits.Div64(rem, d.lo, 10)
		at--
		buf[at] = '0' + byte(rem)
		n++
	}
	if d.neg {
		at--
		buf[at] = '-'
	}
	return string(buf[at:])
}

// decimalLen is the length of a decimal without its length byte: the sign and
// 4 to 16 bytes by its precision (MS-TDS 2.2.5.5.1.6).
func decimalLen(prec uint8) int {
	switch {
	case prec <= 9:
		return 5
	case prec <= 19:
		return 9
	case prec <= 28:
		return 13
	}
	return 17
}

func appendDecimal(dst []byte, t Type, s string) ([]byte, error) {
	d, err := parseScaled(s, t.Prec, t.Scale)
	if err != nil {
		return nil, err
	}
	var buf [17]byte
	if !d.neg {
		buf[0] = 1
	}
	binary.LittleEndian.PutUint64(buf[1:], d.lo)
	binary.LittleEndian.PutUint64(buf[9:], d.hi)
	return append(dst, buf[:decimalLen(t.Prec)]...), nil
}

func decodeDecimal(t Type, b []byte) (any, error) {
	if len(b) < 5 || len(b) > 17 || t.Scale > 38 {
		return nil, wrongSize(t, b)
	}
	var buf [16]byte
	copy(buf[:], b[1:])
	d := scaled{lo: binary.LittleEndian.Uint64(buf[:]), hi: binary.LittleEndian.Uint64(buf[8:])}
	d.neg = b[0] == 0 && d.hi|d.lo != 0
	return d.format(t.Scale), nil
}

// Money is a 64-bit number of ten-thousandths whose high half comes first,
// smallmoney a 32-bit one (MS-TDS 2.2.5.5.1.4).
func appendMoney(dst []byte, t Type, s string) ([]byte, error) {
	d, err := parseScaled(s, 19, 4)
	if err != nil {
		return nil, err
	}
	n := int64(d.lo)
	if d.neg {
		n = -n
	}
	inRange := d.hi == 0 && (n < 0) == d.neg
	if t.Kind == SmallMoney {
		if !inRange || n != int64(int32(n)) {
			return nil, fmt.Errorf("tds: %q is out of the range of %v", s, t)
		}
		return binary.LittleEndian.AppendUint32(dst, uint32(n)), nil
	}
	if !inRange {
		return nil, fmt.Errorf("tds: %q is out of the range of %v", s, t)
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(n>>32))
	return binary.LittleEndian.AppendUint32(dst, uint32(n)), nil
}

func decodeMoney(t Type, b []byte) (any, error) {
	var n int64
	switch {
	case t.Kind == SmallMoney && len(b) == 4:
		n = int64(int32(binary.LittleEndian.Uint32(b)))
	case t.Kind == Money && len(b) == 8:
		n = int64(binary.LittleEndian.Uint32(b))<<32 | int64(binary.LittleEndian.Uint32(b[4:]))
	default:
		return nil, wrongSize(t, b)
	}
	d := scaled{neg: n < 0, lo: uint64(n)}
	if d.neg {
		d.lo = -d.lo
	}
	return d.format(4), nil
}
