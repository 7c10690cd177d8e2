package tds

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A sql_variant is the base type's token, the count of its property bytes, the
// properties and the value without length (MS-TDS 2.2.5.5.4).

func appendVariant(dst []byte, t Type, v any) ([]byte, error) {
	x, ok := v.(VariantValue)
	if !ok {
		return nil, mismatch(t, v)
	}
	if x.Value == nil {
		return appendNull(dst, t), nil
	}
	if x.Type.form() > shortLen || x.Type.Kind == RowVersion {
		return nil, fmt.Errorf("tds: sql_variant holds no %v", x.Type)
	}
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0, fixedToken(x.Type), 0)
	dst = appendVariantProperties(dst, x.Type)
	dst[at+5] = byte(len(dst) - at - 6)
	var err error
	if x.Type.form() == byteLen {
		dst, err = appendFixed(dst, x.Type, x.Value)
	} else {
		start := len(dst)
		if dst, err = appendShort(dst, x.Type, x.Value); err == nil {
			dst = append(dst[:start], dst[start+2:]...)
		}
	}
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst, nil
}

func appendVariantProperties(dst []byte, t Type) []byte {
	switch t.Kind {
	case Decimal:
		return append(dst, t.Prec, t.Scale)
	case Time, DateTime2, DateTimeOffset:
		return append(dst, t.Scale)
	case Char, VarChar, NChar, NVarChar:
		dst = append(dst, collation[:]...)
		return binary.LittleEndian.AppendUint16(dst, uint16(t.maxBytes()))
	case Binary, VarBinary:
		return binary.LittleEndian.AppendUint16(dst, uint16(t.maxBytes()))
	}
	return dst
}

var errVariant = errors.New("tds: malformed sql_variant")

func decodeVariant(b []byte) (any, error) {
	if len(b) < 2 || len(b) < 2+int(b[1]) {
		return nil, errVariant
	}
	props, value := b[2:2+int(b[1])], b[2+int(b[1]):]
	t := Type{Kind: kindOfToken(b[0], 0)}
	want := 0
	switch t.Kind {
	case 0, Text, NText, Image, XML, UDT, Variant:
		return nil, errVariant
	case Decimal:
		if want = 2; len(props) == want {
			t.Prec, t.Scale = props[0], props[1]
		}
	case Time, DateTime2, DateTimeOffset:
		if want = 1; len(props) == want {
			t.Scale = props[0]
		}
	case Char, VarChar, NChar, NVarChar:
		if want = 7; len(props) == want {
			t.Len = int(binary.LittleEndian.Uint16(props[5:]))
		}
		if t.Kind == NChar || t.Kind == NVarChar {
			t.Len /= 2
		}
	case Binary, VarBinary:
		if want = 2; len(props) == want {
			t.Len = int(binary.LittleEndian.Uint16(props))
		}
	}
	if len(props) != want {
		return nil, errVariant
	}
	var v any
	var err error
	if t.form() == byteLen {
		v, err = decodeFixed(t, value)
	} else {
		v, err = decodeChars(t, value)
	}
	if err != nil {
		return nil, err
	}
	return VariantValue{Type: t, Value: v}, nil
}
