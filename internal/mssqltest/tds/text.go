package tds

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// collation is SQL_Latin1_General_CP1_CI_AS as MS-TDS 2.2.5.1.2 lays it out:
// language 0x409, ignoring case, width and kana, and sort id 52. Its code page
// is 1252.
var collation = [5]byte{0x09, 0x04, 0xD0, 0x00, 0x34}

// appendChars appends the bytes of a character or binary value without any
// length or padding.
func appendChars(dst []byte, t Type, v any) ([]byte, error) {
	switch t.Kind {
	case Char, VarChar, Text:
		if s, ok := v.(string); ok {
			return append1252(dst, s), nil
		}
	case NChar, NVarChar, NText, XML:
		if s, ok := v.(string); ok {
			return appendUTF16(dst, s), nil
		}
	case Binary, VarBinary, Image, UDT, RowVersion:
		if b, ok := v.([]byte); ok {
			return append(dst, b...), nil
		}
	}
	return nil, mismatch(t, v)
}

func decodeChars(t Type, b []byte) (any, error) {
	switch t.Kind {
	case Char, VarChar, Text:
		return decode1252(b), nil
	case NChar, NVarChar, NText, XML:
		if len(b)%2 != 0 {
			return nil, wrongSize(t, b)
		}
		return decodeUTF16(b), nil
	case RowVersion:
		if len(b) != 8 {
			return nil, wrongSize(t, b)
		}
	}
	return append([]byte{}, b...), nil
}

// maxBytes is the greatest length of a value of a shortLen type.
func (t Type) maxBytes() int {
	switch t.Kind {
	case RowVersion:
		return 8
	case NChar, NVarChar:
		return 2 * t.Len
	}
	return t.Len
}

func appendShort(dst []byte, t Type, v any) ([]byte, error) {
	at := len(dst) + 2
	dst, err := appendChars(append(dst, 0, 0), t, v)
	if err != nil {
		return nil, err
	}
	size := t.maxBytes()
	if len(dst)-at > size || t.Kind == RowVersion && len(dst)-at != size {
		return nil, fmt.Errorf("tds: a value of %d bytes does not fit %v", len(dst)-at, t)
	}
	switch t.Kind {
	case Char:
		for len(dst)-at < size {
			dst = append(dst, ' ')
		}
	case NChar:
		for len(dst)-at < size {
			dst = append(dst, ' ', 0)
		}
	case Binary:
		for len(dst)-at < size {
			dst = append(dst, 0)
		}
	}
	binary.LittleEndian.PutUint16(dst[at-2:], uint16(len(dst)-at))
	return dst, nil
}

func append1252(dst []byte, s string) []byte {
	for _, r := range s {
		if r < utf8.RuneSelf {
			dst = append(dst, byte(r))
			continue
		}
		b, ok := charmap.Windows1252.EncodeRune(r)
		if !ok {
			b = '?'
		}
		dst = append(dst, b)
	}
	return dst
}

func decode1252(b []byte) string {
	var s strings.Builder
	s.Grow(len(b))
	for _, c := range b {
		s.WriteRune(charmap.Windows1252.DecodeByte(c))
	}
	return s.String()
}

func appendUTF16(dst []byte, s string) []byte {
	for _, r := range s {
		if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
			dst = append(dst, byte(hi), byte(hi>>8), byte(lo), byte(lo>>8))
			continue
		}
		dst = append(dst, byte(r), byte(r>>8))
	}
	return dst
}

// decodeUTF16 ignores an odd last byte; callers have refused it.
func decodeUTF16(b []byte) string {
	var s strings.Builder
	s.Grow(len(b) / 2)
	for ; len(b) >= 2; b = b[2:] {
		r := rune(binary.LittleEndian.Uint16(b))
		if utf16.IsSurrogate(r) {
			var low rune
			if len(b) >= 4 {
				low = rune(binary.LittleEndian.Uint16(b[2:]))
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				b = b[2:]
			}
		}
		s.WriteRune(r)
	}
	return s.String()
}
