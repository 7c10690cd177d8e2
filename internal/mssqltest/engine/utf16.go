package engine

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// SQL Server's nvarchar is a sequence of UTF-16 code units that need not be
// valid. Lone surrogates are kept in Go strings as the three bytes that
// UTF-8 would use if it allowed them, so that nothing is lost on the way.

func fromUTF16(b []byte) string {
	out := make([]byte, 0, len(b)/2+8)
	for i := 0; i+1 < len(b); i += 2 {
		u := binary.LittleEndian.Uint16(b[i:])
		if u < 0x80 {
			out = append(out, byte(u))
			continue
		}
		r := rune(u)
		if utf16.IsSurrogate(r) && i+3 < len(b) {
			if full := utf16.DecodeRune(r, rune(binary.LittleEndian.Uint16(b[i+2:]))); full != utf8.RuneError {
				out = utf8.AppendRune(out, full)
				i += 2
				continue
			}
		}
		out = appendWTF8(out, r)
	}
	return string(out)
}

func appendWTF8(dst []byte, r rune) []byte {
	if utf16.IsSurrogate(r) {
		return append(dst, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
	}
	return utf8.AppendRune(dst, r)
}

// nextRune reads one rune, lone surrogates included.
func nextRune(s string) (rune, int) {
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 && len(s) >= 3 && s[0] == 0xED && s[1] >= 0xA0 {
		return rune(s[0]&0x0F)<<12 | rune(s[1]&0x3F)<<6 | rune(s[2]&0x3F), 3
	}
	return r, n
}

func appendUTF16(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			dst = append(dst, c, 0)
			i++
			continue
		}
		r, n := nextRune(s[i:])
		i += n
		if r >= 0x10000 {
			hi, lo := utf16.EncodeRune(r)
			dst = binary.LittleEndian.AppendUint16(dst, uint16(hi))
			r = lo
		}
		dst = binary.LittleEndian.AppendUint16(dst, uint16(r))
	}
	return dst
}

// utf16Len is the number of UTF-16 code units of s, which is what SQL Server
// counts as characters.
func utf16Len(s string) int {
	n := 0
	for i := 0; i < len(s); {
		r, k := nextRune(s[i:])
		i += k
		n++
		if r >= 0x10000 {
			n++
		}
	}
	return n
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
