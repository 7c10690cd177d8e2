package engine

import (
	"math/big"

	"tidemark/internal/mssqltest/tds"
)

// class groups the data types whose values have the same form in memory.
type class uint8

const (
	clNull class = iota
	clInt
	clDec
	clFloat
	clTime
	clStr
	clBin
	clGUID
	clVariant
)

// A value is one SQL value. Its meaning depends on the type that goes with
// it, which expressions know statically:
//
//	clInt      i
//	clDec      i, or x (*big.Int) where it does not fit; scaled by the type's scale
//	clFloat    f
//	clTime     i in units of 100 ns since 0001-01-01 (since midnight for time),
//	           in UTC for datetimeoffset, whose offset in minutes is off
//	clStr      s, in UTF-8; lone surrogates as their three-byte form
//	clBin      s
//	clGUID     s, 16 bytes in SQL Server's byte order
//	clVariant  x (*variant)
type value struct {
	null bool
	off  int16
	i    int64
	f    float64
	s    string
	x    any
}

// variant is a value of sql_variant with its base type.
type variant struct {
	typ tds.Type
	val value
}

var nullValue = value{null: true}

func intValue(i int64) value     { return value{i: i} }
func strValue(s string) value    { return value{s: s} }
func floatValue(f float64) value { return value{f: f} }

func bitValue(b bool) value {
	if b {
		return value{i: 1}
	}
	return value{}
}

// decValue keeps small numbers out of the heap.
func decValue(n *big.Int) value {
	if n.IsInt64() {
		return value{i: n.Int64()}
	}
	return value{x: n}
}

func (v value) dec() *big.Int {
	if n, ok := v.x.(*big.Int); ok {
		return n
	}
	return big.NewInt(v.i)
}

func classOf(k tds.Kind) class {
	switch k {
	case tds.Bit, tds.TinyInt, tds.SmallInt, tds.Int, tds.BigInt:
		return clInt
	case tds.SmallMoney, tds.Money, tds.Decimal:
		return clDec
	case tds.Real, tds.Float:
		return clFloat
	case tds.Date, tds.Time, tds.SmallDateTime, tds.DateTime, tds.DateTime2, tds.DateTimeOffset:
		return clTime
	case tds.Char, tds.VarChar, tds.NChar, tds.NVarChar, tds.Text, tds.NText, tds.XML:
		return clStr
	case tds.UniqueIdentifier:
		return clGUID
	case tds.Variant:
		return clVariant
	}
	return clBin
}
