package engine

import (
	"strings"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// A typeInfo is a row of sys.types.
type typeInfo struct {
	name     string
	kind     tds.Kind
	systemID uint8 // system_type_id
	userID   int   // user_type_id
	maxLen   int   // max_length
	prec     uint8
	scale    uint8
	rank     int // data type precedence, lower wins
}

// systemTypes are the types of sys.types with their documented numbers, and
// the precedence of "Data type precedence (Transact-SQL)".
var systemTypes = []typeInfo{
	{"image", tds.Image, 34, 34, 16, 0, 0, 22},
	{"text", tds.Text, 35, 35, 16, 0, 0, 21},
	{"uniqueidentifier", tds.UniqueIdentifier, 36, 36, 16, 0, 0, 24},
	{"date", tds.Date, 40, 40, 3, 10, 0, 7},
	{"time", tds.Time, 41, 41, 5, 16, 7, 8},
	{"datetime2", tds.DateTime2, 42, 42, 8, 27, 7, 4},
	{"datetimeoffset", tds.DateTimeOffset, 43, 43, 10, 34, 7, 3},
	{"tinyint", tds.TinyInt, 48, 48, 1, 3, 0, 18},
	{"smallint", tds.SmallInt, 52, 52, 2, 5, 0, 17},
	{"int", tds.Int, 56, 56, 4, 10, 0, 16},
	{"smalldatetime", tds.SmallDateTime, 58, 58, 4, 16, 0, 6},
	{"real", tds.Real, 59, 59, 4, 24, 0, 10},
	{"money", tds.Money, 60, 60, 8, 19, 4, 12},
	{"datetime", tds.DateTime, 61, 61, 8, 23, 3, 5},
	{"float", tds.Float, 62, 62, 8, 53, 0, 9},
	{"sql_variant", tds.Variant, 98, 98, 8016, 0, 0, 1},
	{"ntext", tds.NText, 99, 99, 16, 0, 0, 20},
	{"bit", tds.Bit, 104, 104, 1, 1, 0, 19},
	{"decimal", tds.Decimal, 106, 106, 17, 38, 38, 11},
	{"numeric", tds.Decimal, 108, 108, 17, 38, 38, 11},
	{"smallmoney", tds.SmallMoney, 122, 122, 4, 10, 4, 13},
	{"bigint", tds.BigInt, 127, 127, 8, 19, 0, 15},
	{"hierarchyid", tds.UDT, 240, 128, 892, 0, 0, 0},
	{"geometry", tds.UDT, 240, 129, -1, 0, 0, 0},
	{"geography", tds.UDT, 240, 130, -1, 0, 0, 0},
	{"varbinary", tds.VarBinary, 165, 165, 8000, 0, 0, 29},
	{"varchar", tds.VarChar, 167, 167, 8000, 0, 0, 27},
	{"binary", tds.Binary, 173, 173, 8000, 0, 0, 30},
	{"char", tds.Char, 175, 175, 8000, 0, 0, 28},
	{"timestamp", tds.RowVersion, 189, 189, 8, 0, 0, 23},
	{"nvarchar", tds.NVarChar, 231, 231, 8000, 0, 0, 25},
	{"nchar", tds.NChar, 239, 239, 8000, 0, 0, 26},
	{"xml", tds.XML, 241, 241, -1, 0, 0, 2},
	{"sysname", tds.NVarChar, 231, 256, 256, 0, 0, 25},
}

var synonyms = map[string]string{
	"integer": "int", "dec": "decimal", "rowversion": "timestamp", "character": "char",
	"varcharacter": "varchar", "varchararacter": "varchar",
}

var typesByName = func() map[string]*typeInfo {
	m := map[string]*typeInfo{}
	for i := range systemTypes {
		m[systemTypes[i].name] = &systemTypes[i]
	}
	return m
}()

var infoByKind = func() map[tds.Kind]*typeInfo {
	m := map[tds.Kind]*typeInfo{}
	for i := range systemTypes {
		t := &systemTypes[i]
		if _, ok := m[t.kind]; !ok {
			m[t.kind] = t
		}
	}
	return m
}()

func infoOf(t tds.Type) *typeInfo {
	if t.Kind == tds.UDT {
		if i, ok := typesByName[strings.ToLower(t.Name)]; ok {
			return i
		}
	}
	return infoByKind[t.Kind]
}

func rank(t tds.Type) int { return infoOf(t).rank }

// resolveSystemType gives the type that a name with its arguments means;
// defLen is the length where none is written (1 in definitions, 30 in CAST).
func resolveSystemType(n tsql.TypeName, defLen int) (tds.Type, *typeInfo, error) {
	name := n.Name
	if s, ok := synonyms[name]; ok {
		name = s
	}
	info, ok := typesByName[name]
	if !ok || n.Schema != "" && !strings.EqualFold(n.Schema, "sys") {
		return tds.Type{}, nil, errorf(2715, "Column, parameter, or variable: Cannot find data type %s.", n.Name)
	}
	t := tds.Type{Kind: info.kind}
	var arg int
	hasArg := len(n.Args) > 0
	if hasArg {
		arg = n.Args[0]
	}
	badLen := errorf(1001, "Length or precision specification %d is invalid.", arg)
	switch info.kind {
	case tds.Char, tds.VarChar, tds.NChar, tds.NVarChar, tds.Binary, tds.VarBinary:
		limit := 8000
		if info.kind == tds.NChar || info.kind == tds.NVarChar {
			limit = 4000
		}
		fixed := info.kind == tds.Char || info.kind == tds.NChar || info.kind == tds.Binary
		switch {
		case name == "sysname":
			t.Len = 128
		case n.Max && fixed || len(n.Args) > 1 || hasArg && (arg < 1 || arg > limit):
			return t, nil, badLen
		case n.Max:
			t.Len = tds.MaxLen
		case hasArg:
			t.Len = arg
		default:
			t.Len = defLen
		}
	case tds.Decimal:
		t.Prec = 18
		if hasArg {
			if arg < 1 || arg > 38 {
				return t, nil, badLen
			}
			t.Prec = uint8(arg)
		}
		if len(n.Args) > 1 {
			if n.Args[1] < 0 || n.Args[1] > int(t.Prec) {
				return t, nil, errorf(192, "The scale must be less than or equal to the precision.")
			}
			t.Scale = uint8(n.Args[1])
		}
	case tds.Time, tds.DateTime2, tds.DateTimeOffset:
		t.Scale = 7
		if hasArg {
			if arg < 0 || arg > 7 {
				return t, nil, errorf(1002, "Specified scale %d is invalid.", arg)
			}
			t.Scale = uint8(arg)
		}
	case tds.Float:
		if hasArg {
			if arg < 1 || arg > 53 {
				return t, nil, badLen
			}
			if arg <= 24 {
				t.Kind, info = tds.Real, typesByName["real"]
			}
		}
	case tds.RowVersion:
		t.Len = 8
	case tds.UDT:
		t.Name = name
		t.Len = info.maxLen
	default:
		if hasArg || n.Max {
			return t, nil, errorf(2716, "Column, parameter, or variable: Cannot specify a column width on data type %s.", n.Name)
		}
	}
	return t, info, nil
}

// typeText is the name of a type as error messages give it.
func typeText(t tds.Type) string {
	if t.Kind == tds.Decimal {
		return "numeric"
	}
	return infoOf(t).name
}

// isUnicode tells whether the characters of a type are UTF-16.
func isUnicode(k tds.Kind) bool {
	return k == tds.NChar || k == tds.NVarChar || k == tds.NText || k == tds.XML
}

// scaleOf is the number of decimal digits behind the point of an exact number.
func scaleOf(t tds.Type) int {
	switch t.Kind {
	case tds.Money, tds.SmallMoney:
		return 4
	case tds.Decimal:
		return int(t.Scale)
	}
	return 0
}

// precOf is the number of digits of an exact number.
func precOf(t tds.Type) int {
	switch t.Kind {
	case tds.Decimal:
		return int(t.Prec)
	case tds.Bit:
		return 1
	}
	return int(infoOf(t).prec)
}

// storedLen is max_length of sys.columns: bytes, -1 for max.
func storedLen(t tds.Type) int {
	switch t.Kind {
	case tds.Char, tds.VarChar, tds.Binary, tds.VarBinary:
		return t.Len
	case tds.NChar, tds.NVarChar:
		if t.Len == tds.MaxLen {
			return tds.MaxLen
		}
		return 2 * t.Len
	case tds.Decimal:
		switch {
		case t.Prec <= 9:
			return 5
		case t.Prec <= 19:
			return 9
		case t.Prec <= 28:
			return 13
		}
		return 17
	case tds.Time, tds.DateTime2, tds.DateTimeOffset:
		n := infoOf(t).maxLen
		switch {
		case t.Scale <= 2:
			return n - 2
		case t.Scale <= 4:
			return n - 1
		}
		return n
	}
	return infoOf(t).maxLen
}

// common is the type to which two types are brought for a comparison, a CASE
// or a UNION: the one of higher precedence, wide enough for both.
func common(a, b tds.Type) (tds.Type, error) {
	hi, lo := a, b
	if rank(b) < rank(a) {
		hi, lo = b, a
	}
	if hi.Kind == tds.UDT && lo != hi {
		return hi, errorf(206, "Operand type clash: %s is incompatible with %s", typeText(lo), typeText(hi))
	}
	switch hi.Kind {
	case tds.Decimal:
		if classOf(lo.Kind) != clDec && classOf(lo.Kind) != clInt {
			return hi, nil
		}
		s := max(scaleOf(hi), scaleOf(lo))
		p := max(precOf(hi)-scaleOf(hi), precOf(lo)-scaleOf(lo)) + s
		if p > 38 {
			s, p = max(s-(p-38), 0), 38
		}
		hi.Prec, hi.Scale = uint8(p), uint8(s)
	case tds.Char, tds.VarChar, tds.NChar, tds.NVarChar, tds.Binary, tds.VarBinary:
		if classOf(lo.Kind) != classOf(hi.Kind) {
			return hi, nil
		}
		if isVariable(lo.Kind) && !isVariable(hi.Kind) {
			hi.Kind = variableForm(hi.Kind)
		}
		if hi.Len != tds.MaxLen && (lo.Len > hi.Len || lo.Len == tds.MaxLen) {
			hi.Len = lo.Len
		}
		if isUnicode(hi.Kind) && hi.Len > 4000 {
			hi.Len = tds.MaxLen
		}
	case tds.Time, tds.DateTime2, tds.DateTimeOffset:
		if classOf(lo.Kind) == clTime {
			hi.Scale = max(hi.Scale, fraction(lo))
		}
	}
	return hi, nil
}

func fraction(t tds.Type) uint8 {
	switch t.Kind {
	case tds.Time, tds.DateTime2, tds.DateTimeOffset:
		return t.Scale
	case tds.DateTime:
		return 3
	}
	return 0
}

func isVariable(k tds.Kind) bool {
	return k == tds.VarChar || k == tds.NVarChar || k == tds.VarBinary
}

func variableForm(k tds.Kind) tds.Kind {
	switch k {
	case tds.Char:
		return tds.VarChar
	case tds.NChar:
		return tds.NVarChar
	}
	return tds.VarBinary
}
