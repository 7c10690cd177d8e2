package engine

import (
	"encoding/binary"
	"encoding/hex"
	"strings"

	"golang.org/x/text/encoding/charmap"

	"tidemark/internal/mssqltest/tds"
)

func toBin(v value, from, to tds.Type, style int) (value, error) {
	var s string
	left := false // numbers keep their right end
	switch classOf(from.Kind) {
	case clBin:
		s = v.s
		if from.Kind == tds.RowVersion && to.Len > 0 && to.Len < 8 {
			left = true
		}
	case clGUID:
		s = v.s
	case clStr:
		switch {
		case style == 1 || style == 2:
			h := v.s
			if style == 1 {
				var ok bool
				if h, ok = strings.CutPrefix(strings.ToLower(h), "0x"); !ok {
					return v, errConversion(from, to)
				}
			}
			b, err := hex.DecodeString(h)
			if err != nil {
				return v, errConversion(from, to)
			}
			s = string(b)
		case to.Kind == tds.UDT:
			return v, notKnown("the text form of %s", to.Name)
		case isUnicode(from.Kind):
			s = string(appendUTF16(nil, v.s))
		default:
			s, _ = charmap.Windows1252.NewEncoder().String(toCodePage(v.s))
		}
	case clInt:
		b := binary.BigEndian.AppendUint64(nil, uint64(v.i))
		s = string(b[8-infoOf(from).maxLen:])
		left = true
	case clDec:
		if from.Kind == tds.Decimal {
			return v, notKnown("the conversion of decimal to binary")
		}
		s = string(binary.BigEndian.AppendUint64(nil, uint64(v.i)))
		if from.Kind == tds.SmallMoney {
			s = s[4:]
		}
		left = true
	default:
		return v, notKnown("the conversion of %s to %s", typeText(from), typeText(to))
	}
	size := to.Len
	if to.Kind == tds.RowVersion {
		size = 8
	}
	if to.Kind == tds.UDT || to.Kind == tds.Image || size == tds.MaxLen {
		return strValue(s), nil
	}
	fixed := to.Kind != tds.VarBinary
	switch {
	case len(s) > size && left:
		s = s[len(s)-size:]
	case len(s) > size:
		s = s[:size]
	case fixed && left:
		s = strings.Repeat("\x00", size-len(s)) + s
	case fixed:
		s += strings.Repeat("\x00", size-len(s))
	}
	return strValue(s), nil
}

func toGUID(v value, from, to tds.Type) (value, error) {
	switch classOf(from.Kind) {
	case clGUID:
		return v, nil
	case clBin:
		s := v.s
		if len(s) < 16 {
			s += strings.Repeat("\x00", 16-len(s))
		}
		return strValue(s[:16]), nil
	case clStr:
		if g, ok := parseGUID(v.s); ok {
			return strValue(g), nil
		}
		return v, errorf(8169, "Conversion failed when converting from a character string to uniqueidentifier.")
	}
	return v, errClash(from, to)
}

// guidOrder maps the place of a byte in the text of a uniqueidentifier to its
// place in memory: the first three groups are little-endian.
var guidOrder = [16]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}

func guidString(s string) string {
	var b [16]byte
	for i, j := range guidOrder {
		b[i] = s[j]
	}
	h := strings.ToUpper(hex.EncodeToString(b[:]))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func parseGUID(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") {
		s = s[1 : len(s)-1]
	}
	if len(s) < 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return "", false
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s[:36], "-", ""))
	if err != nil || len(b) != 16 {
		return "", false
	}
	var out [16]byte
	for i, j := range guidOrder {
		out[j] = b[i]
	}
	return string(out[:]), true
}
