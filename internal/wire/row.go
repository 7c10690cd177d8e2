package wire

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Lines collects row lines, each ended by a line feed.
type Lines struct {
	Buf []byte
	N   int
}

// Reset empties l and keeps its memory.
func (l *Lines) Reset() { l.Buf, l.N = l.Buf[:0], 0 }

var errRow = errors.New("row line is not a JSON array of values")

// SplitRow splits a row line into the raw JSON of its elements, which alias
// line. It is strict: one array, no white space between tokens, valid UTF-8,
// well-formed strings and escapes; an element is a string, a number, true,
// false, null or, for sql_variant, one flat object. It does not know types:
// see CheckValue.
func SplitRow(line []byte, into [][]byte) ([][]byte, error) {
	into = into[:0]
	n := len(line)
	if n < 2 || line[0] != '[' || line[n-1] != ']' {
		return into, errRow
	}
	i := 1
	if i == n-1 {
		return into, nil
	}
	for {
		end, err := skipValue(line, i)
		if err != nil {
			return into, err
		}
		into = append(into, line[i:end])
		if end >= n {
			return into, errRow
		}
		switch line[end] {
		case ',':
			i = end + 1
		case ']':
			if end != n-1 {
				return into, errRow
			}
			return into, nil
		default:
			return into, errRow
		}
	}
}

// skipValue returns the index behind the value that begins at i.
func skipValue(b []byte, i int) (int, error) {
	if i >= len(b) {
		return i, errRow
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{':
		return skipObject(b, i)
	}
	start := i
	for i < len(b) && b[i] != ',' && b[i] != ']' && b[i] != '}' {
		i++
	}
	switch v := b[start:i]; {
	case string(v) == "null", string(v) == "true", string(v) == "false", isNumber(v):
		return i, nil
	}
	return i, errRow
}

// skipObject takes the flat object of a sql_variant.
func skipObject(b []byte, i int) (int, error) {
	for i++; ; i++ {
		if i >= len(b) || b[i] != '"' {
			return i, errRow
		}
		end, err := skipString(b, i)
		if err != nil {
			return end, err
		}
		if i = end; i+1 >= len(b) || b[i] != ':' || b[i+1] == '{' {
			return i, errRow
		}
		if i, err = skipValue(b, i+1); err != nil {
			return i, err
		}
		if i >= len(b) {
			return i, errRow
		}
		switch b[i] {
		case '}':
			return i + 1, nil
		case ',':
		default:
			return i, errRow
		}
	}
}

// asItIs has the bytes that stand for themselves in a string: ASCII without
// controls, quote and backslash.
var asItIs = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

var errString = errors.New("row line has a string that is not well-formed")

func skipString(b []byte, i int) (int, error) {
	for i++; i < len(b); {
		if asItIs[b[i]] {
			i++
			continue
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, nil
		case c == '\\':
			n, ok := escapeLen(b[i:])
			if !ok {
				return i, errString
			}
			i += n
		case c < 0x20:
			return i, errString
		default:
			r, size := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && size == 1 {
				return i, fmt.Errorf("row line is not valid UTF-8 at byte %d", i)
			}
			i += size
		}
	}
	return i, errString
}

// escapeLen is the length of the escape at the head of b. A surrogate must
// have its other half behind it.
func escapeLen(b []byte) (int, bool) {
	if len(b) < 2 {
		return 0, false
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, true
	case 'u':
		u, ok := hex4(b)
		switch {
		case !ok || u >= 0xDC00 && u < 0xE000:
			return 0, false
		case u < 0xD800 || u >= 0xE000:
			return 6, true
		}
		if low, ok := hex4(b[6:]); ok && low >= 0xDC00 && low < 0xE000 {
			return 12, true
		}
	}
	return 0, false
}

// hex4 reads the \uXXXX at the head of b.
func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	u, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(u), err == nil
}

// isNumber tells whether v is a number of RFC 8259.
func isNumber(v []byte) bool {
	i := 0
	if i < len(v) && v[i] == '-' {
		i++
	}
	whole := digits(v[i:])
	if whole == 0 || whole > 1 && v[i] == '0' {
		return false
	}
	i += whole
	if i < len(v) && v[i] == '.' {
		n := digits(v[i+1:])
		if n == 0 {
			return false
		}
		i += 1 + n
	}
	if i < len(v) && (v[i] == 'e' || v[i] == 'E') {
		i++
		if i < len(v) && (v[i] == '+' || v[i] == '-') {
			i++
		}
		n := digits(v[i:])
		if n == 0 {
			return false
		}
		i += n
	}
	return i == len(v)
}

// digits is the number of decimal digits at the head of v.
func digits(v []byte) int {
	n := 0
	for n < len(v) && v[n] >= '0' && v[n] <= '9' {
		n++
	}
	return n
}
