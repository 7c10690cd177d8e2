package engine

import (
	"encoding/hex"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/charmap"

	"tidemark/internal/mssqltest/tds"
)

func toStr(v value, from, to tds.Type, style int) (value, error) {
	var s string
	switch classOf(from.Kind) {
	case clStr:
		s = v.s
	case clInt:
		s = strconv.FormatInt(v.i, 10)
	case clDec:
		switch {
		case from.Kind == tds.Decimal || style == 2 || style == 126:
			s = decimalString(v, scaleOf(from))
		default:
			s = decimalString(rescale(v, 4, 2), 2)
		}
	case clFloat:
		s = floatString(v.f, from, style)
	case clTime:
		var ok bool
		if s, ok = timeString(v, from, style, true); !ok {
			return v, errorf(281, "%d is not a valid style number when converting from %s to a character string.", style, typeText(from))
		}
	case clGUID:
		s = guidString(v.s)
	case clBin:
		switch style {
		case 0:
			if isUnicode(to.Kind) {
				s = fromUTF16([]byte(v.s + strings.Repeat("\x00", len(v.s)%2)))
			} else {
				s, _ = charmap.Windows1252.NewDecoder().String(v.s)
			}
		case 1:
			s = "0x" + strings.ToUpper(hex.EncodeToString([]byte(v.s)))
		case 2:
			s = strings.ToUpper(hex.EncodeToString([]byte(v.s)))
		default:
			return v, errorf(281, "%d is not a valid style number when converting from %s to a character string.", style, typeText(from))
		}
	}
	if to.Len > 0 && classOf(from.Kind) != clStr && classOf(from.Kind) != clBin && utf16Len(s) > to.Len && to.Kind != tds.XML {
		if classOf(from.Kind) == clInt && !isUnicode(to.Kind) {
			return strValue("*"), nil
		}
		if classOf(from.Kind) != clTime {
			return v, errOverflow(from, to)
		}
	}
	return strValue(fitString(s, to)), nil
}

// fitString replaces what the code page cannot hold, cuts, and pads char.
func fitString(s string, to tds.Type) string {
	if !isUnicode(to.Kind) && !isASCII([]byte(s)) {
		s = toCodePage(s)
	}
	if to.Len <= 0 || to.Kind == tds.XML || to.Kind == tds.Text || to.Kind == tds.NText {
		return s
	}
	n := utf16Len(s)
	if n > to.Len {
		return cutString(s, 0, to.Len)
	}
	if to.Kind == tds.Char || to.Kind == tds.NChar {
		s += strings.Repeat(" ", to.Len-n)
	}
	return s
}

// toCodePage replaces the characters that Windows-1252 lacks by '?'.
func toCodePage(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := nextRune(s[i:])
		if _, ok := charmap.Windows1252.EncodeRune(r); ok {
			b.WriteString(s[i : i+n])
		} else {
			b.WriteByte('?')
		}
		i += n
	}
	return b.String()
}

// cutString gives n UTF-16 units of s from the unit at start.
func cutString(s string, start, n int) string {
	u := appendUTF16(nil, s)
	start = min(start, len(u)/2)
	end := min(start+n, len(u)/2)
	return fromUTF16(u[2*start : 2*end])
}
