package sqlserver

import (
	"database/sql/driver"
	"fmt"

	"tidemark/internal/wire"
)

// variantProperties are selected beside a sql_variant, because the driver
// gives its value without its type. Text in a code page is read once more,
// converted by SQL Server (see Column.read).
func variantProperties(ref string) []string {
	base := "CONVERT(nvarchar(128), SQL_VARIANT_PROPERTY(" + ref + ", 'BaseType'))"
	return []string{
		base,
		"CONVERT(int, SQL_VARIANT_PROPERTY(" + ref + ", 'Precision'))",
		"CONVERT(int, SQL_VARIANT_PROPERTY(" + ref + ", 'Scale'))",
		"CONVERT(int, SQL_VARIANT_PROPERTY(" + ref + ", 'MaxLength'))",
		"CONVERT(nvarchar(max), CASE WHEN " + base + " IN (N'char', N'varchar') THEN " + ref + " END)",
	}
}

var variantShapes = [...]shape{
	{name: "NVARCHAR", length: anyLength}, {name: "INT"}, {name: "INT"}, {name: "INT"}, {name: "NVARCHAR", length: anyLength},
}

const variantParts = len(variantShapes)

// appendVariant appends the wire form of a sql_variant: its value and its
// properties, in the order of variantProperties.
func appendVariant(dst []byte, v driver.Value, properties []driver.Value) ([]byte, error) {
	if v == nil {
		return append(dst, "null"...), nil
	}
	d := declared{
		name:      textOf(properties[0]),
		precision: int(intOf(properties[1])),
		scale:     int(intOf(properties[2])),
		maxLength: int(intOf(properties[3])),
	}
	if d.maxLength == 0 {
		d.maxLength = 2 // the type of an empty string still has a length
	}
	t, ok := d.wireType()
	if !ok || t.Kind == wire.Variant || t.Len == wire.MaxLen {
		return dst, fmt.Errorf("a sql_variant of type %q is not supported", d.name)
	}
	if t.Kind == wire.Char || t.Kind == wire.VarChar {
		v = properties[4]
	}
	dst = append(dst, `{"t":"`...)
	dst = append(dst, t.String()...)
	dst = append(dst, `","v":`...)
	dst, err := appendValue(dst, t, v)
	return append(dst, '}'), err
}
