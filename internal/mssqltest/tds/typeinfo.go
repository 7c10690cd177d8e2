package tds

import (
	"encoding/binary"
	"fmt"
)

const (
	maxToken    = 0xFFFF // the length that stands for MAX
	timestampID = 80     // UserType of timestamp, which rowversion is
	variantSize = 8009
	nullable    = 0x01
)

// appendColumns appends COLMETADATA (MS-TDS 2.2.7.4).
func appendColumns(dst []byte, cols []Column) []byte {
	dst = append(dst, colMetadataToken)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(cols)))
	for _, c := range cols {
		var user uint32
		var flags uint16
		if c.Type.Kind == RowVersion {
			user = timestampID
		}
		if c.Nullable {
			flags = nullable
		}
		dst = binary.LittleEndian.AppendUint32(dst, user)
		dst = binary.LittleEndian.AppendUint16(dst, flags)
		dst = appendTypeInfo(dst, c.Type)
		dst = appendBVarchar(dst, c.Name)
	}
	return dst
}

// appendTypeInfo appends TYPE_INFO (MS-TDS 2.2.5.6) in the nullable form.
func appendTypeInfo(dst []byte, t Type) []byte {
	token := tokens[t.Kind]
	dst = append(dst, token.nullable)
	switch t.Kind {
	case Date:
	case Decimal:
		dst = append(dst, byte(decimalLen(t.Prec)), t.Prec, t.Scale)
	case Time, DateTime2, DateTimeOffset:
		dst = append(dst, t.Scale)
	case Char, VarChar, NChar, NVarChar, Binary, VarBinary, RowVersion:
		size := uint16(maxToken)
		if t.form() == shortLen {
			size = uint16(t.maxBytes())
		}
		dst = binary.LittleEndian.AppendUint16(dst, size)
		if t.Kind >= Char && t.Kind <= NVarChar {
			dst = append(dst, collation[:]...)
		}
	case XML:
		dst = append(dst, 0) // no schema
	case UDT:
		dst = appendUDT(dst, t)
	case Text, NText, Image:
		dst = binary.LittleEndian.AppendUint32(dst, 0x7FFFFFFF)
		if t.Kind != Image {
			dst = append(dst, collation[:]...)
		}
		dst = append(dst, 1, 0, 0) // a table name of one empty part
	case Variant:
		dst = binary.LittleEndian.AppendUint32(dst, variantSize)
	default:
		dst = append(dst, token.size)
	}
	return dst
}

// appendUDT describes one of the CLR types that come with SQL Server.
func appendUDT(dst []byte, t Type) []byte {
	size, class := uint16(maxToken), "Microsoft.SqlServer.Types.SqlGeometry"
	switch t.Name {
	case "hierarchyid":
		size, class = 892, "Microsoft.SqlServer.Types.SqlHierarchyId"
	case "geography":
		class = "Microsoft.SqlServer.Types.SqlGeography"
	}
	dst = binary.LittleEndian.AppendUint16(dst, size)
	dst = appendBVarchar(dst, "") // database
	dst = appendBVarchar(dst, "sys")
	dst = appendBVarchar(dst, t.Name)
	at := len(dst)
	dst = appendUTF16(append(dst, 0, 0), class+", Microsoft.SqlServer.Types, Version=11.0.0.0, Culture=neutral, PublicKeyToken=89845dcd8080cc91")
	binary.LittleEndian.PutUint16(dst[at:], uint16((len(dst)-at-2)/2))
	return dst
}

// readTypeInfo reads the TYPE_INFO of a parameter. The token tells the types
// that are not nullable, which a ROW token of the stand-in never has.
func readTypeInfo(c *cursor) (t Type, token byte, err error) {
	token = c.u8()
	size := 0
	switch token {
	case nullToken: // an untyped NULL: clients declare it nvarchar(1)
		return Type{Kind: NVarChar, Len: 1}, token, nil
	case intnToken, bitnToken, fltnToken, moneynToken, datetimnToken, guidToken:
		size = int(c.u8())
	case decimalToken, numericToken, decimalnToken, numericnToken:
		c.u8()
		t.Prec, t.Scale = c.u8(), c.u8()
		if t.Prec < 1 || t.Prec > 38 || t.Scale > t.Prec {
			return t, token, malformed("decimal(%d,%d)", t.Prec, t.Scale)
		}
	case timeToken, datetime2Token, datetimeoffsetToken:
		if t.Scale = c.u8(); t.Scale > 7 {
			return t, token, malformed("a time of scale %d", t.Scale)
		}
	case bigvarcharToken, bigcharToken, nvarcharToken, ncharToken, bigvarbinaryToken, bigbinaryToken:
		if t.Len = int(c.u16()); t.Len == maxToken {
			t.Len = MaxLen
		} else if t.Len > 8000 {
			return t, token, malformed("a string type of %d bytes", t.Len)
		}
		if token != bigvarbinaryToken && token != bigbinaryToken {
			c.take(len(collation))
		}
		if t.Len != MaxLen && (token == nvarcharToken || token == ncharToken) {
			t.Len /= 2
		}
	case xmlToken:
		if c.u8() != 0 {
			return t, token, unsupported("parameter of typed XML")
		}
	case variantToken:
		c.u32()
	}
	switch t.Kind = kindOfToken(token, size); t.Kind {
	case 0, UDT, Text, NText, Image:
		return t, token, unsupported(fmt.Sprintf("parameter of type %#x, length %d", token, size))
	}
	return t, token, nil
}

// readValue reads the value of a parameter into the bytes of a ROW token.
func readValue(c *cursor, t Type, token byte) ([]byte, error) {
	if token == nullToken {
		return appendNull(nil, t), nil
	}
	if n := fixedSize(token); n > 0 {
		return append([]byte{byte(n)}, c.take(n)...), nil
	}
	size := ValueLen(t, c.b)
	if size < 0 {
		return nil, malformed("a parameter of type %v is cut short", t)
	}
	b := c.take(size)
	if t.form() == plp {
		return wholePLP(b)
	}
	v, err := DecodeValue(t, b)
	if err != nil {
		return nil, malformed("a wrong value for %v", t)
	}
	if t.form() == shortLen && v != nil && len(b)-2 > t.maxBytes() {
		return nil, malformed("a value of %d bytes for %v", len(b)-2, t)
	}
	if t.Kind == Decimal { // clients need not choose the length by the precision
		if b, err = AppendValue(nil, t, v); err != nil {
			return nil, malformed("a wrong value for %v", t)
		}
	}
	return b, nil
}

// wholePLP brings a value into one chunk of known length.
func wholePLP(b []byte) ([]byte, error) {
	data, null := plpData(b)
	if null {
		return b, nil
	}
	if total := binary.LittleEndian.Uint64(b); total != plpUnknown && total != uint64(len(data)) {
		return nil, malformed("a value of %d bytes that announces %d", len(data), total)
	}
	whole := make([]byte, 0, len(data)+16)
	whole = binary.LittleEndian.AppendUint64(whole, uint64(len(data)))
	if len(data) > 0 {
		whole = binary.LittleEndian.AppendUint32(whole, uint32(len(data)))
		whole = append(whole, data...)
	}
	return append(whole, 0, 0, 0, 0), nil
}
