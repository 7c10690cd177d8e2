package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is a column type without its size.
type Kind uint8

// The kinds. Deprecated text, ntext and image travel as varchar(max),
// nvarchar(max) and varbinary(max), numeric as decimal.
const (
	Bit Kind = iota + 1
	TinyInt
	SmallInt
	Int
	BigInt
	Real
	Float
	SmallMoney
	Money
	Decimal
	Date
	Time
	SmallDateTime
	DateTime
	DateTime2
	DateTimeOffset
	Char
	VarChar
	NChar
	NVarChar
	XML
	Binary
	VarBinary
	HierarchyID
	Geometry
	Geography
	UniqueIdentifier
	Variant
)

var kindNames = [...]string{
	Bit: "bit", TinyInt: "tinyint", SmallInt: "smallint", Int: "int", BigInt: "bigint",
	Real: "real", Float: "float", SmallMoney: "smallmoney", Money: "money", Decimal: "decimal",
	Date: "date", Time: "time", SmallDateTime: "smalldatetime", DateTime: "datetime",
	DateTime2: "datetime2", DateTimeOffset: "datetimeoffset",
	Char: "char", VarChar: "varchar", NChar: "nchar", NVarChar: "nvarchar", XML: "xml",
	Binary: "binary", VarBinary: "varbinary",
	HierarchyID: "hierarchyid", Geometry: "geometry", Geography: "geography",
	UniqueIdentifier: "uniqueidentifier", Variant: "sql_variant",
}

var kindsByName = func() map[string]Kind {
	m := make(map[string]Kind, len(kindNames))
	for k, name := range kindNames {
		if name != "" {
			m[name] = Kind(k)
		}
	}
	return m
}()

// String is SQL Server's name of the kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// MaxLen is the Len of a (max) type.
const MaxLen = -1

// A Type is a column type with its size.
type Type struct {
	Kind      Kind
	Len       int   // characters of n(var)char, bytes of (var)char and (var)binary, or MaxLen
	Precision uint8 // decimal: 1 to 38
	Scale     uint8 // decimal: 0 to Precision; time, datetime2, datetimeoffset: 0 to 7
}

// String is the type as SQL Server writes it: "decimal(18,4)".
func (t Type) String() string {
	switch {
	case t.Kind == Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case t.hasScale():
		return fmt.Sprintf("%s(%d)", t.Kind, t.Scale)
	case t.hasLen() && t.Len == MaxLen:
		return t.Kind.String() + "(max)"
	case t.hasLen():
		return fmt.Sprintf("%s(%d)", t.Kind, t.Len)
	}
	return t.Kind.String()
}

func (t Type) hasScale() bool {
	return t.Kind == Time || t.Kind == DateTime2 || t.Kind == DateTimeOffset
}

func (t Type) hasLen() bool {
	switch t.Kind {
	case Char, VarChar, NChar, NVarChar, Binary, VarBinary:
		return true
	}
	return false
}

// FractionDigits is the number of digits after the point in the text form of
// a value: of decimals, money, and times.
func (t Type) FractionDigits() int {
	switch t.Kind {
	case Decimal, Time, DateTime2, DateTimeOffset:
		return int(t.Scale)
	case Money, SmallMoney:
		return 4
	case DateTime:
		return 3
	}
	return 0
}

// MarshalText writes the type as String does.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText wrote; see ParseType.
func (t *Type) UnmarshalText(b []byte) (err error) {
	*t, err = ParseType(string(b))
	return err
}

// ParseType reads the text form of a type, strictly: a size where the kind
// has one and none where it has none, within SQL Server's ranges.
func ParseType(s string) (Type, error) {
	name, args, sized := strings.Cut(s, "(")
	t := Type{Kind: kindsByName[name]}
	if t.Kind == 0 {
		return Type{}, fmt.Errorf("column type %q is not known", s)
	}
	bad := fmt.Errorf("column type %q is not well-formed", s)
	if sized != (t.Kind == Decimal || t.hasScale() || t.hasLen()) {
		return Type{}, bad
	}
	if !sized {
		return t, nil
	}
	args, ok := strings.CutSuffix(args, ")")
	if !ok {
		return Type{}, bad
	}
	switch {
	case t.Kind == Decimal:
		p, sc, _ := strings.Cut(args, ",")
		t.Precision, t.Scale = size8(p), size8(sc)
		ok = t.Precision >= 1 && t.Precision <= 38 && t.Scale <= t.Precision
	case t.hasScale():
		t.Scale = size8(args)
		ok = t.Scale <= 7
	case args == "max":
		t.Len = MaxLen
		ok = t.Kind == VarChar || t.Kind == NVarChar || t.Kind == VarBinary
	default:
		n, err := strconv.Atoi(args)
		t.Len = n
		ok = err == nil && n >= 1 && n <= 8000
	}
	if !ok || t.String() != s {
		return Type{}, bad
	}
	return t, nil
}

// size8 returns 255, which no caller accepts, for what is no small number.
func size8(s string) uint8 {
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil {
		return 255
	}
	return uint8(n)
}
