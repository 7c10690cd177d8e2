package engine

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A collation is a way of comparing characters. The stand-in has one order of
// characters that resembles SQL Server's (punctuation, digits, letters;
// accents after letters) and, like it, is not the order of code points.
type collation uint8

const (
	collateCI  collation = iota // ignores case
	collateCS                   // case decides last, lower first
	collateBin                  // code units
)

// defaultCollation is the name of the server's and all databases' collation.
const defaultCollation = "SQL_Latin1_General_CP1_CI_AS"

// collationOf reads what matters out of a collation's name.
func collationOf(name string) (collation, error) {
	u := strings.ToUpper(name)
	switch {
	case name == "" || u == "DATABASE_DEFAULT":
		return collateCI, nil
	case strings.HasSuffix(u, "_BIN"), strings.HasSuffix(u, "_BIN2"):
		return collateBin, nil
	case strings.Contains(u, "_CS_"):
		return collateCS, nil
	case strings.Contains(u, "_CI_AS"):
		return collateCI, nil
	case strings.Contains(u, "_CI_AI"):
		return 0, notKnown("collations that ignore accents (%s)", name)
	}
	return 0, errorf(448, "Invalid collation '%s'.", name)
}

// weights are the primary weights of ASCII: no weight is 0.
var weights = func() (w [utf8.RuneSelf]byte) {
	next := byte(1)
	for c := range w {
		if r := rune(c); !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			w[c] = next
			next++
		}
	}
	for c := '0'; c <= '9'; c++ {
		w[c] = 0x60 + byte(c-'0')
	}
	for c := 'a'; c <= 'z'; c++ {
		w[c] = 0x70 + byte(c-'a')
		w[unicode.ToUpper(c)] = w[c]
	}
	return w
}()

// expansions are letters that compare like two.
var expansions = strings.NewReplacer("ß", "ss", "ẞ", "SS", "æ", "ae", "Æ", "AE", "œ", "oe", "Œ", "OE", "þ", "th", "Þ", "TH")

// appendCollated appends the key of a string: weights, 0, accents, 0 and for
// case-sensitive collations cases, 0. Trailing spaces do not count.
func appendCollated(dst []byte, s string, c collation) []byte {
	s = strings.TrimRight(s, " ")
	if c == collateBin {
		return appendEscaped(dst, appendUTF16BE(nil, s))
	}
	if !isASCII([]byte(s)) {
		return appendUnicodeCollated(dst, s, c)
	}
	for i := range len(s) {
		dst = append(dst, weights[s[i]])
	}
	dst = append(dst, 0, 0)
	if c == collateCS {
		for i := range len(s) {
			dst = append(dst, caseOf(rune(s[i])))
		}
		dst = append(dst, 0)
	}
	return dst
}

func caseOf(r rune) byte {
	if unicode.IsUpper(r) {
		return 2
	}
	return 1
}

func appendUnicodeCollated(dst []byte, s string, c collation) []byte {
	var accents, cases []byte
	place := 0
	s = norm.NFD.String(expansions.Replace(s))
	for i := 0; i < len(s); {
		r, n := nextRune(s[i:])
		i += n
		if unicode.Is(unicode.Mn, r) {
			accents = append(accents, byte(1+min(place, 250)))
			accents = appendWide(accents, r)
			continue
		}
		place++
		cases = append(cases, caseOf(r))
		if r < utf8.RuneSelf {
			dst = append(dst, weights[r])
		} else {
			dst = appendWide(append(dst, 0xF0), unicode.ToUpper(r))
		}
	}
	dst = append(append(append(dst, 0), accents...), 0)
	if c == collateCS {
		dst = append(append(dst, cases...), 0)
	}
	return dst
}

// appendWide writes a rune in order-preserving bytes, none of them 0.
func appendWide(dst []byte, r rune) []byte {
	return append(dst, 1+byte(r>>14), 1+byte(r>>7&0x7F), 1+byte(r&0x7F))
}

func appendUTF16BE(dst []byte, s string) []byte {
	at := len(dst)
	dst = appendUTF16(dst, s)
	for b := dst[at:]; len(b) > 1; b = b[2:] {
		b[0], b[1] = b[1], b[0]
	}
	return dst
}

// appendEscaped writes bytes so that their end sorts before anything longer.
func appendEscaped(dst, b []byte) []byte {
	for _, c := range b {
		if c == 0 {
			dst = append(dst, 0, 0xFF)
		} else {
			dst = append(dst, c)
		}
	}
	return append(dst, 0, 0)
}

// compareText orders two strings.
func compareText(a, b string, c collation) int {
	if a == b {
		return 0
	}
	var x, y [64]byte
	return strings.Compare(string(appendCollated(x[:0], a, c)), string(appendCollated(y[:0], b, c)))
}

// like matches a LIKE pattern: %, _, [set], [^set] and an escape character.
func like(s, pattern string, escape rune, c collation) bool {
	return likeRunes([]rune(fold(s, c)), []rune(fold(pattern, c)), escape)
}

func fold(s string, c collation) string {
	if c == collateCI {
		return strings.ToUpper(s)
	}
	return s
}

func likeRunes(s, p []rune, escape rune) bool {
	for len(p) > 0 {
		switch {
		case escape != 0 && p[0] == escape && len(p) > 1:
			if len(s) == 0 || s[0] != p[1] {
				return false
			}
			s, p = s[1:], p[2:]
			continue
		case p[0] == '%':
			for i := 0; i <= len(s); i++ {
				if likeRunes(s[i:], p[1:], escape) {
					return true
				}
			}
			return false
		case p[0] == '[':
			end := 1
			for end < len(p) && (p[end] != ']' || end == 1) {
				end++
			}
			if end == len(p) || len(s) == 0 || !inSet(s[0], p[1:end]) {
				return false
			}
			s, p = s[1:], p[end+1:]
			continue
		case len(s) == 0 || p[0] != '_' && p[0] != s[0]:
			return false
		}
		s, p = s[1:], p[1:]
	}
	return strings.TrimRight(string(s), " ") == ""
}

func inSet(r rune, set []rune) bool {
	not := len(set) > 0 && set[0] == '^'
	if not {
		set = set[1:]
	}
	for i := 0; i < len(set); i++ {
		if i+2 < len(set) && set[i+1] == '-' {
			if r >= set[i] && r <= set[i+2] {
				return !not
			}
			i += 2
		} else if set[i] == r {
			return !not
		}
	}
	return not
}
