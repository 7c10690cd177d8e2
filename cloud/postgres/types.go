package postgres

import (
	"fmt"

	"tidemark/internal/wire"
)

// maxFraction is the number of digits after the seconds that Postgres' times
// hold.
const maxFraction = 6

// pgType is the Postgres type of a column, as DDL writes it; see the
// package's table of types.
func pgType(t wire.Type, key bool) string {
	if key && keyIsText(t) {
		return keyText
	}
	switch t.Kind {
	case wire.Bit:
		return "boolean"
	case wire.TinyInt, wire.SmallInt:
		return "smallint"
	case wire.Int:
		return "integer"
	case wire.BigInt:
		return "bigint"
	case wire.Real:
		return "real"
	case wire.Float:
		return "double precision"
	case wire.SmallMoney:
		return "numeric(10,4)"
	case wire.Money:
		return "numeric(19,4)"
	case wire.Decimal:
		return fmt.Sprintf("numeric(%d,%d)", t.Precision, t.Scale)
	case wire.Date:
		return "date"
	case wire.Time:
		return "time"
	case wire.SmallDateTime, wire.DateTime, wire.DateTime2:
		return "timestamp"
	case wire.DateTimeOffset:
		return "timestamptz"
	case wire.Binary, wire.VarBinary, wire.HierarchyID, wire.Geometry, wire.Geography:
		return "bytea"
	case wire.UniqueIdentifier:
		return "uuid"
	}
	return "text" // characters, xml, sql_variant
}

// keyText compares by bytes, as keys do everywhere in Tidemark.
const keyText = `text COLLATE "C"`

// keyIsText tells whether a key column of type t is text, because it is text
// or because Postgres' own type would make one value of two.
func keyIsText(t wire.Type) bool {
	switch t.Kind {
	case wire.Char, wire.VarChar, wire.NChar, wire.NVarChar, wire.XML, wire.Variant, wire.DateTimeOffset:
		return true
	case wire.Time, wire.DateTime2:
		return t.Scale > maxFraction
	}
	return false
}
