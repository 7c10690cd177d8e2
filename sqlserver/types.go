package sqlserver

import (
	"strconv"
	"strings"

	"tidemark/internal/wire"
)

// declared is a column's type as sys.columns has it.
type declared struct {
	name      string // of the base type
	maxLength int    // bytes, -1 for (max)
	precision int
	scale     int
}

var plainKinds = map[string]wire.Kind{
	"bit": wire.Bit, "tinyint": wire.TinyInt, "smallint": wire.SmallInt, "int": wire.Int, "bigint": wire.BigInt,
	"real": wire.Real, "float": wire.Float, "smallmoney": wire.SmallMoney, "money": wire.Money,
	"date": wire.Date, "smalldatetime": wire.SmallDateTime, "datetime": wire.DateTime,
	"xml": wire.XML, "hierarchyid": wire.HierarchyID, "geometry": wire.Geometry, "geography": wire.Geography,
	"uniqueidentifier": wire.UniqueIdentifier, "sql_variant": wire.Variant,
}

// wireType is the type on the wire of a column; ok is false for a type that
// is not supported.
func (d declared) wireType() (t wire.Type, ok bool) {
	if kind, plain := plainKinds[d.name]; plain {
		return wire.Type{Kind: kind}, true
	}
	sized := func(kind wire.Kind, unit int) (wire.Type, bool) {
		if d.maxLength == -1 {
			return wire.Type{Kind: kind, Len: wire.MaxLen}, kind == wire.VarChar || kind == wire.NVarChar || kind == wire.VarBinary
		}
		return wire.Type{Kind: kind, Len: d.maxLength / unit}, d.maxLength >= unit
	}
	scaled := func(kind wire.Kind) (wire.Type, bool) {
		return wire.Type{Kind: kind, Scale: uint8(d.scale)}, d.scale >= 0 && d.scale <= 7
	}
	switch d.name {
	case "decimal", "numeric":
		t = wire.Type{Kind: wire.Decimal, Precision: uint8(d.precision), Scale: uint8(d.scale)}
		return t, d.precision >= 1 && d.precision <= 38 && d.scale >= 0 && d.scale <= d.precision
	case "time":
		return scaled(wire.Time)
	case "datetime2":
		return scaled(wire.DateTime2)
	case "datetimeoffset":
		return scaled(wire.DateTimeOffset)
	case "char":
		return sized(wire.Char, 1)
	case "varchar":
		return sized(wire.VarChar, 1)
	case "nchar":
		return sized(wire.NChar, 2)
	case "nvarchar", "sysname":
		return sized(wire.NVarChar, 2)
	case "binary":
		return sized(wire.Binary, 1)
	case "varbinary":
		return sized(wire.VarBinary, 1)
	case "text":
		return wire.Type{Kind: wire.VarChar, Len: wire.MaxLen}, true
	case "ntext":
		return wire.Type{Kind: wire.NVarChar, Len: wire.MaxLen}, true
	case "image":
		return wire.Type{Kind: wire.VarBinary, Len: wire.MaxLen}, true
	}
	return wire.Type{}, false
}

// isRowVersion tells whether a type of this name is rowversion. Its name in
// sys.types is the old one.
func isRowVersion(name string) bool { return name == "timestamp" || name == "rowversion" }

// isLarge tells whether a value can be larger than a page, so that it is
// selected under the row limit's guard.
func (c *Column) isLarge() bool {
	switch c.Type.Kind {
	case wire.XML, wire.Geometry, wire.Geography:
		return true
	}
	return c.Type.Len == wire.MaxLen
}

// read is the expression that reads the column from ref. Text in a code page
// becomes UTF-16 by SQL Server's own tables: the driver's lack UTF-8
// collations and bytes that a code page leaves undefined. CLR types become
// their bytes.
func (c *Column) read(ref string) string {
	switch c.Type.Kind {
	case wire.Char, wire.VarChar:
		return "CONVERT(nvarchar(" + unicodeLen(c.Type.Len) + "), " + ref + ")"
	case wire.XML:
		return "CONVERT(nvarchar(max), " + ref + ")"
	case wire.Geometry, wire.Geography:
		return "CONVERT(varbinary(max), " + ref + ")"
	case wire.HierarchyID:
		return "CONVERT(varbinary(892), " + ref + ")"
	}
	switch c.base {
	case "ntext":
		return "CONVERT(nvarchar(max), " + ref + ")"
	case "image":
		return "CONVERT(varbinary(max), " + ref + ")"
	}
	return ref
}

// unicodeLen is the size of the nvarchar that holds any varchar(n): no
// encoding needs more UTF-16 units than bytes.
func unicodeLen(n int) string {
	if n == wire.MaxLen || n > 4000 {
		return "max"
	}
	return strconv.Itoa(n)
}

// A shape is the type of a result column as the driver describes it.
type shape struct {
	name      string
	length    int64 // 0 where the driver gives none
	precision int64
	scale     int64
}

// anyLength is the length of a shape where only the type matters.
const anyLength = -1

// Lengths that the driver gives for (max) types.
const (
	maxBytes = 2147483645
	maxChars = 2147483645 / 2
)

// shape is what read gives.
func (c *Column) shape() shape {
	chars := func(n int) int64 {
		if n == wire.MaxLen || n > 4000 {
			return maxChars
		}
		return int64(n)
	}
	switch t := c.Type; t.Kind {
	case wire.Decimal:
		return shape{name: "DECIMAL", precision: int64(t.Precision), scale: int64(t.Scale)}
	case wire.Time, wire.DateTime2, wire.DateTimeOffset:
		return shape{name: strings.ToUpper(t.Kind.String()), scale: int64(t.Scale)}
	case wire.Char, wire.VarChar, wire.NVarChar:
		return shape{name: "NVARCHAR", length: chars(t.Len)}
	case wire.NChar:
		return shape{name: "NCHAR", length: int64(t.Len)}
	case wire.XML:
		return shape{name: "NVARCHAR", length: maxChars}
	case wire.Binary:
		return shape{name: "BINARY", length: int64(t.Len)}
	case wire.VarBinary:
		if t.Len != wire.MaxLen {
			return shape{name: "VARBINARY", length: int64(t.Len)}
		}
		return shape{name: "VARBINARY", length: maxBytes}
	case wire.Geometry, wire.Geography:
		return shape{name: "VARBINARY", length: maxBytes}
	case wire.HierarchyID:
		return shape{name: "VARBINARY", length: 892}
	default:
		return shape{name: strings.ToUpper(t.Kind.String())}
	}
}

// converted tells whether read gives the value in another type, so that the
// result does not show when the column's own type has changed.
func (c *Column) converted() bool { return c.read("x") != "x" }

// ownShape is the type of the column itself.
func (c *Column) ownShape() shape {
	switch c.base {
	case "text", "ntext", "image":
		return shape{name: strings.ToUpper(c.base)}
	}
	s := shape{name: strings.ToUpper(c.Type.Kind.String())}
	switch {
	case c.Type.Kind != wire.Char && c.Type.Kind != wire.VarChar:
	case c.Type.Len == wire.MaxLen:
		s.length = maxBytes
	default:
		s.length = int64(c.Type.Len)
	}
	return s
}
