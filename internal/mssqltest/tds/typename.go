package tds

import "fmt"

var kindNames = [...]string{
	Bit: "bit", TinyInt: "tinyint", SmallInt: "smallint", Int: "int", BigInt: "bigint",
	Real: "real", Float: "float", SmallMoney: "smallmoney", Money: "money", Decimal: "decimal",
	Date: "date", Time: "time", SmallDateTime: "smalldatetime", DateTime: "datetime",
	DateTime2: "datetime2", DateTimeOffset: "datetimeoffset",
	Char: "char", VarChar: "varchar", NChar: "nchar", NVarChar: "nvarchar",
	Binary: "binary", VarBinary: "varbinary", UniqueIdentifier: "uniqueidentifier",
	Text: "text", NText: "ntext", Image: "image", XML: "xml", UDT: "udt",
	Variant: "sql_variant", RowVersion: "rowversion",
}

// String is the name of the type in T-SQL.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// String is the type as T-SQL declares it, such as decimal(10,2).
func (t Type) String() string {
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Prec, t.Scale)
	case Time, DateTime2, DateTimeOffset:
		return fmt.Sprintf("%v(%d)", t.Kind, t.Scale)
	case Char, VarChar, NChar, NVarChar, Binary, VarBinary:
		if t.Len == MaxLen {
			return t.Kind.String() + "(max)"
		}
		return fmt.Sprintf("%v(%d)", t.Kind, t.Len)
	case UDT:
		return t.Name
	}
	return t.Kind.String()
}
