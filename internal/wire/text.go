package wire

import (
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s, valid UTF-8, as a JSON string. Only what must be
// escaped is: quotes, backslashes and control characters, so that equal
// strings have equal bytes.
func AppendString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		start = i + 1
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// Unquote appends the bytes of the JSON string raw, quotes included, to dst.
func Unquote(dst, raw []byte) ([]byte, error) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return dst, errString
	}
	raw = raw[1 : len(raw)-1]
	for i := 0; i < len(raw); {
		if raw[i] == '"' || raw[i] < 0x20 {
			return dst, errString
		}
		if raw[i] != '\\' {
			dst = append(dst, raw[i])
			i++
			continue
		}
		n, ok := escapeLen(raw[i:])
		if !ok {
			return dst, errString
		}
		dst = appendEscape(dst, raw[i:i+n])
		i += n
	}
	return dst, nil
}

// appendEscape appends what the well-formed escape e stands for.
func appendEscape(dst, e []byte) []byte {
	switch e[1] {
	case 'b':
		return append(dst, '\b')
	case 'f':
		return append(dst, '\f')
	case 'n':
		return append(dst, '\n')
	case 'r':
		return append(dst, '\r')
	case 't':
		return append(dst, '\t')
	case 'u':
		r, _ := hex4(e)
		if len(e) == 12 {
			low, _ := hex4(e[6:])
			r = (r-0xD800)<<10 | (low - 0xDC00) + 0x10000
		}
		return utf8.AppendRune(dst, r)
	}
	return append(dst, e[1])
}

// isPlain tells whether the JSON string raw holds no escape, so that its
// bytes are those between the quotes.
func isPlain(raw []byte) bool {
	for _, c := range raw {
		if c == '\\' {
			return false
		}
	}
	return true
}
