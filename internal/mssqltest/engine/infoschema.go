package engine

import (
	"tidemark/internal/mssqltest/tds"
)

func init() {
	defineView("INFORMATION_SCHEMA.COLUMNS", "TABLE_CATALOG sysname?, TABLE_SCHEMA sysname?, TABLE_NAME sysname, COLUMN_NAME sysname?, ORDINAL_POSITION int?, "+
		"IS_NULLABLE sysname?, DATA_TYPE sysname?, CHARACTER_MAXIMUM_LENGTH int?, CHARACTER_OCTET_LENGTH int?, NUMERIC_PRECISION tinyint?, NUMERIC_SCALE int?, "+
		"DATETIME_PRECISION smallint?, COLLATION_NAME sysname?",
		func(x *exec, add func(...any)) error {
			return x.eachTable(func(t *table) {
				for i, c := range t.cols {
					var chars, octets, digits, scale, fraction any
					switch classOf(c.typ.Kind) {
					case clStr, clBin:
						if c.typ.Kind != tds.RowVersion {
							octets = storedLen(c.typ)
							if chars = octets; (c.typ.Kind == tds.NChar || c.typ.Kind == tds.NVarChar) && c.typ.Len != tds.MaxLen {
								chars = storedLen(c.typ) / 2
							}
						}
					case clInt, clDec, clFloat:
						if c.typ.Kind != tds.Bit {
							p, s := shownPrecision(c.typ)
							digits, scale = p, s
						}
					case clTime:
						_, s := shownPrecision(c.typ)
						fraction = s
					}
					add(t.db.name, t.schema.name, t.name, c.name, i+1, yesNo(c.nullable), c.info.name, chars, octets, digits, scale, fraction, orNil(c.collName))
				}
			})
		})
	defineView("INFORMATION_SCHEMA.TABLE_CONSTRAINTS", "CONSTRAINT_CATALOG sysname?, CONSTRAINT_SCHEMA sysname?, CONSTRAINT_NAME sysname, TABLE_CATALOG sysname?, "+
		"TABLE_SCHEMA sysname?, TABLE_NAME sysname?, CONSTRAINT_TYPE sysname?, IS_DEFERRABLE sysname, INITIALLY_DEFERRED sysname",
		func(x *exec, add func(...any)) error {
			return x.eachTable(func(t *table) {
				for _, ix := range t.indexes {
					if ix.constr {
						typ := "UNIQUE"
						if ix.primary {
							typ = "PRIMARY KEY"
						}
						add(t.db.name, t.schema.name, ix.name, t.db.name, t.schema.name, t.name, typ, "NO", "NO")
					}
				}
			})
		})
	defineView("INFORMATION_SCHEMA.KEY_COLUMN_USAGE", "CONSTRAINT_CATALOG sysname?, CONSTRAINT_SCHEMA sysname?, CONSTRAINT_NAME sysname, TABLE_CATALOG sysname?, "+
		"TABLE_SCHEMA sysname?, TABLE_NAME sysname?, COLUMN_NAME sysname?, ORDINAL_POSITION int",
		func(x *exec, add func(...any)) error {
			return x.eachTable(func(t *table) {
				for _, ix := range t.indexes {
					if ix.constr {
						for i, c := range ix.cols {
							add(t.db.name, t.schema.name, ix.name, t.db.name, t.schema.name, t.name, t.cols[c.ord].name, i+1)
						}
					}
				}
			})
		})
}

func yesNo(b bool) string {
	if b {
		return "YES"
	}
	return "NO"
}
